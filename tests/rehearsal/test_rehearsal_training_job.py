"""Training jobs of the stand-in: what lets one complete, and every single thing that must not."""

from __future__ import annotations

import io
import json
import re
import tarfile
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from training_account import IMAGE, TrainingAccount, unique

from amazon_estimators.algorithms import KMeans
from amazon_estimators.client.described_job import instances_of
from amazon_estimators.recordio import encode_dense


@pytest.fixture(scope="module")
def completed(account: TrainingAccount, execution_role: str) -> dict[str, Any]:
    tags = [{"Key": "purpose", "Value": "test"}]
    return account.train(account.request(execution_role, Tags=tags))


def test_a_right_request_completes(completed: dict[str, Any]) -> None:
    assert completed["TrainingJobStatus"] == "Completed", completed.get("FailureReason")
    assert [step["Status"] for step in completed["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert completed["BillableTimeInSeconds"] >= 1
    assert completed["TrainingEndTime"] >= completed["TrainingStartTime"]


def test_a_job_runs_on_the_first_preference(account: TrainingAccount, execution_role: str) -> None:
    request = account.request(execution_role)
    listed = [{"InstanceType": "ml.c5.xlarge"}, {"InstanceType": "ml.m5.large"}]
    resources = {"InstancePreferences": listed, "InstanceCount": 1, "VolumeSizeInGB": 5}
    job = account.train({**request, "ResourceConfig": resources})
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["ResourceConfig"] == {
        **resources,
        "SelectedInstanceType": "ml.c5.xlarge",
        "SelectedInstanceCount": 1,
    }
    assert instances_of(job) == ("ml.c5.xlarge", 1)


@pytest.mark.parametrize(
    ("lacking", "selected"),
    [("ml.c5.xlarge", "ml.m5.large"), ("ml.m5.large", "ml.c5.xlarge"), ("ml.c5.xlarge ml.m5.large", None)],
)
def test_a_preference_without_capacity_is_passed_over(
    account: TrainingAccount, execution_role: str, lacking: str, selected: str | None
) -> None:
    listed = [{"InstanceType": "ml.c5.xlarge"}, {"InstanceType": "ml.m5.large"}]
    resources = {"InstancePreferences": listed, "InstanceCount": 1, "VolumeSizeInGB": 5}
    tags = [{"Key": "rehearsal:no-capacity", "Value": lacking}]
    job = account.train(account.request(execution_role, Tags=tags, ResourceConfig=resources))
    if selected:
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        assert instances_of(job) == (selected, 1)
        return
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("CapacityError: Unable to provision")
    assert "SelectedInstanceType" not in job["ResourceConfig"]
    assert "BillableTimeInSeconds" not in job


def test_so_is_the_only_type(account: TrainingAccount, execution_role: str) -> None:
    request = account.request(execution_role)
    tags = [{"Key": "rehearsal:no-capacity", "Value": request["ResourceConfig"]["InstanceType"]}]
    job = account.train({**request, "Tags": tags})
    assert job["FailureReason"].startswith("CapacityError: ")


def test_the_model_says_what_it_is(account: TrainingAccount, completed: dict[str, Any]) -> None:
    uri = completed["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{account.bucket}/models/{completed['TrainingJobName']}/output/model.tar.gz"
    key = uri.removeprefix(f"s3://{account.bucket}/")
    body = account.s3.get_object(Bucket=account.bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert archive.getnames() == ["model_algo-1", "rehearsal.json"]
        model = json.load(archive.extractfile("rehearsal.json"))  # type: ignore[arg-type]
    assert model["engine"] == "scikit-learn"
    assert model["channels"]["train"] == {"records": 60, "features": 3}
    centers = sorted(model["model"]["cluster_centers"])
    np.testing.assert_allclose(centers, [[0, 0, 0], [10, 10, 10]], atol=0.1)


def test_the_metric_is_in_the_log_as_the_algorithm_prints_it(
    account: TrainingAccount, completed: dict[str, Any]
) -> None:
    (metric,) = completed["FinalMetricDataList"]
    assert metric["MetricName"] == "train:msd"
    halves = account.rows[:30], account.rows[30:]
    msd = sum(float(np.square(half - half.mean(axis=0)).sum()) for half in halves) / 60
    assert metric["Value"] == pytest.approx(msd, rel=1e-3)
    logs = account.platform.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    prefix = completed["TrainingJobName"]
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix + "/")["logStreams"]
    names = [stream["logStreamName"] for stream in streams]
    assert [re.sub(r"\d+$", "", name) for name in names] == [f"{prefix}/algo-1-", f"{prefix}/algo-2-"]
    events = logs.get_log_events(logGroupName=group, logStreamName=names[0])["events"]
    text = "\n".join(event["message"] for event in events)
    (declared,) = [one for one in KMeans.metrics if one.name == "train:msd"]
    assert declared.regex
    found = re.search(declared.regex, text)
    assert found and float(found.group(1)) == pytest.approx(metric["Value"])


def test_tags_and_listing(account: TrainingAccount, completed: dict[str, Any]) -> None:
    arn = completed["TrainingJobArn"]
    account.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "more", "Value": "1"}])
    tags = account.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"purpose": "test", "more": "1"}
    listed = account.sagemaker.list_training_jobs(StatusEquals="Completed")["TrainingJobSummaries"]
    assert completed["TrainingJobName"] in [job["TrainingJobName"] for job in listed]


