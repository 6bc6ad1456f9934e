"""What would never fire: buckets, prefixes, regions and policies between the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Environment, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from pipeline_stacks import REQUIRED, Synthesised, new_stack, warnings

from cdk_amazon_estimators import (
    AlarmTrigger,
    PipelineError,
    TrainingPipeline,
    UploadTrigger,
    new_data_bucket,
    new_model_bucket,
)
from cdk_amazon_estimators.pipeline_checks import OUTSIDE_CHANNELS
from cdk_amazon_estimators.storage.bucket_events import UNKNOWN
from cdk_amazon_estimators.storage.given_buckets import KEY_UNKNOWN, NOT_VERSIONED


def event_configurations(pipeline: Synthesised) -> list[Any]:
    """EventBridge in the configuration of each custom resource, which replaces the bucket's."""
    resources = pipeline.of_type("Custom::S3BucketNotifications").values()
    return [one["NotificationConfiguration"].get("EventBridgeConfiguration") for one in resources]


def test_a_notification_of_one_s_own_leaves_the_events_on() -> None:
    stack = new_stack()
    pipeline = TrainingPipeline(stack, "Digits", **REQUIRED)
    queue = sqs.Queue(stack, "Queue")
    pipeline.data_bucket.add_event_notification(
        s3.EventType.OBJECT_CREATED,
        notifications.SqsDestination(queue),
        s3.NotificationKeyFilter(prefix="a/"),
    )
    synthesised = Synthesised(stack, pipeline)
    assert event_configurations(synthesised) == [{}]
    (resource,) = synthesised.of_type("Custom::S3BucketNotifications").values()
    (listed,) = resource["NotificationConfiguration"]["QueueConfigurations"]
    assert listed["Filter"]["Key"]["FilterRules"] == [{"Name": "prefix", "Value": "a/"}]


def test_so_does_one_that_is_added_before_the_pipeline_or_by_another_method() -> None:
    stack = new_stack()
    bucket = new_data_bucket(stack, "Data")
    bucket.add_object_removed_notification(notifications.SqsDestination(sqs.Queue(stack, "Queue")))
    pipeline = TrainingPipeline(stack, "Digits", **REQUIRED, data_bucket=bucket)
    assert event_configurations(Synthesised(stack, pipeline)) == [{}]


def test_a_bucket_of_the_app_is_made_to_send_its_events() -> None:
    stack = new_stack()
    bucket = s3.Bucket(stack, "Mine", versioned=True)
    pipeline = TrainingPipeline(stack, "Digits", **REQUIRED, data_bucket=bucket)
    assert event_configurations(Synthesised(stack, pipeline)) == [{}]


def test_nothing_is_switched_on_that_no_trigger_needs() -> None:
    stack = new_stack()
    bucket = s3.Bucket(stack, "Mine", versioned=True)
    pipeline = TrainingPipeline(stack, "Digits", **REQUIRED, data_bucket=bucket, triggers=[])
    assert event_configurations(Synthesised(stack, pipeline)) == []


@pytest.mark.parametrize("switched_on", [False, True])
def test_of_an_imported_bucket_the_synth_warns_unless_the_app_switches_it_on(switched_on: bool) -> None:
    stack = new_stack()
    bucket = s3.Bucket.from_bucket_name(stack, "Mine", "mine")
    if switched_on:
        bucket.enable_event_bridge_notification()
    TrainingPipeline(stack, "Digits", **REQUIRED, data_bucket=bucket)
    told = warnings(stack, UNKNOWN)
    assert len(told) == (0 if switched_on else 1)
    assert all("data_bucket mine is imported" in one for one in told)


def imported(stack: Stack) -> s3.IBucket:
    return s3.Bucket.from_bucket_name(stack, "Given", "mine")


def with_key(stack: Stack) -> s3.IBucket:
    key = kms.Key(stack, "BucketKey")
    return s3.Bucket.from_bucket_attributes(stack, "Given", bucket_name="mine", encryption_key=key)


def of_template(status: str | None) -> Callable[[Stack], s3.IBucket]:
    def make(stack: Stack) -> s3.IBucket:
        versions = s3.CfnBucket.VersioningConfigurationProperty(status=status) if status else None
        resource = s3.CfnBucket(stack, "Given", versioning_configuration=versions)
        return s3.Bucket.from_cfn_bucket(resource)

    return make


GIVEN: dict[str, tuple[Callable[[Stack], s3.IBucket], bool, bool]] = {
    # the bucket, whether its key is unknown, whether it is not known to be versioned
    "imported": (imported, True, True),
    "imported with its key": (with_key, False, True),
    "of the app": (lambda stack: s3.Bucket(stack, "Given"), False, True),
    "versioned": (lambda stack: s3.Bucket(stack, "Given", versioned=True), False, False),
    "locked": (lambda stack: s3.Bucket(stack, "Given", object_lock_enabled=True), False, False),
    "of a template": (of_template(None), False, True),
    "of a template, suspended": (of_template("Suspended"), False, True),
    "of a template, versioned": (of_template("Enabled"), False, False),
    "the library's": (lambda stack: new_data_bucket(stack, "Given"), False, False),
}


