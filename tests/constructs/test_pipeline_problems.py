"""Props that make no pipeline fail the synth: construct path, value, what is allowed; all at once."""

from __future__ import annotations

from typing import Any, cast

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, RemovalPolicy, Size, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3
from pipeline_stacks import OTHER_VALUES, REQUIRED, Synthesised, new_stack, warnings

from amazon_estimators.algorithms import KMeans, LinearLearner
from amazon_estimators.errors import AmazonEstimatorsError, InstanceError, RegionError, RequestError
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    LambdaBundle,
    PipelineError,
    RecordSetEncoder,
    TrainingPipeline,
    UploadTrigger,
    new_model_bucket,
)

TABLE: list[tuple[dict[str, Any], type[AmazonEstimatorsError], list[str]]] = [
    ({"instance_type": "m5.large"}, InstanceError, ["m5.large"]),
    ({"instance_count": 0}, InstanceError, ["0"]),
    ({"prefix": "digits"}, PipelineError, ["'digits'", "end with '/'"]),
    ({"prefix": "/digits/"}, PipelineError, ["'/digits/'"]),
    ({"prefix": "*/"}, PipelineError, ["prefix is '*/'", "pattern"]),
    ({"prefix": "${aws:username}/"}, PipelineError, ["'${aws:username}/'"]),
    ({"channels": {"train": Source(prefix="in*/")}}, PipelineError, ["channel train is 'in*/'"]),
    ({"algorithm": KMeans}, PipelineError, ["KMeans", "such as KMeans(k=10)"]),
    ({"algorithm": "KMeans"}, PipelineError, ["algorithm is 'KMeans'"]),
    ({"prefix": "a//b/"}, PipelineError, ["'a//b/'"]),
    (
        {"channels": {"trian": Source(), "train": Source()}},
        RequestError,
        ["'trian'", "allowed: train, test"],
    ),
    ({"channels": {"test": Source()}}, RequestError, ["train is required"]),
    (
        {"channels": {"train": Source(format="jsonlines")}},
        RequestError,
        ["channel train does not read format 'jsonlines'", "allowed: auto, npy"],
    ),
    (
        {"algorithm": LinearLearner(predictor_type="regressor"), "channels": {"train": Source(format="csv")}},
        RequestError,
        ["channel train needs a label", "Source(label=0)"],
    ),
    ({"distributions": {"train": "Random"}}, RequestError, ["'Random'", "ShardedByS3Key"]),
    ({"prefix": "x" * 200 + "/"}, PipelineError, ["201 bytes", "200"]),
    (
        {"channels": {"train": Source(prefix="recordsets/old/")}},
        PipelineError,
        ["'recordsets/old/'", "start it again"],
    ),
    ({"channels": {"train": Source(prefix="")}}, PipelineError, ["''", "'recordsets/'"]),
    (
        {"record_set_expiration": Duration.days(1)},
        PipelineError,
        ["record_set_expiration is 1 days", "more than max_runtime"],
    ),
    ({"max_concurrency": 0}, PipelineError, ["max_concurrency is 0", "1 to 10,000"]),
    ({"max_concurrency": 10_001}, PipelineError, ["10001"]),
    ({"target_shard_size": Size.kibibytes(1)}, PipelineError, ["target_shard_size is 1 KiB", "1 MiB"]),
    ({"volume_size": Size.tebibytes(17)}, PipelineError, ["volume_size is 17408 GiB", "16,384"]),
    ({"max_runtime": Duration.days(29)}, PipelineError, ["max_runtime", "28 days"]),
    (
        {"spot_max_wait": Duration.hours(2), "max_runtime": Duration.hours(1)},
        PipelineError,
        ["7200", "3,600"],
    ),
    (
        {"spot_max_wait": Duration.minutes(5), "max_runtime": Duration.minutes(6)},
        PipelineError,
        ["360", "300"],
    ),
    ({"keep_alive": Duration.hours(7)}, PipelineError, ["keep_alive is 25200", "6 hours"]),
    ({"max_retry_attempts": 31}, PipelineError, ["max_retry_attempts is 31", "0 to 30"]),
    ({"subnets": ec2.SubnetSelection()}, PipelineError, ["subnets without vpc"]),
    ({"security_groups": []}, PipelineError, ["security_groups without vpc"]),
    ({"removal_policy": RemovalPolicy.SNAPSHOT}, PipelineError, ["SNAPSHOT; allowed: RETAIN, "]),
    (
        {"prefix": "churn/", "triggers": [UploadTrigger(marker="_SUCCESS", prefix="input/train/")]},
        PipelineError,
        ["UploadTrigger(prefix='input/train/') lies under no channel", "prefix='churn/input/train/'"],
    ),
    ({"auto_delete_objects": True}, PipelineError, ["auto_delete_objects", "RemovalPolicy.DESTROY"]),
    (
        {
            "spot_max_wait": Duration.minutes(10),
            "max_runtime": Duration.minutes(5),
            "keep_alive": Duration.minutes(5),
        },
        PipelineError,
        ["keep_alive and spot_max_wait"],
    ),
]