def test_a_name_is_taken_for_good(
    account: TrainingAccount, completed: dict[str, Any], execution_role: str
) -> None:
    with pytest.raises(ClientError) as refused:
        account.sagemaker.create_training_job(
            **account.request(execution_role, TrainingJobName=completed["TrainingJobName"])
        )
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"


def test_an_unknown_job(account: TrainingAccount) -> None:
    with pytest.raises(ClientError) as refused:
        account.sagemaker.describe_training_job(TrainingJobName="never-created")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFound"


@pytest.mark.parametrize(
    "action",
    [
        "s3:GetObject",
        "s3:PutObject",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "cloudwatch:PutMetricData",
        "ecr:GetAuthorizationToken",
        "ecr:BatchGetImage",
    ],
)
def test_each_permission_of_the_role_counts(account: TrainingAccount, action: str) -> None:
    role = account.execution_role(without=action)
    job = account.train(account.request(role))
    assert job["TrainingJobStatus"] == "Failed"
    session = role.partition(":role/")[2] + "/"  # role-9 is the begin of another test's role-9a
    refusals = [line for line in account.platform.denials() if session in line]
    assert refusals and all(action in line for line in refusals), (job["FailureReason"], refusals)


def test_a_channel_without_a_content_type_is_read_as_the_algorithm_does(
    account: TrainingAccount, execution_role: str
) -> None:
    channel = account.channel("train/.amazon.manifest")
    del channel["ContentType"]
    job = account.train(account.request(execution_role, InputDataConfig=[channel]))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


def test_a_manifest_that_names_a_missing_shard(account: TrainingAccount, execution_role: str) -> None:
    account.manifest("train/missing.manifest", "matrix_00000.pbr", "matrix_00009.pbr")
    channel = account.channel("train/missing.manifest")
    job = account.train(account.request(execution_role, InputDataConfig=[channel]))
    assert job["TrainingJobStatus"] == "Failed"
    assert "NoSuchKey (404)" in job["FailureReason"] and "matrix_00009.pbr" in job["FailureReason"]


def test_an_instance_without_data(account: TrainingAccount, execution_role: str) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 3, "VolumeSizeInGB": 5}
    job = account.train(account.request(execution_role, ResourceConfig=resources))
    assert job["FailureReason"].startswith("ClientError: Channel train: host algo-3 received no data")


def test_a_shard_with_one_wrong_byte(account: TrainingAccount, execution_role: str) -> None:
    key = "train/matrix_00000.pbr"
    shard = bytearray(account.s3.get_object(Bucket=account.bucket, Key=key)["Body"].read())
    shard[0] ^= 1
    account.put("train/broken.pbr", shard)
    account.manifest("train/broken.manifest", "broken.pbr", "matrix_00001.pbr")
    channel = account.channel("train/broken.manifest")
    job = account.train(account.request(execution_role, InputDataConfig=[channel]))
    assert job["FailureReason"].startswith("ClientError: Unable to read data of s3://")
    assert "broken.pbr" in job["FailureReason"]


