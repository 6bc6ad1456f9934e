"""Every statement of a policy against the Service Authorization Reference, as policy_sentry has it.

An action that does not exist, a resource of a kind that the action does not know and a condition key that
it is not asked with are accepted by IAM, and allow nothing.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from aws_cdk import aws_kms as kms
from pipeline_stacks import OTHER_VALUES, REQUIRED, Synthesised, new_stack
from policy_sentry.querying.actions import get_action_data, get_actions_for_service

from cdk_amazon_estimators import (
    AlarmTrigger,
    DataCapture,
    ModelEndpoint,
    RecordSetEncoder,
    Scaling,
    ScheduleTrigger,
    TrainingPipeline,
    UploadTrigger,
)

GLOBAL = re.compile(r"aws:(SourceAccount|SourceArn|SecureTransport|ResourceAccount|PrincipalTag/.*)")
UNLISTED = {"events:source"}
"""Keys that EventBridge documents under another spelling of the table."""


def organisation() -> Synthesised:
    """A pipeline with all that adds statements: triggers of every kind, keys, networks, tracing, a topic."""
    from aws_cdk import Duration
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_scheduler as scheduler

    stack = new_stack(region="eu-west-1")
    vpc = OTHER_VALUES["vpc"](stack)
    encoder = RecordSetEncoder(
        stack, "Encoder", vpc=vpc, tracing=True, encryption_key=kms.Key(stack, "FunctionKey")
    )
    alarm = cloudwatch.Alarm.from_alarm_arn(
        stack, "Alarm", "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:drift"
    )
    keys = ("encryption_key", "service_encryption_key")
    names = (*keys, "notification_topic", "encryption_headers", "tags", "registration")
    pipeline = TrainingPipeline(
        stack,
        "Digits",
        **REQUIRED,
        encoder=encoder,
        vpc=vpc,
        triggers=[
            UploadTrigger(marker="_SUCCESS"),
            ScheduleTrigger(schedule=scheduler.ScheduleExpression.rate(Duration.days(1))),
            AlarmTrigger(alarm),
        ],
        **{name: OTHER_VALUES[name](stack) for name in names},
    )
    ModelEndpoint(
        stack,
        "Online",
        model=pipeline,
        instance_type="ml.m5.large",
        vpc=vpc,
        scaling=Scaling(most=2, invocations=100),
        alarms=[alarm],
        data_capture=DataCapture(),
    )
    return Synthesised(stack, pipeline)


@pytest.fixture(scope="module")
def policies() -> list[tuple[str, dict[str, Any]]]:
    """(where, statement) of all policies of identities, and of queues, topics, buckets and keys."""
    pipeline = organisation()
    found = []
    for name, resource in pipeline.resources.items():
        properties = resource.get("Properties", {})
        for document in ("PolicyDocument", "KeyPolicy"):
            statements = properties.get(document, {}).get("Statement", [])
            found += [(f"{resource['Type']} {name}", statement) for statement in statements]
    return found


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@cache
def reference(action: str) -> tuple[dict[str, Any], ...]:
    """The rows of an action: one for each kind of resource; none if there is no such action."""
    service, _, name = action.partition(":")
    rows = get_action_data(service, name)
    return tuple(rows[service]) if rows else ()


def expanded(action: str) -> list[str]:
    """The actions of a pattern, as AWS has them."""
    if "*" not in action:
        return [action]
    service = action.partition(":")[0]
    known = get_actions_for_service(service)
    return [one for one in known if fnmatch.fnmatchcase(one.lower(), action.lower())]


def granted(policies: list[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for where, statement in policies:
        for pattern in as_list(statement["Action"]):
            if pattern not in ("*", "s3:*", "kms:*", "sqs:*", "sns:*"):
                yield from ((where, action, statement) for action in expanded(pattern) or [pattern])


def test_every_action_exists(policies: list[tuple[str, dict[str, Any]]]) -> None:
    actions = {action for _, action, _ in granted(policies)}
    assert len(actions) > 60
    assert sorted(action for action in actions if not reference(action)) == []


def test_every_action_is_allowed_on_a_resource_of_a_kind_it_knows(
    policies: list[tuple[str, dict[str, Any]]],
) -> None:
    wrong = []
    for where, action, statement in granted(policies):
        if not where.startswith("AWS::IAM"):
            continue  # what a resource's own policy names is the resource
        formats = [row["resource_arn_format"] for row in reference(action)]
        resources = as_list(statement["Resource"])
        if "*" in resources:
            continue
        if not any(fits(resource, arn) for resource in resources for arn in formats):
            wrong.append((where, action, resources, formats))
    assert wrong == []


def fits(resource: str, arn: str) -> bool:
    """If a resource, its references made readable, may be of the kind that an ARN's format describes."""
    if resource.startswith("<"):
        return True  # the ARN of a resource of this stack, which CloudFormation fills in
    plain = re.sub(r"\$\{\w+\}", "\0", arn)
    pattern = re.escape(plain).replace("\0", ".+?")
    # A star at the end may stand for any end of the format, such as log-stream:….
    ends = [plain[place:].replace("\0", "x") for place in range(len(plain)) if plain[place - 1] in ":/"]
    candidates = [resource] + [resource[:-1] + end for end in ends if resource.endswith("*")]
    return any(re.fullmatch(pattern, candidate) for candidate in candidates)


def test_every_condition_key_is_one_that_the_action_is_asked_with(
    policies: list[tuple[str, dict[str, Any]]],
) -> None:
    wrong = []
    for where, action, statement in granted(policies):
        known = {key.lower() for row in reference(action) for key in row["condition_keys"]}
        for keys in statement.get("Condition", {}).values():
            for key in keys:
                wanted = re.sub(r"EncryptionContext:.*", "EncryptionContext:${EncryptionContextKey}", key)
                if GLOBAL.fullmatch(key) or key in UNLISTED or wanted.lower() in known:
                    continue
                wrong.append((where, action, key, sorted(known)))
    assert wrong == []