@pytest.mark.parametrize(("props", "kind", "texts"), TABLE, ids=[", ".join(one[0]) for one in TABLE])
def test_truth_table(props: dict[str, Any], kind: type[AmazonEstimatorsError], texts: list[str]) -> None:
    with pytest.raises(kind) as raised:
        TrainingPipeline(new_stack(), "Digits", **{**REQUIRED, **props})
    assert str(raised.value).startswith("Stack/Digits: ")
    for text in texts:
        assert text in str(raised.value)


def test_all_problems_are_raised_at_once() -> None:
    with pytest.raises(PipelineError) as raised:
        TrainingPipeline(
            new_stack(), "Digits", **{**REQUIRED, "instance_count": 0, "prefix": "x", "max_concurrency": 0}
        )
    lines = str(raised.value).splitlines()
    assert len([one for one in lines if one.startswith("Stack/Digits: ")]) == 3


def test_a_region_without_images() -> None:
    stack = Stack(App(), "Stack", env=Environment(region="mars-north-1"))
    with pytest.raises(RegionError, match=r"Stack/Digits: .*mars-north-1[\s\S]*us-east-1"):
        TrainingPipeline(stack, "Digits", **REQUIRED)


def test_removal_of_buckets_that_are_given() -> None:
    stack = new_stack()
    buckets = {
        "data_bucket": s3.Bucket.from_bucket_name(stack, "A", "aaa"),
        "model_bucket": s3.Bucket.from_bucket_name(stack, "B", "bbb"),
    }
    with pytest.raises(PipelineError, match="removal_policy"):
        TrainingPipeline(stack, "Digits", **REQUIRED, **buckets, removal_policy=RemovalPolicy.DESTROY)


def test_input_among_the_models_only_in_one_bucket() -> None:
    channels = {"train": Source(prefix="models/")}
    stack = new_stack()
    one = new_model_bucket(stack, "One")
    with pytest.raises(PipelineError, match="'models/'"):
        TrainingPipeline(stack, "Digits", **REQUIRED, channels=channels, data_bucket=one, model_bucket=one)
    TrainingPipeline(new_stack(), "Digits", **REQUIRED, channels=channels)


def test_one_bucket_that_is_imported_twice_is_one_bucket() -> None:
    stack = new_stack()
    buckets = {
        "data_bucket": s3.Bucket.from_bucket_name(stack, "A", "mine"),
        "model_bucket": s3.Bucket.from_bucket_name(stack, "B", "mine"),
    }
    channels = {"train": Source(prefix="models/")}
    with pytest.raises(PipelineError, match="'models/'"):
        TrainingPipeline(stack, "Digits", **REQUIRED, **buckets, channels=channels)


def test_the_models_of_a_neighbour_are_no_input_either() -> None:
    stack = new_stack()
    one = new_model_bucket(stack, "One")
    TrainingPipeline(stack, "First", **REQUIRED, data_bucket=one, model_bucket=one, prefix="a/")
    second: dict[str, Any] = {"prefix": "b/", "channels": {"train": Source(prefix="a/models/")}}
    with pytest.raises(PipelineError, match="'a/models/' and 'a/models/' of Stack/First overlap"):
        TrainingPipeline(stack, "Second", **REQUIRED, data_bucket=one, **second)