def test_a_shard_with_a_number_that_is_none(account: TrainingAccount, execution_role: str) -> None:
    rows = account.rows.copy()
    rows[4, 1] = np.nan
    account.put("train/nan.pbr", encode_dense(rows, allow_nonfinite=True))
    account.manifest("train/nan.manifest", "nan.pbr", "matrix_00001.pbr")
    channel = account.channel("train/nan.manifest")
    job = account.train(account.request(execution_role, InputDataConfig=[channel]))
    assert job["FailureReason"].startswith("ClientError: Unable to read data of s3://")


@pytest.mark.parametrize(
    ("hyperparameters", "reason"),
    [
        ({"k": "0", "feature_dim": "3"}, "k"),
        ({"k": "2", "feature_dim": "3", "unheard_of": "1"}, "unheard_of"),
        ({"feature_dim": "3"}, "k is required"),
    ],
)
def test_hyperparameters_the_algorithm_refuses(
    account: TrainingAccount, execution_role: str, hyperparameters: dict[str, str], reason: str
) -> None:
    job = account.train(account.request(execution_role, HyperParameters=hyperparameters))
    assert job["TrainingJobStatus"] == "Failed"
    assert reason in job["FailureReason"]
    assert "Downloading" not in [step["Status"] for step in job["SecondaryStatusTransitions"]]


def test_no_train_channel(account: TrainingAccount, execution_role: str) -> None:
    channel = account.channel("train/.amazon.manifest", "test")
    job = account.train(account.request(execution_role, InputDataConfig=[channel]))
    assert "Channel 'train' is required" in job["FailureReason"]


def test_a_role_that_does_not_trust_sagemaker(account: TrainingAccount) -> None:
    role = account.role(service="lambda.amazonaws.com")
    with pytest.raises(ClientError, match=r"allows principal 'sagemaker\.amazonaws\.com' to assume the role"):
        account.sagemaker.create_training_job(**account.request(role))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (IMAGE.replace("us-east-1", "eu-west-1"), "is in eu-west-1"),
        (IMAGE.replace("kmeans", "xgboost"), "is not an image of a first-party algorithm"),
        (IMAGE.replace(IMAGE[:12], "123456789012"), "is .*, not 123456789012"),
        ("kmeans:1", "not of the form"),
    ],
)
def test_images_of_other_places(
    account: TrainingAccount, execution_role: str, image: str, message: str
) -> None:
    specification = {"TrainingImage": image, "TrainingInputMode": "File"}
    with pytest.raises(ClientError, match=message) as refused:
        account.sagemaker.create_training_job(
            **account.request(execution_role, AlgorithmSpecification=specification)
        )
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_stopping(account: TrainingAccount, execution_role: str) -> None:
    request = account.request(execution_role)
    account.sagemaker.create_training_job(**request)
    account.sagemaker.stop_training_job(TrainingJobName=request["TrainingJobName"])
    assert account.ended(request["TrainingJobName"])["TrainingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="is in status Stopped"):
        account.sagemaker.stop_training_job(TrainingJobName=request["TrainingJobName"])


def test_the_maximum_runtime(account: TrainingAccount, execution_role: str) -> None:
    rows = np.random.default_rng(1).random((60_000, 3), dtype=np.float32)
    account.put("train/large.pbr", encode_dense(rows))
    account.manifest("train/large.manifest", "large.pbr")
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}
    request = account.request(
        execution_role,
        TrainingJobName=unique("job"),
        ResourceConfig=resources,
        HyperParameters={"k": "200", "feature_dim": "3", "local_lloyd_num_trials": "50"},
        InputDataConfig=[account.channel("train/large.manifest")],
        StoppingCondition={"MaxRuntimeInSeconds": 2},
    )
    job = account.train(request)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
