"""Nothing configured and everything configured: what is in the template."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from typing import Any

import pytest
from aws_cdk import aws_lambda as lambda_
from pipeline_stacks import OTHER_VALUES, REQUIRED, Synthesised, new_stack, plain, with_props

from cdk_amazon_estimators import RecordSetEncoder, TrainingPipeline, new_data_bucket, new_model_bucket

STATEFUL = {
    "DigitsDataBucket6C5C068C": "AWS::S3::Bucket",
    "DigitsModelBucketD7347822": "AWS::S3::Bucket",
    "DigitsStarterQueuesDeadLetters42F23A99": "AWS::SQS::Queue",
    "DigitsStarterQueuesQueue9B892686": "AWS::SQS::Queue",
    "DigitsStarterQueuesUndelivered4B0B8A04": "AWS::SQS::Queue",
}
"""Another logical id is another resource: a deployed stack would lose the one it has."""

NEEDS = {"subnets": ("vpc",), "security_groups": ("vpc",), "auto_delete_objects": ("removal_policy",)}
PROPS = {"spot_max_wait": ("max_runtime",)}


CORE = {
    "AWS::S3::Bucket": 2,
    "AWS::S3::BucketPolicy": 2,
    "AWS::Lambda::Function": 7,
    "AWS::Lambda::LayerVersion": 1,
    "AWS::IAM::Role": 9,
    "AWS::IAM::Policy": 10,
    "AWS::Logs::LogGroup": 8,
    "AWS::StepFunctions::StateMachine": 1,
}
STARTER = {
    "AWS::CloudWatch::Alarm": 1,
    "AWS::Events::Rule": 4,
    "AWS::IAM::Policy": 2,
    "AWS::IAM::Role": 2,
    "AWS::Lambda::EventSourceMapping": 1,
    "AWS::Lambda::Function": 1,
    "AWS::Logs::LogGroup": 1,
    "AWS::SQS::Queue": 3,
    "AWS::SQS::QueuePolicy": 3,
    "AWS::Scheduler::ScheduleGroup": 1,
}


def test_plain_pipeline_has_these_resources_and_no_custom_resource(plain_pipeline: Synthesised) -> None:
    assert kinds(plain_pipeline) == Counter(CORE) + Counter(STARTER)


def test_without_triggers_nothing_waits_for_any() -> None:
    assert kinds(with_props(triggers=[])) == Counter(CORE)


def kinds(pipeline: Synthesised) -> Counter[str]:
    return Counter(one["Type"] for one in pipeline.resources.values())


def test_ids_of_stateful_resources_are_a_contract(plain_pipeline: Synthesised) -> None:
    found = {
        name: one["Type"]
        for name, one in plain_pipeline.resources.items()
        if one["Type"] in ("AWS::S3::Bucket", "AWS::SQS::Queue")
    }
    assert found == STATEFUL


def test_names_are_generated(plain_pipeline: Synthesised) -> None:
    named = {"BucketName", "FunctionName", "RoleName", "QueueName", "StateMachineName", "AlarmName", "Name"}
    literal = {
        one["Type"]
        for one in plain_pipeline.resources.values()
        for name, value in one.get("Properties", {}).items()
        if name in named and not value.startswith("<")
    }
    # Its schedules are made at run time, by this name.
    assert literal == {"AWS::Scheduler::ScheduleGroup"}


@pytest.mark.parametrize("fixture", ["plain_pipeline", "configured_pipeline"])
def test_buckets_are_encrypted_versioned_private_and_tls_only(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    pipeline: Synthesised = request.getfixturevalue(fixture)
    buckets = pipeline.of_type("AWS::S3::Bucket")
    policies = {one["Bucket"]: one for one in pipeline.of_type("AWS::S3::BucketPolicy").values()}
    for name, bucket in buckets.items():
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        algorithm = rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
        assert algorithm == ("aws:kms" if fixture == "configured_pipeline" else "AES256")
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        stale = bucket["LifecycleConfiguration"]["Rules"][0]
        assert stale["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
        denied = [
            one for one in policies[f"<{name}>"]["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"
        ]
        assert [one["Condition"] for one in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
        assert denied[0]["Action"] == "s3:*"


def test_record_sets_expire_by_option_and_nothing_else_does() -> None:
    def expiring(pipeline: Synthesised) -> list[dict[str, Any]]:
        return [rule for rule in lifecycle_rules(pipeline) if "ExpirationInDays" in rule]

    assert expiring(with_props("prefix")) == []
    (rule,) = expiring(with_props("prefix", "record_set_expiration"))
    assert rule == {
        "Prefix": "digits/recordsets/",
        "ExpirationInDays": 90,
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        "Status": "Enabled",
    }


def lifecycle_rules(pipeline: Synthesised) -> list[dict[str, Any]]:
    buckets = pipeline.of_type("AWS::S3::Bucket").values()
    return [rule for bucket in buckets for rule in bucket["LifecycleConfiguration"]["Rules"]]


def test_replaced_versions_expire_where_nothing_reads_them_and_of_input_by_option() -> None:
    def expiring(pipeline: Synthesised) -> dict[str, int]:
        return {
            rule["Prefix"]: rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
            for rule in lifecycle_rules(pipeline)
            if "NoncurrentVersionExpiration" in rule
        }

    own = {"digits/datasets/": 30, "digits/triggers/": 30}
    assert expiring(with_props("prefix")) == own
    assert expiring(with_props("prefix", "input_version_expiration")) == {
        **own,
        "digits/input/train/": 60,
    }


def test_only_the_data_bucket_sends_events(plain_pipeline: Synthesised) -> None:
    sends = {
        name: "NotificationConfiguration" in one
        for name, one in plain_pipeline.of_type("AWS::S3::Bucket").items()
    }
    assert sends == {"DigitsDataBucket6C5C068C": True, "DigitsModelBucketD7347822": False}


def test_buckets_outlive_the_stack_unless_asked_twice(plain_pipeline: Synthesised) -> None:
    def policies(pipeline: Synthesised) -> set[str]:
        return {
            one["DeletionPolicy"] for one in pipeline.resources.values() if one["Type"] == "AWS::S3::Bucket"
        }

    assert policies(plain_pipeline) == {"Retain"}
    once = with_props("removal_policy")
    assert policies(once) == {"Delete"}
    # A bucket with objects in it is not deleted by CloudFormation; nothing here empties it.
    assert "Custom::S3AutoDeleteObjects" not in {one["Type"] for one in once.resources.values()}
    twice = with_props("removal_policy", "auto_delete_objects")
    assert "Custom::S3AutoDeleteObjects" in {one["Type"] for one in twice.resources.values()}


def test_functions(plain_pipeline: Synthesised) -> None:
    functions = plain_pipeline.of_type("AWS::Lambda::Function").values()
    assert {one["Handler"] for one in functions} == {
        f"amazon_estimators.handlers.{name}.handler"
        for name in ("plan", "encode", "seal", "explain", "announce", "fail", "report", "starter")
    }
    assert {one["Runtime"] for one in functions} == {"python3.12"}
    assert {tuple(one["Architectures"]) for one in functions} == {("x86_64",)}
    assert len({json.dumps(one["Code"]) for one in functions}) == 1
    assert len({one["Role"] for one in functions}) == len(functions)
    assert {one["LoggingConfig"]["LogGroup"] for one in functions} <= {
        f"<{name}>" for name in plain_pipeline.of_type("AWS::Logs::LogGroup")
    }


def test_logs_are_json_at_a_level_of_choice(plain_pipeline: Synthesised) -> None:
    configs = [one["LoggingConfig"] for one in plain_pipeline.of_type("AWS::Lambda::Function").values()]
    assert {(one["LogFormat"], one.get("ApplicationLogLevel")) for one in configs} == {("JSON", None)}
    stack = new_stack()
    encoder = RecordSetEncoder(stack, "Encoder", log_level=lambda_.ApplicationLogLevel.DEBUG)
    pipeline = Synthesised(stack, TrainingPipeline(stack, "Digits", **REQUIRED, encoder=encoder))
    configs = [one["LoggingConfig"] for one in pipeline.of_type("AWS::Lambda::Function").values()]
    assert len(configs) == 8
    assert {one["ApplicationLogLevel"] for one in configs} == {"DEBUG"}


def test_logs_have_a_retention(plain_pipeline: Synthesised, configured_pipeline: Synthesised) -> None:
    assert {one["RetentionInDays"] for one in plain_pipeline.of_type("AWS::Logs::LogGroup").values()} == {90}
    own = [
        one["RetentionInDays"]
        for name, one in configured_pipeline.of_type("AWS::Logs::LogGroup").items()
        if name.startswith("DigitsStateMachine")
    ]
    assert own == [365]


def test_state_machine_logs_events_without_data_and_traces(plain_pipeline: Synthesised) -> None:
    (machine,) = plain_pipeline.of_type("AWS::StepFunctions::StateMachine").values()
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert machine["TracingConfiguration"] == {"Enabled": True}


def test_uploads_under_the_input_prefix_are_heard_of(plain_pipeline: Synthesised) -> None:
    assert upload_rules(plain_pipeline) == [
        {
            "bucket": {"name": ["<DigitsDataBucket6C5C068C>"]},
            "object": {"key": [{"prefix": "input/train/"}]},
        }
    ]


def upload_rules(pipeline: Synthesised) -> list[Any]:
    """What of S3's events the rules listen to."""
    patterns = [one["EventPattern"] for one in pipeline.of_type("AWS::Events::Rule").values()]
    return [one["detail"] for one in patterns if one["source"] == ["aws.s3"]]


