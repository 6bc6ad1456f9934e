"""The policies of an example's template, with every reference filled in by a name made of its logical id.

So they are the same at each synthesis, and a recorded call can be held to them without a deployment.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pipeline_stacks
from aws_cdk import App
from pipeline_stacks import Synthesised

from amazon_estimators.local_platform import ON_THIS_MACHINE
from amazon_estimators_rehearsal.environment import ACCOUNT, REGION

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
REHEARSED = ("Screening", "Regulated")
"""The stacks whose calls are recorded: all steps, predictions, endpoint and triggers; keys for everything."""

ARNS = {
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/",
    "AWS::S3::Bucket": "arn:aws:s3:::",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:",
    "AWS::KMS::Key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/",
    "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:",
    "AWS::Scheduler::ScheduleGroup": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:",
    "AWS::CloudWatch::Alarm": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:",
}
"""The ARN of a resource before its name, by type."""
REF_IS_ARN = {"AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"}
RESOURCE_POLICIES = {
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SQS::QueuePolicy": "Queues",
    "AWS::SNS::TopicPolicy": "Topics",
}


@dataclass(frozen=True)
class Policies:
    """The policies of a stack.

    Attributes:
        roles: The statements of each role, by its logical id.
        resources: The policy of a bucket, queue, topic or key, by the resource's ARN.
        types: The type of each resource, by its logical id.
    """

    roles: Mapping[str, list[dict[str, Any]]]
    resources: Mapping[str, dict[str, Any]]
    types: Mapping[str, str]


def example(name: str, context: Mapping[str, Any]) -> Any:
    """Make the stack of an example in an app of its own."""
    spec = importlib.util.spec_from_file_location(name.lower(), EXAMPLES / f"{name.lower()}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)(App(context=dict(context)), name)


def name_of(logical_id: str) -> str:
    """Return the name of a resource."""
    return logical_id.lower()


def policies_of(name: str) -> Policies:
    """Synthesise an example and return its policies."""
    stack = example(name, {**ON_THIS_MACHINE, "aws:cdk:bundling-stacks": []})
    with patch.dict(pipeline_stacks.PSEUDO, {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION}):
        resources = Synthesised(stack).resources
    types = {logical: resource["Type"] for logical, resource in resources.items()}
    filled = {
        logical: _filled(resource.get("Properties", {}), types) for logical, resource in resources.items()
    }
    roles: dict[str, list[dict[str, Any]]] = {
        name: [] for name, kind in types.items() if kind == "AWS::IAM::Role"
    }
    names = {name_of(role): role for role in roles}
    policies: dict[str, dict[str, Any]] = {}
    for logical, kind in sorted(types.items()):
        properties = filled[logical]
        if kind == "AWS::IAM::Role":
            for policy in properties.get("Policies", ()):
                roles[logical] += policy["PolicyDocument"]["Statement"]
        elif kind == "AWS::IAM::Policy":
            for role in properties["Roles"]:
                roles[names[role]] += properties["PolicyDocument"]["Statement"]
        elif kind == "AWS::KMS::Key":
            policies[_arn(logical, kind)] = properties["KeyPolicy"]
        elif kind in RESOURCE_POLICIES:
            place = properties[RESOURCE_POLICIES[kind]]
            for target in [place] if isinstance(place, str) else place:
                policies[_policy_arn(kind, target)] = properties["PolicyDocument"]
    return Policies(roles, policies, types)


def _policy_arn(kind: str, target: str) -> str:
    if kind == "AWS::S3::BucketPolicy":
        return f"{ARNS['AWS::S3::Bucket']}{target}"
    if kind == "AWS::SQS::QueuePolicy":
        return f"{ARNS['AWS::SQS::Queue']}{target.rpartition('/')[2]}"
    return target


def _arn(logical_id: str, kind: str) -> str:
    return f"{ARNS[kind]}{name_of(logical_id)}"


def _filled(value: Any, types: Mapping[str, str]) -> Any:
    """Return a value with every ``<LogicalId>`` and ``<LogicalId.Attribute>`` replaced."""
    if isinstance(value, dict):
        return {key: _filled(inner, types) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, types) for inner in value]
    if not isinstance(value, str):
        return value
    return re.sub(r"<(\w+)(?:\.(\w+))?>(?:\[(\d)\])?", lambda found: _reference(found, types), value)


def _reference(found: re.Match[str], types: Mapping[str, str]) -> str:
    """Return the name or ARN of a reference, or the part of it that the template selects."""
    logical, attribute, part = found.groups()
    kind = types.get(logical, "")
    named = name_of(logical)
    if kind in ARNS and (attribute == "Arn" or (attribute is None and kind in REF_IS_ARN)):
        named = _arn(logical, kind) + (":*" if kind == "AWS::Logs::LogGroup" else "")
    return named.split(":")[int(part)] if part else named
