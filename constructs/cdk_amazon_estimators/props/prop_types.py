"""Define the type of every prop, so that a wrong one is noted with the other problems, before jsii sees
it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from aws_cdk import Duration, RemovalPolicy, Size, TimeZone, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler

from amazon_estimators.sources import Source
from cdk_amazon_estimators.assets.lambda_bundle import LambdaBundle
from cdk_amazon_estimators.props.problems import Problems

T = TypeVar("T")


@dataclass(frozen=True)
class PropType:
    """A test for values of the type that are no tokens, and its description with an example."""

    fits: Callable[[object], bool]
    allowed: str


def _instance(kind: type, allowed: str) -> PropType:
    return PropType(lambda value: isinstance(value, kind), allowed)


def _like(attribute: str, allowed: str) -> PropType:
    """Accept any object with ``attribute``: jsii's interfaces are recognised by their members."""
    return PropType(lambda value: hasattr(value, attribute) and not isinstance(value, type), allowed)


def _several(one: Callable[[object], bool], allowed: str) -> PropType:
    return PropType(lambda value: isinstance(value, list | tuple) and all(map(one, value)), allowed)


def _by_channel(kind: type, allowed: str) -> PropType:
    def fits(value: object) -> bool:
        return isinstance(value, Mapping) and all(
            isinstance(key, str) and isinstance(one, kind) for key, one in value.items()
        )

    return PropType(fits, allowed)


def _number(example: int) -> PropType:
    # In Python True is an int, but it is never meant as one.
    return PropType(
        lambda value: isinstance(value, int) and not isinstance(value, bool), f"an int, such as {example}"
    )


def _measure(example: float) -> PropType:
    return PropType(
        lambda value: isinstance(value, int | float) and not isinstance(value, bool),
        f"a number, such as {example}",
    )


def _duration(example: str, *, of: str = "seconds", milliseconds: int = 1000) -> PropType:
    def fits(value: object) -> bool:
        return isinstance(value, Duration) and value.to_milliseconds() % milliseconds == 0

    return PropType(fits, f"a Duration of whole {of}, such as {example}")


def _gibibytes(value: object) -> bool:
    return isinstance(value, Size) and value.to_bytes() % 2**30 == 0


def _numbers_by_name(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(number, int) and not isinstance(number, bool)
        for name, number in value.items()
    )


def _texts_by_name(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(text, str) for name, text in value.items()
    )


def _texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(text, str) for text in value)


FLAG = _instance(bool, "True or False")