def test_record_sets_of_a_bucket_that_is_imported_expire_by_its_own_rule() -> None:
    stack = new_stack()
    bucket = s3.Bucket.from_bucket_name(stack, "A", "mine")
    with pytest.raises(PipelineError, match="record_set_expiration is 30 days, but data_bucket is not of"):
        TrainingPipeline(
            stack, "Digits", **REQUIRED, data_bucket=bucket, record_set_expiration=Duration.days(30)
        )


def test_the_functions_of_another_stack_are_refused() -> None:
    app = App()
    other = RecordSetEncoder(Stack(app, "Other"), "Encoder")
    with pytest.raises(PipelineError, match="encoder is Other/Encoder, of stack Other; allowed: one of Mine"):
        TrainingPipeline(Stack(app, "Mine"), "Digits", **REQUIRED, encoder=other)


def test_a_pipeline_in_order_warns_of_nothing() -> None:
    for props in ({}, {"vpc": OTHER_VALUES["vpc"]}, {"encryption_key": OTHER_VALUES["encryption_key"]}):
        stack = new_stack(region="eu-west-1")
        TrainingPipeline(stack, "Digits", **REQUIRED, **{name: make(stack) for name, make in props.items()})
        assert warnings(stack) == []


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [
        ({}, {}, False),
        ({"prefix": "a/"}, {"prefix": "a/"}, False),
        ({"prefix": "a/"}, {"prefix": "b/"}, True),
        ({"prefix": "a/"}, {"prefix": "a/b/"}, True),
        ({"prefix": "recordsets/"}, {}, False),
        ({}, {"prefix": "recordsets/"}, False),
        ({"channels": {"train": Source(prefix="b/")}}, {"prefix": "b/"}, False),
        ({"prefix": "b/"}, {"channels": {"train": Source(prefix="b/")}}, False),
        (
            {"prefix": "a/", "channels": {"train": Source(prefix="shared/")}},
            {"prefix": "b/", "channels": {"train": Source(prefix="shared/")}},
            True,
        ),
    ],
)
def test_pipelines_of_one_bucket_keep_apart(
    first: dict[str, Any], second: dict[str, Any], allowed: bool
) -> None:
    stack = new_stack()
    bucket = new_model_bucket(stack, "Data")
    TrainingPipeline(stack, "One", **REQUIRED, **first, data_bucket=bucket)
    if allowed:
        TrainingPipeline(stack, "Two", **REQUIRED, **second, data_bucket=bucket)
        return
    with pytest.raises(PipelineError, match="of Stack/One overlap in the same bucket"):
        TrainingPipeline(stack, "Two", **REQUIRED, **second, data_bucket=bucket)
    TrainingPipeline(stack, "Three", **REQUIRED, **second)


def test_tokens_are_left_alone() -> None:
    stack = new_stack()
    kind = CfnParameter(stack, "InstanceType", default="ml.m5.large")
    count = CfnParameter(stack, "Count", type="Number", default=1)
    TrainingPipeline(
        stack,
        "Digits",
        algorithm=KMeans(k=10),
        instance_type=kind.value_as_string,
        instance_count=cast(int, count.value_as_number),
        max_runtime=Duration.seconds(count.value_as_number),
    )
    (machine,) = Synthesised(stack).of_type("AWS::StepFunctions::StateMachine").values()
    for text in (
        '"InstanceType":"<InstanceType>"',
        '"InstanceCount":<Count>',
        '"MaxRuntimeInSeconds":<Count>',
    ):
        assert text in machine["DefinitionString"]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"python": "3.11"}, "LambdaBundle: python is '3.11'; allowed: 3.12, 3.13, 3.14"),
        ({"python": "2.7"}, "'2.7'"),
        ({"platform": "sparc"}, "LambdaBundle: platform is 'sparc'; allowed: x86_64, arm64"),
    ],
)
def test_bundles(given: dict[str, Any], text: str) -> None:
    with pytest.raises(PipelineError, match=text):
        LambdaBundle(**given)