def test_the_training_job_takes_every_setting(configured_pipeline: Synthesised) -> None:
    parameters = configured_pipeline.definition["States"]["Train"]["Parameters"]
    assert parameters["AlgorithmSpecification"] == {
        "TrainingImage": "438346466558.dkr.ecr.eu-west-1.amazonaws.com/kmeans:1",
        "TrainingInputMode": "File",
    }
    assert parameters["ResourceConfig"] == {
        "InstanceType": "ml.m5.large",
        "InstanceCount": 2,
        "VolumeSizeInGB": 50,
        "VolumeKmsKeyId": "<Key961B73FD.Arn>",
        "KeepAlivePeriodInSeconds": 600,
    }
    assert parameters["OutputDataConfig"]["KmsKeyId"] == "<Key961B73FD.Arn>"
    assert parameters["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}
    assert parameters["RetryStrategy"] == {"MaximumRetryAttempts": 5}
    assert parameters["VpcConfig"] == {
        "SecurityGroupIds": ["sg-0123456789abcdef0"],
        "Subnets": ["subnet-public"],
    }
    assert parameters["EnableInterContainerTrafficEncryption"] is True
    assert parameters["EnableNetworkIsolation"] is True
    assert parameters["EnableManagedSpotTraining"] is False


def test_spot_training() -> None:
    parameters = with_props("spot_max_wait", "max_runtime").definition["States"]["Train"]["Parameters"]
    assert parameters["EnableManagedSpotTraining"] is True
    assert parameters["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800, "MaxWaitTimeInSeconds": 2700}


@pytest.mark.parametrize(
    ("instance_type", "has_key"),
    [("ml.m5.large", True), ("ml.c5.xlarge", True), ("ml.p3.2xlarge", True)]
    + [(one, False) for one in ("ml.m5d.large", "ml.c5d.xlarge", "ml.g4dn.xlarge", "ml.g5.xlarge")],
)
def test_instances_with_encrypted_disks_of_their_own_get_no_volume_key(
    instance_type: str, has_key: bool
) -> None:
    pipeline = with_props("encryption_key", instance_type=instance_type)
    resources = pipeline.definition["States"]["Train"]["Parameters"]["ResourceConfig"]
    assert ("VolumeKmsKeyId" in resources) is has_key


def test_no_retries_is_no_strategy() -> None:
    parameters = with_props(max_retry_attempts=0).definition["States"]["Train"]["Parameters"]
    assert "RetryStrategy" not in parameters


def test_a_vpc_alone_gets_private_subnets_and_a_security_group() -> None:
    pipeline = with_props("vpc")
    config = pipeline.definition["States"]["Train"]["Parameters"]["VpcConfig"]
    assert config["Subnets"] == ["subnet-private"]
    (group,) = pipeline.of_type("AWS::EC2::SecurityGroup")
    assert config["SecurityGroupIds"] == [f"<{group}.GroupId>"]


SIGNATURE = inspect.signature(TrainingPipeline.__init__).parameters


@pytest.mark.parametrize("prop", sorted({*OTHER_VALUES} - {"max_cost_per_training"}))
def test_no_prop_is_accepted_and_ignored(prop: str, plain_here: Synthesised) -> None:
    """Another value makes another template, in the library's own resources.

    A limit of costs refuses, and does no more: test_cost_at_synth.py.
    """
    needs = NEEDS.get(prop, ()) + PROPS.get(prop, ())
    before = with_props(*needs) if needs else plain_here
    after = with_props(*needs, prop)
    assert own(before) != own(after)


def own(pipeline: Synthesised) -> dict[str, str]:
    """The library's resources, as text."""
    prefixes = ("Digits", "RecordSetEncoder")
    return {name: json.dumps(one) for name, one in pipeline.resources.items() if name.startswith(prefixes)}


@pytest.fixture(scope="module")
def plain_here() -> Synthesised:
    return with_props()


def test_every_prop_has_another_value_to_try() -> None:
    tried = {*OTHER_VALUES, "algorithm", "instance_type", "encoder"}
    assert set(SIGNATURE) - {"self", "scope", "construct_id"} == tried


def test_given_buckets_are_used_and_none_is_made() -> None:
    pipeline = with_props("data_bucket", "model_bucket")
    assert not pipeline.of_type("AWS::S3::Bucket")
    assert [one["bucket"] for one in upload_rules(pipeline)] == [{"name": ["given"]}]
    train = pipeline.definition["States"]["Train"]["Parameters"]
    assert train["OutputDataConfig"]["S3OutputPath"] == "s3://given-models/models"


def test_two_pipelines_share_functions_mapping_and_a_pair_of_buckets() -> None:
    pipeline = plain()
    stack = pipeline.stack
    shared = {
        "data_bucket": new_data_bucket(stack, "Data"),
        "model_bucket": new_model_bucket(stack, "Models"),
    }
    names = [
        TrainingPipeline(stack, f"Pipeline{index}", prefix=f"{index}/", **REQUIRED, **shared).job_name_prefix
        for index in range(2)
    ]
    whole = Synthesised(stack)
    shared_functions = [one for one in whole.of_type("AWS::Lambda::Function") if "Starter" not in one]
    assert len(shared_functions) == 7
    assert len(whole.template["Mappings"]) == 1
    assert len(whole.of_type("AWS::S3::Bucket")) == 4
    assert len(whole.of_type("AWS::StepFunctions::StateMachine")) == 3
    assert len(set(names)) == 2
    prefixes = [one["object"]["key"][0]["prefix"] for one in upload_rules(whole)]
    assert sorted(prefixes) == ["0/input/train/", "1/input/train/", "input/train/"]