PROP_TYPES: Mapping[str, PropType] = {
    "instance_type": PropType(
        lambda value: isinstance(value, str) or _texts(value),
        "a str, such as 'ml.m5.large', or a list of 1 to 5 in order of preference",
    ),
    "instance_count": _number(2),
    "channels": _by_channel(Source, "Sources by channel, such as {'train': Source(label=0)}"),
    "distributions": _by_channel(str, "distributions by channel, such as {'train': 'FullyReplicated'}"),
    "prefix": _instance(str, "a str, such as 'digits/'"),
    "data_bucket": _like("bucket_arn", "a bucket, such as new_data_bucket(self, 'Data')"),
    "model_bucket": _like("bucket_arn", "a bucket, such as new_model_bucket(self, 'Models')"),
    "encryption_key": _like("key_arn", "a KMS key, such as kms.Key(self, 'Key')"),
    "removal_policy": _instance(RemovalPolicy, "a RemovalPolicy, such as RemovalPolicy.DESTROY"),
    "auto_delete_objects": FLAG,
    "encoder": _like("serve", "a RecordSetEncoder, such as RecordSetEncoder(self, 'Encoder')"),
    "target_shard_size": _instance(Size, "a Size, such as Size.mebibytes(256)"),
    "record_set_expiration": _duration("Duration.days(90)", of="days", milliseconds=86_400_000),
    "input_version_expiration": _duration("Duration.days(90)", of="days", milliseconds=86_400_000),
    "training_role": _like("role_arn", "a role, such as iam.Role.from_role_name(self, 'Role', 'mine')"),
    "volume_size": PropType(_gibibytes, "a Size of whole GiB, such as Size.gibibytes(30)"),
    "max_runtime": _duration("Duration.hours(1)"),
    "spot_max_wait": _duration("Duration.hours(1)"),
    "keep_alive": _duration("Duration.minutes(10)"),
    "max_retry_attempts": _number(2),
    "vpc": _like("vpc_id", "a VPC, such as ec2.Vpc.from_lookup(self, 'Vpc', vpc_name='my-vpc')"),
    "subnets": _instance(
        ec2.SubnetSelection,
        "a SubnetSelection, such as ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)",
    ),
    "security_groups": _several(
        lambda value: hasattr(value, "security_group_id"),
        "a list of security groups, such as [ec2.SecurityGroup(self, 'Group', vpc=vpc)]",
    ),
    "encrypt_inter_container_traffic": FLAG,
    "enable_network_isolation": FLAG,
    "triggers": _several(
        lambda value: hasattr(value, "check") and hasattr(value, "bind"),
        "a list of triggers, such as [UploadTrigger(marker='_SUCCESS')]",
    ),
    "capacity_wait": _duration("Duration.hours(1)"),
    "timeout": _duration("Duration.days(2)"),
    "max_concurrent_trainings": _number(1),
    "tags": PropType(_texts_by_name, "texts by name, such as {'team': 'forecast'}"),
    "training_image": _instance(
        str, "an image in ECR, such as '111122223333.dkr.ecr.eu-west-1.amazonaws.com/mirror/kmeans:1'"
    ),
    "prices": _instance(str, "the path of a file of prices, such as 'prices.json'"),
    "max_cost_per_training": _measure(5.0),
    "encryption_headers": FLAG,
    "service_encryption_key": _like("key_arn", "a KMS key, such as kms.Key(self, 'Key')"),
    "notification_topic": _like("topic_arn", "a topic, such as sns.Topic(self, 'Topic')"),
    "monitoring": _like("alarm_topic", "a Monitoring, such as Monitoring(alarm_topic=topic)"),
    "tuning": _like("objective", "a Tuning, such as Tuning(objective='test:msd')"),
    "gate": _like("at_least", "a Gate, such as Gate(metric='test:msd')"),
    "registration": _like("approval", "a Registration, such as Registration(approval=Approval.MANUAL)"),
    # of the steps after training
    "objective": _instance(str, "a str, such as 'test:msd'"),
    "ranges": _instance(Mapping, "ranges by hyperparameter, such as {'epochs': IntegerParameter(1, 10)}"),
    "max_jobs": _number(20),
    "max_parallel_jobs": _number(2),
    "strategy": _instance(str, "a str, such as 'Bayesian'"),
    "early_stopping": FLAG,
    "warm_start": FLAG,
    "target": _measure(0.9),
    "max_jobs_not_improving": _number(5),
    "stop_on_convergence": FLAG,
    "random_seed": _number(1),
    "metric": _instance(str, "a str, such as 'test:msd'"),
    "at_least": _measure(0.8),
    "at_most": _measure(0.2),
    "against_current": FLAG,
    "margin": _measure(0.01),
    "approval": _instance(Enum, "Approval.AUTOMATIC or Approval.MANUAL"),
    "model_package_group": _instance(str, "a str, such as 'churn-models'"),
    # of endpoints
    "model": _like("state_machine", "a TrainingPipeline"),
    "serverless": _like("max_concurrency", "a Serverless, such as Serverless(memory=Size.gibibytes(2))"),
    "multi_model": FLAG,
    "endpoint_name": _instance(str, "a str, such as 'churn'"),
    "traffic": _like("bake", "AllAtOnce(), Canary(percent=10) or Linear(percent=25)"),
    "alarms": _several(
        lambda value: hasattr(value, "alarm_arn"),
        "a list of alarms, such as [Alarm.from_alarm_arn(self, 'Errors', 'arn:…')]",
    ),
    "endpoint": _like("roll_back_on", "a ModelEndpoint with data_capture"),
    "interval": _duration("Duration.hours(1)"),
    "threshold": _number(1),
    "scaling": _like("invocations", "a Scaling, such as Scaling(most=4, invocations=1000)"),
    "least": _number(1),
    "most": _number(4),
    "invocations": _number(1000),
    "scale_in_cooldown": _duration("Duration.minutes(5)"),
    "scale_out_cooldown": _duration("Duration.minutes(5)"),
    "data_capture": _like("percent", "a DataCapture, such as DataCapture(percent=10)"),
    "execution_role": _like("role_arn", "a role, such as iam.Role.from_role_name(self, 'Role', 'mine')"),
    "memory": PropType(_gibibytes, "a Size of whole GiB, such as Size.gibibytes(2)"),
    "max_concurrency": _number(100),
    "provisioned_concurrency": _number(1),
    "percent": _number(10),
    "wait": _duration("Duration.minutes(5)"),
    "bake": _duration("Duration.minutes(5)"),
    # of monitoring
    "alarm_topic": _like("topic_arn", "a topic, such as sns.Topic(self, 'Alarms')"),
    "dashboard": PropType(
        lambda value: isinstance(value, bool) or hasattr(value, "dashboard_name"),
        "True, False or a MonitoringDashboard",
    ),
    "failures": FLAG,
    "dead_letters": FLAG,
    "expected_every": _duration("Duration.days(1)"),
    "monthly_budget": _measure(100.0),
    "endpoint_errors": FLAG,
    "endpoint_latency": _duration("Duration.seconds(1)", of="milliseconds", milliseconds=1),
    "drift": FLAG,
    "dashboard_name": _instance(str, "a str, such as 'models'"),
    "default_interval": _duration("Duration.days(28)"),
    # of predictions
    "engine": _instance(str, "a str, 'transform' or 'numpy'"),
    "source": _instance(Source, "a Source, such as Source(format='csv')"),
    "keep": _several(
        lambda value: isinstance(value, str | int) and not isinstance(value, bool),
        "columns by name or position, such as ['id']",
    ),
    "output_format": _instance(str, "a str, 'csv' or 'jsonlines'"),
    # of budgets
    "amount": _measure(100.0),
    "tag_key": _instance(str, "a str, such as 'team'"),
    "tag_value": _instance(str, "a str, such as 'forecast'"),
    "currency": _instance(str, "a str, such as 'USD'"),
    "emails": PropType(_texts, "a list of addresses, such as ['us@example.com']"),
    "thresholds": _several(_measure(80.0).fits, "a list of percentages, such as [80, 100]"),
    "forecast": FLAG,
    # of the encoder
    "bundle": _instance(LambdaBundle, "a LambdaBundle, such as LambdaBundle(platform='arm64')"),
    "encode_memory": _instance(Size, "a Size, such as Size.mebibytes(1769)"),
    "plan_memory": _instance(Size, "a Size, such as Size.mebibytes(1769)"),
    "reserved_concurrency": PropType(_numbers_by_name, "numbers by function, such as {'Encode': 50}"),
    "tracing": FLAG,
    "encode_timeout": _duration("Duration.minutes(15)"),
    "log_level": _instance(
        lambda_.ApplicationLogLevel, "an ApplicationLogLevel, such as ApplicationLogLevel.DEBUG"
    ),
    "log_retention": _instance(logs.RetentionDays, "a RetentionDays, such as RetentionDays.ONE_MONTH"),
    # of triggers and of their starter
    "marker": _instance(str, "a str, such as '_SUCCESS'"),
    "quiet_period": _duration("Duration.minutes(5)"),
    "schedule": _instance(
        scheduler.ScheduleExpression,
        "a ScheduleExpression, such as ScheduleExpression.rate(Duration.days(1))",
    ),
    "time_zone": _instance(TimeZone, "a TimeZone, such as TimeZone.EUROPE_BERLIN"),
    "flexible_window": _duration("Duration.minutes(15)"),
    "retrain_unchanged": FLAG,
    "alarm": _like("alarm_arn", "an alarm, such as Alarm.from_alarm_arn(self, 'Drift', 'arn:…')"),
    "cool_down": _duration("Duration.hours(1)"),
    "max_concurrent": _number(1),
    "max_attempts": _number(3),
    "retry_delay": _duration("Duration.seconds(15)"),
}
"""The type by name of the prop. A name means the same in every construct."""


