"""Check quotas that a synth can measure: a deployment that would exceed one fails here, with a remedy."""

from __future__ import annotations

import json
from typing import Any

import jsii
from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct, IValidation

from cdk_amazon_estimators.props.stack_quotas import check_stack_quotas

LONGEST_PATTERN = 2_048
"""Characters of an event pattern."""
LONGEST_DEFINITION = 2**20
"""Bytes of a state machine's definition."""
LONGEST_SETTINGS = 200 * 2**10
"""Bytes of a pipeline's settings, which are part of every event. Step Functions allows events of 256 KiB."""
LONGEST_ENVIRONMENT = 4_096
"""Bytes of all environment variables of a function, including names, as in "AWS Lambda quotas"."""
TOKEN = 100
"""Characters assumed for a reference, which is resolved when the stack is deployed."""


def check_quotas(pipeline: Construct, settings: Any) -> None:
    """Check the quotas of everything below ``pipeline`` when the app is synthesised."""
    pipeline.node.add_validation(_Quotas(pipeline, settings))
    check_stack_quotas(pipeline)


@jsii.implements(IValidation)
class _Quotas:
    def __init__(self, pipeline: Construct, settings: Any) -> None:
        self._pipeline = pipeline
        self._settings = settings

    def validate(self) -> list[str]:
        stack = Stack.of(self._pipeline)
        problems = []
        settings = _length(stack.resolve(self._settings))
        if settings > LONGEST_SETTINGS:
            problems.append(
                f"the pipeline's settings take {settings:,} bytes; allowed: {LONGEST_SETTINGS:,}, because "
                "they are in every event of a function. Name columns by texts known at synth: those go to S3"
            )
        for node in self._pipeline.node.find_all():
            if isinstance(node, events.CfnRule):
                length = _length(stack.resolve(node.event_pattern))
                if length > LONGEST_PATTERN:
                    problems.append(
                        f"the event pattern of {node.node.path} takes {length:,} characters; allowed: "
                        f"{LONGEST_PATTERN:,}. Give the UploadTrigger one prefix that holds all channels, or "
                        "shorten the prefixes"
                    )
            elif isinstance(node, sfn.CfnStateMachine):
                length = _length(stack.resolve(node.definition_string))
                if length > LONGEST_DEFINITION:
                    problems.append(
                        f"the definition of {node.node.path} takes {length:,} bytes; allowed: "
                        f"{LONGEST_DEFINITION:,}. Shorten the settings of the channels"
                    )
            elif isinstance(node, lambda_.CfnFunction):
                environment = stack.resolve(node._cfn_properties["environment"]) or {}
                variables = environment.get("variables", {}).items()
                length = sum(len(name.encode()) + _length(text) for name, text in variables)
                if length > LONGEST_ENVIRONMENT:
                    problems.append(
                        f"the environment of {node.node.path} takes {length:,} bytes; allowed: "
                        f"{LONGEST_ENVIRONMENT:,}. Shorten the channels' prefixes, include and skip"
                    )
        return problems


def _length(value: Any) -> int:
    """Return the size of a resolved value in JSON, or unchanged if it is text."""
    return len(_text(value).encode())


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and list(value) == ["Fn::Join"]:
        delimiter, parts = value["Fn::Join"]
        return str(delimiter).join(part if isinstance(part, str) else "x" * TOKEN for part in parts)
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::")):
        return "x" * TOKEN
    if isinstance(value, dict):
        members = ",".join(f"{json.dumps(name)}:{_member(one)}" for name, one in value.items())
        return "{" + members + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_member, value)) + "]"
    return json.dumps(value)


def _member(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else _text(value)
