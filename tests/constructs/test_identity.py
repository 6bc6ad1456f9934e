"""Two deployments of one app in one account: what one of them does, the other does not hear, name or stop."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import NestedStack, Stack
from aws_cdk import aws_sns as sns
from pipeline_stacks import REQUIRED, Synthesised, new_app, new_stack

from amazon_estimators.pipeline.event_names import SOURCE
from cdk_amazon_estimators import TrainingPipeline


def deployments(*, nested: bool) -> list[TrainingPipeline]:
    """The pipeline of two apps that differ in the name of the stack alone."""
    pipelines = []
    for name in ("app-dev", "app-prod"):
        stack = Stack(new_app(), "App", stack_name=name)
        scope = NestedStack(stack, "Inner") if nested else stack
        pipelines.append(TrainingPipeline(scope, "Digits", **REQUIRED))
    return pipelines


@pytest.mark.parametrize("nested", [False, True])
def test_they_share_their_path_and_not_their_jobs(nested: bool) -> None:
    dev, prod = deployments(nested=nested)
    assert dev.node.path == prod.node.path
    assert dev.job_name_prefix != prod.job_name_prefix
    assert not dev.job_name_prefix.startswith(prod.job_name_prefix)


def test_two_pipelines_of_one_nested_stack_differ_too() -> None:
    inner = NestedStack(Stack(new_app(), "App"), "Inner")
    prefixes = {TrainingPipeline(inner, name, **REQUIRED).job_name_prefix for name in ("One", "Two")}
    assert len(prefixes) == 2


def rules_on_own_events(pipeline: Synthesised) -> list[dict[str, Any]]:
    patterns = [one["EventPattern"] for one in pipeline.of_type("AWS::Events::Rule").values()]
    return [one for one in patterns if one["source"] == [SOURCE]]


def test_events_are_told_apart_by_the_state_machine_s_arn() -> None:
    stack = Stack(new_app(), "Stack")
    topic = sns.Topic(stack, "Topic")
    pipeline = Synthesised(stack, TrainingPipeline(stack, "Digits", **REQUIRED, notification_topic=topic))
    (machine,) = pipeline.of_type("AWS::StepFunctions::StateMachine")
    rules = rules_on_own_events(pipeline)
    assert len(rules) == 2  # the starter's and the topic's
    assert [rule["detail"] for rule in rules] == [{"state_machine": [f"<{machine}>"]}] * 2


@pytest.mark.parametrize("imported", [False, True])
def test_a_topic_that_cannot_be_given_a_policy_is_published_to_as_a_role(imported: bool) -> None:
    stack = Stack(new_app(), "Stack")
    arn = "arn:aws:sns:eu-west-1:444455556666:theirs"
    topic = sns.Topic.from_topic_arn(stack, "T", arn) if imported else sns.Topic(stack, "T")
    pipeline = Synthesised(stack, TrainingPipeline(stack, "Digits", **REQUIRED, notification_topic=topic))
    (target,) = (
        target
        for rule in pipeline.of_type("AWS::Events::Rule").values()
        for target in rule["Targets"]
        if "sns" in str(target["Arn"]) or target["Arn"].startswith("<T")
    )
    assert ("RoleArn" in target) is imported
    if imported:
        allowed = [
            statement
            for policy in pipeline.of_type("AWS::IAM::Policy").values()
            for statement in policy["PolicyDocument"]["Statement"]
        ]
        assert {"Action": "sns:Publish", "Effect": "Allow", "Resource": arn} in allowed
    else:
        assert len(pipeline.of_type("AWS::SNS::TopicPolicy")) == 1


@pytest.mark.parametrize("account", ["111122223333", "444455556666"])
def test_a_topic_of_any_account_hears_a_stack_whose_account_is_known(account: str) -> None:
    stack = new_stack(region="eu-west-1")
    arn = f"arn:aws:sns:eu-west-1:{account}:theirs"
    topic = sns.Topic.from_topic_arn(stack, "T", arn)
    pipeline = Synthesised(stack, TrainingPipeline(stack, "Digits", **REQUIRED, notification_topic=topic))
    ((name, target),) = (
        (name, target)
        for name, rule in pipeline.of_type("AWS::Events::Rule").items()
        for target in rule["Targets"]
        if target["Arn"] == arn
    )
    assert "RoleArn" in target
    undelivered = target["DeadLetterConfig"]["Arn"]
    allowed = [
        statement
        for policy in pipeline.of_type("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement.get("Condition") == {"ArnEquals": {"aws:SourceArn": f"<{name}.Arn>"}}
    ]
    assert [one["Resource"] for one in allowed] == [undelivered]
