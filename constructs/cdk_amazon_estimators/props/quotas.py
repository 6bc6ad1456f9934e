"""Quotas of single resources that a synth can measure, each with a remedy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aws_cdk import CfnResource
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

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


CHECKED = (events.CfnRule, sfn.CfnStateMachine, lambda_.CfnFunction)
"""The resources that have a quota."""


def settings_problems(pipeline: Construct, settings: Any) -> Iterator[str]:
    """Yield the problem of a pipeline's settings, with all tokens resolved, if they are too long."""
    length = _length(settings)
    if length > LONGEST_SETTINGS:
        yield (
            f"{pipeline.node.path}: the pipeline's settings take {length:,} bytes; allowed: "
            f"{LONGEST_SETTINGS:,}, because they are in every event of a function. Name columns by texts "
            "known at synth: those go to S3"
        )


def resource_problems(resource: CfnResource, properties: Mapping[str, Any]) -> Iterator[str]:
    """Yield the problem of one of the CHECKED resources with these properties, if one is too long."""
    if isinstance(resource, events.CfnRule):
        what, length, most = "event pattern", _length(properties["eventPattern"]), LONGEST_PATTERN
        unit = "characters"
        way_out = "Give the UploadTrigger one prefix that holds all channels, or shorten the prefixes"
    elif isinstance(resource, sfn.CfnStateMachine):
        what, length, most = "definition", _length(properties["definitionString"]), LONGEST_DEFINITION
        unit = "bytes"
        way_out = "Shorten the settings of the channels"
    else:
        variables = (properties.get("environment") or {}).get("variables", {}).items()
        length = sum(len(name.encode()) + _length(text) for name, text in variables)
        what, most = "environment", LONGEST_ENVIRONMENT
        unit = "bytes"
        way_out = "Shorten the channels' prefixes, include and skip"
    if length > most:
        yield f"the {what} of {resource.node.path} takes {length:,} {unit}; allowed: {most:,}. {way_out}"


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
