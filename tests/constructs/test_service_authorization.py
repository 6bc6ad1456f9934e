"""Every statement of a policy against the Service Authorization Reference.

The templates of the examples, of app.py and of all ten algorithms are held to it where they are synthesised.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from pipeline_stacks import OTHER_VALUES, REQUIRED, Synthesised, new_stack, with_props
from service_authorization import (
    Statements,
    granted,
    mistakes_of,
    statements_of,
    unasked_conditions,
    unfit_resources,
    unknown_actions,
)
from test_checkov import with_a_topic, with_all_steps

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
def policies() -> Statements:
    return statements_of(organisation())


def test_every_action_exists(policies: Statements) -> None:
    assert len({action for _, action, _ in granted(policies)}) > 60
    assert unknown_actions(policies) == []


def test_every_action_is_allowed_on_a_resource_of_a_kind_it_knows(policies: Statements) -> None:
    assert unfit_resources(policies) == []


def test_every_condition_key_is_one_that_the_action_is_asked_with(policies: Statements) -> None:
    assert unasked_conditions(policies) == []


def test_the_shared_pipelines_too(plain_pipeline: Synthesised, configured_pipeline: Synthesised) -> None:
    assert mistakes_of(plain_pipeline) + mistakes_of(configured_pipeline) == []


@pytest.mark.parametrize("make", [with_all_steps, with_a_topic])
def test_all_steps_after_training_and_a_topic_too(make: Callable[[], Stack]) -> None:
    assert mistakes_of(Synthesised(make())) == []


@pytest.mark.parametrize("prop", ["data_bucket", "model_bucket", "training_role"])
def test_so_does_a_pipeline_in_what_is_there_already(prop: str) -> None:
    assert mistakes_of(with_props(prop)) == []


def test_each_kind_of_mistake_is_found() -> None:
    role = "AWS::IAM::Policy Role"
    wrong: Statements = [
        (role, {"Action": "s3:FetchObject", "Resource": "arn:aws:s3:::b/k"}),
        (role, {"Action": "s3:ListBucket", "Resource": "arn:aws:sqs:eu-west-1:111122223333:queue"}),
        (
            role,
            {"Action": "sqs:SendMessage", "Resource": "*", "Condition": {"StringLike": {"s3:prefix": "a"}}},
        ),
    ]
    assert unknown_actions(wrong) == ["s3:FetchObject"]
    assert [action for _, action, *_ in unfit_resources(wrong)] == ["s3:FetchObject", "s3:ListBucket"]
    assert [key for _, _, key, _ in unasked_conditions(wrong)] == ["s3:prefix"]
