"""Triggers at synth: what is refused and why, and the rules, queues and permissions that come of the rest."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack, TimeZone
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_scheduler as scheduler
from aws_cdk.assertions import Match, Template
from starter_world import World

from amazon_estimators.algorithms import KMeans
from cdk_amazon_estimators import (
    AlarmTrigger,
    PipelineError,
    ScheduleTrigger,
    TrainingPipeline,
    TrainingStarter,
    UploadTrigger,
)


def stack() -> Stack:
    return Stack(App(context={"aws:cdk:bundling-stacks": []}), "Stack")


def pipeline(*triggers: Any, scope: Stack | None = None, **props: Any) -> TrainingPipeline:
    required: dict[str, Any] = {"algorithm": KMeans(k=2), "instance_type": "ml.m5.large", "prefix": "digits/"}
    return TrainingPipeline(scope or stack(), "Digits", **{**required, "triggers": triggers, **props})


def every(scope: Stack) -> list[Any]:
    arn = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:drift"
    return [
        UploadTrigger(marker="_SUCCESS"),
        UploadTrigger(quiet_period=Duration.minutes(5), prefix="digits/input/"),
        ScheduleTrigger(
            schedule=scheduler.ScheduleExpression.cron(hour="3", minute="0"), time_zone=TimeZone.EUROPE_BERLIN
        ),
        AlarmTrigger(cloudwatch.Alarm.from_alarm_arn(scope, "Drift", arn), cool_down=Duration.hours(6)),
    ]


@pytest.fixture(scope="module")
def template() -> Template:
    scope = stack()
    pipeline(*every(scope), scope=scope)
    return Template.from_stack(scope)


MINUTE = Duration.minutes(1)
RATE = scheduler.ScheduleExpression.rate(Duration.days(1))
REFUSED: list[tuple[Any, str]] = [
    (UploadTrigger(), "one of marker and quiet_period"),
    (UploadTrigger(marker="_SUCCESS", quiet_period=MINUTE), "one of marker and quiet_period"),
    (UploadTrigger(marker="done.csv"), "such as '_SUCCESS'"),
    (UploadTrigger(marker="a/_SUCCESS"), "without '/'"),
    (UploadTrigger(quiet_period=Duration.days(2)), "1 second to 1 day"),
    (UploadTrigger(quiet_period=MINUTE, prefix=""), "start it endlessly"),
    (UploadTrigger(quiet_period=MINUTE, prefix="digits/"), "start it endlessly"),
    (UploadTrigger(quiet_period=MINUTE, prefix="digits/datasets/x/"), "start it endlessly"),
    (UploadTrigger(marker="_SUCCESS", prefix="digits/recordsets/"), "start it endlessly"),
    (ScheduleTrigger(schedule=RATE, flexible_window=Duration.seconds(5)), "1 minute to 1 day"),
]


@pytest.mark.parametrize(("trigger", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_cannot_work_is_refused_with_the_way_out(trigger: Any, words: str) -> None:
    with pytest.raises(PipelineError, match="Stack/Digits") as refused:
        pipeline(trigger)
    assert words in str(refused.value)


def test_less_than_one_training_at_a_time_is_refused() -> None:
    with pytest.raises(PipelineError, match="max_concurrent_trainings is 0; allowed: 1 or more"):
        pipeline(max_concurrent_trainings=0)


def test_without_triggers_there_is_no_queue_and_no_rule() -> None:
    made = pipeline()
    assert made.starter is None
    found = Template.from_stack(Stack.of(made))
    for kind in ("AWS::SQS::Queue", "AWS::Events::Rule", "AWS::CloudWatch::Alarm"):
        found.resource_count_is(kind, 0)


def test_events_reach_the_queue_in_one_group_and_none_is_lost_on_the_way(template: Template) -> None:
    rules = template.find_resources("AWS::Events::Rule").values()
    assert len(rules) == 7
    for rule in rules:
        (target,) = rule["Properties"]["Targets"]
        assert target["SqsParameters"] == {"MessageGroupId": "starter"}
        assert "DeadLetterConfig" in target
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


def test_a_marker_counts_in_the_channel_and_below_it(template: Template) -> None:
    keys = ["digits/input/train/_SUCCESS", {"wildcard": "digits/input/train/*/_SUCCESS"}]
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": Match.object_like({"object": {"key": keys}}),
    }
    template.has_resource_properties("AWS::Events::Rule", {"EventPattern": pattern})


def test_after_a_deployment_the_starter_looks_where_each_trigger_listens(
    template: Template,
) -> None:
    rules = [
        rule["Properties"]
        for rule in template.find_resources("AWS::Events::Rule").values()
        if rule["Properties"]["EventPattern"]["source"] == ["aws.cloudformation"]
    ]
    found = []
    for rule in rules:
        detail = rule["EventPattern"]["detail"]
        assert detail["status-details"] == {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]}
        assert detail["stack-id"][0] == {"Ref": "AWS::StackId"}
        (target,) = rule["Targets"]
        text = re.sub(r"<[\w-]+>", '"e"', target["InputTransformer"]["InputTemplate"])
        message = json.loads(text.replace('""e""', '"e"'))
        found.append((message.get("marker"), message.get("quiet_seconds"), message["prefixes"]))
        world = World()
        world.handle(message)
        ((_, missed),) = world.schedules.pending.values()
        world.handle(missed)
    assert sorted(found, key=str) == [
        ("_SUCCESS", None, ["digits/input/train/"]),
        (None, 300, ["digits/input/"]),
    ]


def test_only_this_alarm_entering_alarm_counts(template: Template) -> None:
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "resources": ["arn:aws:cloudwatch:eu-west-1:111122223333:alarm:drift"],
        "detail": {"state": {"value": ["ALARM"]}},
    }
    template.has_resource_properties("AWS::Events::Rule", {"EventPattern": pattern})


def test_the_schedule_is_read_in_its_time_zone_with_a_window(template: Template) -> None:
    (schedule,) = template.find_resources("AWS::Scheduler::Schedule").values()
    properties = schedule["Properties"]
    assert properties["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert properties["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert properties["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    assert json.loads(properties["Target"]["Input"]) == {
        "trigger": "schedule",
        "time": "<aws.scheduler.scheduled-time>",
        "retrain_unchanged": False,
    }


def test_the_starter_may_do_nothing_to_everything(template: Template) -> None:
    policies = template.find_resources("AWS::IAM::Policy")
    (document,) = [
        one["Properties"]["PolicyDocument"] for name, one in policies.items() if "StarterStarterRole" in name
    ]
    actions = set()
    for statement in document["Statement"]:
        assert statement["Resource"] != "*"
        actions |= set(
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
    assert not [action for action in actions if action.endswith("*")]
    assert "s3:DeleteObject" not in actions
    assert "s3:GetObjectVersion" not in actions


def test_messages_are_handled_one_at_a_time(template: Template) -> None:
    """Of a batch, those behind one that fails would be received without being tried."""
    (mapping,) = template.find_resources("AWS::Lambda::EventSourceMapping").values()
    assert mapping["Properties"]["BatchSize"] == 1
    assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_uploads_of_one_second_are_one_message_and_everything_else_is_told_apart(template: Template) -> None:
    """The queue drops an equal body for five minutes."""
    bodies = [
        target["InputTransformer"]["InputTemplate"]
        for rule in template.find_resources("AWS::Events::Rule").values()
        for target in rule["Properties"]["Targets"]
        if "InputTransformer" in target
    ]
    kinds = {"upload": False, "marker": True, "alarm": True, "ended": True}
    for kind, is_unique in kinds.items():
        found = [str(body) for body in bodies if f'"trigger":"{kind}"' in str(body)]
        assert found
        assert all(('"event":<id>' in body) == is_unique for body in found), found


QUEUES = {
    "DigitsStarterQueuesDeadLetters42F23A99",
    "DigitsStarterQueuesQueue9B892686",
    "DigitsStarterQueuesUndelivered4B0B8A04",
}
"""Another logical id is another queue: a deployed stack would lose the letters in the one it has."""


def test_ids_of_queues_are_a_contract(template: Template) -> None:
    assert set(template.find_resources("AWS::SQS::Queue")) == QUEUES


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"max_attempts": 0}, "max_attempts is 0; allowed: 1 to 10"),
        ({"max_attempts": 11}, "max_attempts is 11"),
        ({"max_concurrent": 0}, "max_concurrent is 0"),
        ({"retry_delay": Duration.seconds(0)}, "retry_delay is 0 seconds"),
        ({"retry_delay": Duration.hours(3)}, "grows to 43,200 seconds in 3 attempts"),
    ],
)
def test_starters_that_would_lose_or_hold_up_messages(given: dict[str, Any], text: str) -> None:
    made = pipeline()
    with pytest.raises(PipelineError, match=text):
        TrainingStarter(
            made,
            "Second",
            state_machine=made.state_machine,
            pipeline="second",
            layout=made.layout,
            encoder=made.encoder,
            **given,
        )


def test_a_marker_is_a_name_and_no_pattern() -> None:
    with pytest.raises(PipelineError, match=r"marker='_\*'"):
        pipeline(UploadTrigger(marker="_*"))
