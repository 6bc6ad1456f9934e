"""A prop of a wrong type is a problem like any other: path, value, what is allowed, all at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, RemovalPolicy, Size, Stack
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct
from pipeline_stacks import OTHER_VALUES, REQUIRED, new_stack

from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    AlarmTrigger,
    PipelineError,
    RecordSetEncoder,
    ScheduleTrigger,
    TrainingPipeline,
    TrainingStarter,
    UploadTrigger,
)
from cdk_amazon_estimators.props.prop_types import PROP_TYPES, known

RIGHT: dict[str, Callable[[Stack], Any]] = {
    **OTHER_VALUES,
    "instance_type": lambda stack: "ml.m5.large",
    "encoder": lambda stack: RecordSetEncoder(stack, "Encoder"),
}
WRONG: list[tuple[str, Any, str]] = [
    ("instance_type", 5, "is 5; allowed: a str, such as 'ml.m5.large', or a list of 1 to 5"),
    ("instance_type", ["ml.m5.large", 5], "is ['ml.m5.large', 5]; allowed: a str"),
    ("instance_count", "2", "is '2'; allowed: an int, such as 2"),
    ("instance_count", 2.0, "is 2.0"),
    ("instance_count", True, "is True"),
    ("instance_count", None, "is None"),
    ("channels", ["train"], "is ['train']; allowed: Sources by channel"),
    ("channels", {"train": "input/"}, "is {'train': 'input/'}"),
    ("channels", {0: Source()}, "allowed: Sources by channel, such as {'train': Source(label=0)}"),
    ("distributions", "FullyReplicated", "is 'FullyReplicated'; allowed: distributions by channel"),
    ("prefix", None, "is None; allowed: a str, such as 'digits/'"),
    ("prefix", 5, "is 5"),
    ("data_bucket", "my-bucket", "is 'my-bucket'; allowed: a bucket"),
    ("model_bucket", "s3://my-bucket", "allowed: a bucket, such as new_model_bucket(self, 'Models')"),
    ("encryption_key", "alias/mine", "is 'alias/mine'; allowed: a KMS key"),
    ("removal_policy", "destroy", "is 'destroy'; allowed: a RemovalPolicy"),
    ("auto_delete_objects", "yes", "is 'yes'; allowed: True or False"),
    ("encoder", RecordSetEncoder, "is a JSIIMeta; allowed: a RecordSetEncoder"),
    ("target_shard_size", 256, "is 256; allowed: a Size, such as Size.mebibytes(256)"),
    ("max_concurrency", "100", "is '100'; allowed: an int"),
    ("record_set_expiration", 90, "is 90; allowed: a Duration of whole days, such as Duration.days(90)"),
    ("record_set_expiration", Duration.hours(36), "allowed: a Duration of whole days"),
    ("record_set_expiration", Duration.millis(500), "allowed: a Duration of whole days"),
    ("training_role", "arn:aws:iam::111122223333:role/mine", "allowed: a role, such as"),
    ("volume_size", 30, "is 30; allowed: a Size of whole GiB, such as Size.gibibytes(30)"),
    ("volume_size", Size.mebibytes(1500), "is 1.46 GiB; allowed: a Size of whole GiB"),
    ("max_runtime", 60, "is 60; allowed: a Duration of whole seconds, such as Duration.hours(1)"),
    ("max_runtime", Size.gibibytes(1), "is 1 GiB; allowed: a Duration"),
    ("max_runtime", Duration.millis(1500), "allowed: a Duration of whole seconds"),
    ("spot_max_wait", 60.5, "is 60.5; allowed: a Duration"),
    ("keep_alive", "10m", "is '10m'; allowed: a Duration"),
    ("max_retry_attempts", "2", "is '2'; allowed: an int"),
    ("capacity_wait", 3600, "is 3600; allowed: a Duration"),
    ("timeout", "2d", "is '2d'; allowed: a Duration"),
    ("vpc", "vpc-0123456789abcdef0", "allowed: a VPC, such as ec2.Vpc.from_lookup"),
    ("subnets", ["subnet-1"], "is ['subnet-1']; allowed: a SubnetSelection"),
    ("security_groups", ["sg-1"], "is ['sg-1']; allowed: a list of security groups"),
    ("security_groups", "sg-1", "is 'sg-1'"),
    ("encrypt_inter_container_traffic", 1, "is 1; allowed: True or False"),
    ("enable_network_isolation", None, "is None; allowed: True or False"),
    ("triggers", UploadTrigger(marker="_SUCCESS"), "is a UploadTrigger; allowed: a list of triggers"),
    ("triggers", ["_SUCCESS"], "is ['_SUCCESS']"),
    ("max_concurrent_trainings", "1", "is '1'; allowed: an int"),
    ("monitoring", True, "is True; allowed: a Monitoring, such as Monitoring(alarm_topic=topic)"),
    ("notification_topic", "arn:aws:sns:eu-west-1:111122223333:mine", "allowed: a topic"),
    ("log_retention", 90, "is 90; allowed: a RetentionDays"),
    ("input_version_expiration", 60, "is 60; allowed: a Duration of whole days, such as Duration.days(90)"),
    ("training_image", 5, "is 5; allowed: an image in ECR, such as"),
    ("service_encryption_key", "alias/mine", "is 'alias/mine'; allowed: a KMS key"),
    ("encryption_headers", "yes", "is 'yes'; allowed: True or False"),
    ("tuning", "test:msd", "is 'test:msd'; allowed: a Tuning, such as Tuning(objective='test:msd')"),
    ("gate", 0.8, "is 0.8; allowed: a Gate, such as Gate(metric='test:msd')"),
    ("registration", True, "is True; allowed: a Registration, such as"),
    ("prices", {"ml.m5.large": 0.1}, "allowed: the path of a file of prices, such as 'prices.json'"),
    ("max_cost_per_training", "5 USD", "is '5 USD'; allowed: a number, such as 5.0"),
    ("tags", ["team"], "is ['team']; allowed: texts by name, such as {'team': 'forecast'}"),
    ("tags", {"team": 5}, "is {'team': 5}; allowed: texts by name"),
]
PROPS = inspect.signature(TrainingPipeline.__init__).parameters


def test_every_prop_has_a_type_and_a_wrong_value_here() -> None:
    props = {name for name, one in PROPS.items() if one.kind is inspect.Parameter.KEYWORD_ONLY}
    assert props - set(PROP_TYPES) == {"algorithm"}  # nothing can be checked without one
    assert {name for name, _, _ in WRONG} == props - {"algorithm"} == set(RIGHT)


@pytest.mark.parametrize(
    ("prop", "value", "text"),
    WRONG,
    ids=[f"{at}-{one[0]}-{type(one[1]).__name__}" for at, one in enumerate(WRONG)],
)
def test_truth_table(prop: str, value: Any, text: str) -> None:
    with pytest.raises(PipelineError) as raised:
        TrainingPipeline(new_stack(), "Digits", **{**REQUIRED, prop: value})
    said = [line for line in str(raised.value).splitlines() if f"Stack/Digits: {prop} is " in line]
    assert len(said) == 1, raised.value
    assert text in said[0]


@pytest.mark.parametrize("prop", sorted(RIGHT))
def test_a_right_value_is_of_its_type(prop: str) -> None:
    value = RIGHT[prop](new_stack())
    assert known(prop, value) is value


def test_all_wrong_types_are_told_at_once_and_with_all_wrong_values() -> None:
    wrong = {prop: value for prop, value, _ in WRONG}
    others = {"max_concurrency": 0, "prefix": "x", "removal_policy": RemovalPolicy.DESTROY}
    with pytest.raises(PipelineError) as raised:
        TrainingPipeline(new_stack(), "Digits", **{**REQUIRED, **wrong, **others})
    said = str(raised.value)
    for prop in set(wrong) - set(others):
        assert f"Stack/Digits: {prop} is " in said, prop
    assert "max_concurrency is 0; allowed: 1 to 10,000" in said
    assert "prefix is 'x'; allowed: empty, or folders" in said


def test_a_wrong_type_hides_no_wrong_value_of_its_neighbours() -> None:
    given = {"max_runtime": 60, "keep_alive": Duration.hours(7), "volume_size": Size.tebibytes(17)}
    with pytest.raises(PipelineError) as raised:
        TrainingPipeline(new_stack(), "Digits", **{**REQUIRED, **given})
    assert len(str(raised.value).splitlines()) == len(given)


def test_tokens_are_of_any_type() -> None:
    stack = new_stack()
    number = CfnParameter(stack, "Number", type="Number", default=1).value_as_number
    for prop in ("instance_count", "max_concurrency", "max_retry_attempts"):
        assert known(prop, number) is None
    props: dict[str, Any] = {
        "instance_count": number,
        "max_runtime": Duration.seconds(number),
        "volume_size": Size.gibibytes(number),
    }
    TrainingPipeline(stack, "Digits", **{**REQUIRED, **props})


RATE = scheduler.ScheduleExpression.rate(Duration.days(1))


@pytest.mark.parametrize(
    ("trigger", "text"),
    [
        (lambda: UploadTrigger(quiet_period=300), "UploadTrigger.quiet_period is 300; allowed: a Duration"),
        (
            lambda: UploadTrigger(marker=5),  # type: ignore[arg-type]
            "UploadTrigger.marker is 5; allowed: a str, such as '_SUCCESS'",
        ),
        (
            lambda: UploadTrigger(marker="_A", prefix=5),  # type: ignore[arg-type]
            "UploadTrigger.prefix is 5; allowed: a str",
        ),
        (lambda: ScheduleTrigger(schedule="rate(1 day)"), "ScheduleTrigger.schedule is 'rate(1 day)'"),
        (lambda: ScheduleTrigger(schedule=RATE, time_zone="UTC"), "ScheduleTrigger.time_zone is 'UTC'"),
        (lambda: ScheduleTrigger(schedule=RATE, flexible_window=15), "ScheduleTrigger.flexible_window is 15"),
        (
            lambda: ScheduleTrigger(schedule=RATE, retrain_unchanged="no"),  # type: ignore[arg-type]
            "ScheduleTrigger.retrain_unchanged is 'no'; allowed: True or False",
        ),
        (lambda: AlarmTrigger("drift"), "AlarmTrigger.alarm is 'drift'; allowed: an alarm"),
        (lambda: AlarmTrigger(None, cool_down=6), "AlarmTrigger.cool_down is 6; allowed: a Duration"),
    ],
)
def test_triggers(trigger: Callable[[], Any], text: str) -> None:
    with pytest.raises(PipelineError) as raised:
        TrainingPipeline(new_stack(), "Digits", **REQUIRED, triggers=[trigger()])
    assert f"Stack/Digits: {text}" in str(raised.value)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"max_concurrent": "1"}, "max_concurrent is '1'; allowed: an int"),
        ({"max_attempts": 2.5}, "max_attempts is 2.5; allowed: an int"),
        ({"retry_delay": 15}, "retry_delay is 15; allowed: a Duration"),
    ],
)
def test_starters(given: dict[str, Any], text: str) -> None:
    made = TrainingPipeline(new_stack(), "Digits", **REQUIRED, triggers=[])
    parts: dict[str, Any] = {
        "state_machine": made.state_machine,
        "pipeline": "digits",
        "layout": made.layout,
        "encoder": made.encoder,
    }
    with pytest.raises(PipelineError) as raised:
        TrainingStarter(made, "Mine", **parts, **given)
    assert str(raised.value) == f"Stack/Digits/Mine: {text}" + str(raised.value).partition(text)[2]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"bundle": "arm64"}, "bundle is 'arm64'; allowed: a LambdaBundle, such as LambdaBundle(platform="),
        ({"encode_memory": 1769}, "encode_memory is 1769; allowed: a Size, such as Size.mebibytes(1769)"),
        ({"encode_memory": Size.mebibytes(256)}, "encode_memory is 256 MiB; allowed: whole MiB, 512 MiB to"),
        ({"encode_memory": Size.gibibytes(11)}, "encode_memory is 11 GiB; allowed: whole MiB, 512 MiB to"),
        ({"encode_memory": Size.kibibytes(2**20 + 1)}, "; allowed: whole MiB, 512 MiB to 10 GiB"),
        ({"encode_timeout": 900}, "encode_timeout is 900; allowed: a Duration of whole seconds"),
        ({"encode_timeout": Duration.minutes(16)}, "allowed: 1 second to 15 minutes. What takes longer"),
        ({"encode_timeout": Duration.seconds(0)}, "allowed: 1 second to 15 minutes"),
        ({"log_retention": 7}, "log_retention is 7; allowed: a RetentionDays"),
    ],
)
def test_encoders(given: dict[str, Any], text: str) -> None:
    with pytest.raises(PipelineError) as raised:
        RecordSetEncoder(new_stack(), "Encoder", **given)
    (said,) = str(raised.value).splitlines()
    assert said.startswith("Stack/Encoder: ")
    assert text in said


def test_all_of_an_encoders_wrong_props_are_told_at_once() -> None:
    with pytest.raises(PipelineError) as raised:
        RecordSetEncoder(new_stack(), "Encoder", encode_memory=1, encode_timeout=2, log_retention=None)
    assert len(str(raised.value).splitlines()) == 3


def test_a_subclass_hands_its_props_on() -> None:
    class Mine(TrainingPipeline):
        def __init__(self, scope: Construct, construct_id: str, **props: Any) -> None:
            super().__init__(scope, construct_id, **props)

    assert Mine(new_stack(), "Digits", **REQUIRED).starter is not None