@pytest.mark.parametrize("case", GIVEN)
def test_what_a_bucket_does_not_tell_is_warned_of(case: str) -> None:
    make, no_key, no_versions = GIVEN[case]
    stack = new_stack()
    TrainingPipeline(stack, "Digits", **REQUIRED, data_bucket=make(stack))
    assert len(warnings(stack, KEY_UNKNOWN)) == no_key
    assert len(warnings(stack, NOT_VERSIONED)) == no_versions


@pytest.mark.parametrize("case", GIVEN)
def test_of_a_model_bucket_the_key_alone_matters(case: str) -> None:
    make, no_key, _ = GIVEN[case]
    stack = new_stack()
    TrainingPipeline(stack, "Digits", **REQUIRED, model_bucket=make(stack))
    assert len(warnings(stack, KEY_UNKNOWN)) == no_key
    assert warnings(stack, NOT_VERSIONED) == []


def test_the_key_of_an_imported_bucket_may_be_told_by_the_pipeline() -> None:
    stack = new_stack()
    key = kms.Key(stack, "Key")
    pipeline = TrainingPipeline(stack, "Digits", **REQUIRED, data_bucket=imported(stack), encryption_key=key)
    assert warnings(stack, KEY_UNKNOWN) == []
    statements = Synthesised(stack, pipeline).statements("RecordSetEncoderPlanRole")
    decrypts = [one for one in statements if "kms:Decrypt" in one["Action"]]
    assert [one["Resource"] for one in decrypts] == ["<Key961B73FD.Arn>"]


@pytest.mark.parametrize(
    ("trigger", "told"),
    [
        (UploadTrigger(marker="_SUCCESS", prefix="control/"), 1),
        (UploadTrigger(marker="_SUCCESS", prefix="input/"), 0),
        (UploadTrigger(marker="_SUCCESS", prefix="input/train/2026/"), 0),
        (UploadTrigger(marker="_SUCCESS"), 0),
    ],
)
def test_a_trigger_outside_the_channels_is_warned_of(trigger: UploadTrigger, told: int) -> None:
    stack = new_stack()
    TrainingPipeline(stack, "Digits", **REQUIRED, triggers=[trigger])
    assert len(warnings(stack, OUTSIDE_CHANNELS)) == told


ARN = "arn:aws:cloudwatch:{}:111122223333:alarm:drift"


def key_of(stack: Stack, region: str) -> kms.IKey:
    name = "11111111-2222-3333-4444-555555555555"
    return kms.Key.from_key_arn(stack, "K", f"arn:aws:kms:{region}:111122223333:key/{name}")


ELSEWHERE: dict[str, Callable[[Stack, str], dict[str, Any]]] = {
    "data_bucket": lambda stack, region: {
        "data_bucket": s3.Bucket.from_bucket_attributes(stack, "B", bucket_name="mine", region=region)
    },
    "model_bucket": lambda stack, region: {
        "model_bucket": s3.Bucket.from_bucket_attributes(stack, "B", bucket_name="mine", region=region)
    },
    "alarm": lambda stack, region: {
        "triggers": [AlarmTrigger(cloudwatch.Alarm.from_alarm_arn(stack, "A", ARN.format(region)))]
    },
    "encryption_key": lambda stack, region: {"encryption_key": key_of(stack, region)},
    "service_encryption_key": lambda stack, region: {"service_encryption_key": key_of(stack, region)},
    "notification_topic": lambda stack, region: {
        "notification_topic": sns.Topic.from_topic_arn(stack, "T", f"arn:aws:sns:{region}:111122223333:t")
    },
}


@pytest.mark.parametrize("what", ELSEWHERE)
@pytest.mark.parametrize("region", ["eu-west-1", "us-west-2"])
def test_another_region_is_refused(what: str, region: str) -> None:
    stack = new_stack(region="eu-west-1")
    props = ELSEWHERE[what](stack, region)
    if region == "eu-west-1":
        TrainingPipeline(stack, "Digits", **REQUIRED, **props)
        return
    with pytest.raises(
        PipelineError, match="is in us-west-2, the pipeline in eu-west-1; allowed: one region"
    ):
        TrainingPipeline(stack, "Digits", **REQUIRED, **props)


def test_so_is_the_bucket_of_a_stack_of_another_region() -> None:
    app = App()
    other = Stack(app, "Other", env=Environment(account="111122223333", region="us-west-2"))
    mine = Stack(app, "Mine", env=Environment(account="111122223333", region="eu-west-1"))
    bucket = s3.Bucket(other, "Data", bucket_name="of-another-region")
    with pytest.raises(PipelineError, match="data_bucket Other/Data is in us-west-2"):
        TrainingPipeline(mine, "Digits", **REQUIRED, data_bucket=bucket)


@pytest.mark.parametrize("policy", [RemovalPolicy.RETAIN, RemovalPolicy.DESTROY])
def test_the_policy_that_demands_tls_goes_with_its_bucket(policy: RemovalPolicy) -> None:
    stack = new_stack()
    new_model_bucket(stack, "Models", removal_policy=policy)
    kept = {one["Type"]: one["DeletionPolicy"] for one in Synthesised(stack).resources.values()}
    expected = "Retain" if policy == RemovalPolicy.RETAIN else "Delete"
    assert kept == {"AWS::S3::Bucket": expected, "AWS::S3::BucketPolicy": expected}