def check_types(
    problems: Problems, init: Callable[..., None], given: Mapping[str, object], *, of: str = ""
) -> bool:
    """Note the arguments of a constructor whose type is not that of their prop; return True if all fit.

    Args:
        problems: Where to note them.
        init: The constructor.
        given: Its arguments by name. Tokens are not checked, nor is None if the constructor accepts it.
        of: Text in front of the names, such as ``"UploadTrigger."``. Default: ``""``.
    """
    parameters, all_fit = inspect.signature(init).parameters, True
    for name, value in given.items():
        expected = PROP_TYPES.get(name)
        if expected is None or _is_token(value):
            continue
        is_absent = value is None and "None" in str(parameters[name].annotation)
        fits = is_absent or expected.fits(value)
        if not fits:
            problems.unless(False, f"{of}{name} is {_shown(value)}; allowed: {expected.allowed}")
            all_fit = False
    return all_fit


def known(name: str, value: T | None) -> T | None:
    """Return the value of a prop if it can be checked: not a token, and of the right type."""
    return value if not _is_token(value) and PROP_TYPES[name].fits(value) else None


def known_seconds(name: str, value: Duration | None) -> float | None:
    """Return the seconds of a Duration that can be checked."""
    duration = known(name, value)
    return None if duration is None else duration.to_seconds()


def _is_token(value: object) -> bool:
    if isinstance(value, Duration | Size):
        return bool(value.is_unresolved())
    # Node knows, but every token in a text looks like ${Token[…]}, and most texts hold none.
    may_be = isinstance(value, float) or (isinstance(value, str) and "${" in value)
    return may_be and bool(Token.is_unresolved(value))


def _shown(value: object) -> str:
    """Return the value as text if that reads well, else its type."""
    if isinstance(value, Duration | Size):
        return str(value.to_human_string())
    is_literal = value is None or isinstance(value, str | int | float | list | tuple | dict)
    return repr(value)[:100] if is_literal else f"a {type(value).__name__}"
