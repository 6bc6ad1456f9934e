"""A session of the SageMaker SDK: its bucket, prefix, defaults and clients; jobs, packages, metrics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from recorded_calls import ROLE, Calls, recorded_calls

from amazon_estimators import Detached, TrainingJobError, sdk
from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.errors import RequestError

RECORDS = sdk.RecordSet("s3://b/m", 9000, 4)
DEFAULTS = {
    "SageMaker": {
        "TrainingJob": {
            "RoleArn": ROLE,
            "VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
            "OutputDataConfig": {"KmsKeyId": "alias/out"},
            "ResourceConfig": {"VolumeKmsKeyId": "alias/volume"},
            "EnableNetworkIsolation": True,
            "EnableInterContainerTrafficEncryption": True,
            "Environment": {"A": "1"},
            "Tags": [{"Key": "team", "Value": "a"}],
        }
    }
}


def sdk_session(calls: Calls, **more: Any) -> Any:
    """What SDK 2's Session brings that this library looks at."""
    return SimpleNamespace(
        boto_session=calls.session, default_bucket=lambda: "mine", default_bucket_prefix="team/a", **more
    )


def test_bucket_and_prefix_of_the_session_are_used() -> None:
    with recorded_calls() as calls:
        estimator = sdk.PCA(ROLE, 1, "ml.m5.large", 2, sagemaker_session=sdk_session(calls))
        assert estimator.data_location == "s3://mine/team/a/sagemaker-record-sets/"
        estimator.data_location = "s3://other/x"
        assert estimator.data_location == "s3://other/x/"
        estimator = sdk.PCA(ROLE, 1, "ml.m5.large", 2, sagemaker_session=sdk_session(calls))
        estimator.fit(RECORDS, wait=False)
    assert calls.request["OutputDataConfig"]["S3OutputPath"] == "s3://mine/team/a/"


def test_defaults_of_the_configuration_are_used_unless_given() -> None:
    with recorded_calls() as calls:
        session = sdk_session(calls, sagemaker_config=DEFAULTS)
        given = {"instance_count": 1, "instance_type": "ml.m5.large", "k": 2, "sagemaker_session": session}
        sdk.KMeans(**given).fit(RECORDS, wait=False)
        own = sdk.KMeans(role="arn:aws:iam::1:role/own", output_kms_key="alias/own", **given)
    request = calls.request
    assert request["RoleArn"] == ROLE
    assert request["VpcConfig"] == DEFAULTS["SageMaker"]["TrainingJob"]["VpcConfig"]
    assert request["OutputDataConfig"]["KmsKeyId"] == "alias/out"
    assert request["ResourceConfig"]["VolumeKmsKeyId"] == "alias/volume"
    assert request["EnableNetworkIsolation"] and request["EnableInterContainerTrafficEncryption"]
    assert (request["Environment"], request["Tags"]) == ({"A": "1"}, [{"Key": "team", "Value": "a"}])
    assert (own.role, own.output_kms_key, own.volume_kms_key) == (
        "arn:aws:iam::1:role/own",
        "alias/own",
        "alias/volume",
    )


def test_the_session_sends_and_waits() -> None:
    with recorded_calls() as calls:
        sagemaker = Mock()
        sagemaker.describe_training_job.return_value = {"ModelArtifacts": {"S3ModelArtifacts": "s3://m/a"}}
        session = Mock(
            boto_session=calls.session,
            sagemaker_client=sagemaker,
            sagemaker_config={},
            default_bucket_prefix=None,
        )
        session.default_bucket.return_value, session.expand_role.return_value = "mine", ROLE
        estimator = sdk.KMeans("trainer", 1, "ml.m5.large", 3, sagemaker_session=session)
        estimator.fit(RECORDS, job_name="one", experiment_config={"ExperimentName": "e"})
        sent = session.train.call_args.kwargs
        assert (sent["job_name"], sent["role"], sent["image_uri"]) == ("one", ROLE, estimator.train_image())
        assert sent["hyperparameters"] == estimator.hyperparameters()
        assert sent["experiment_config"] == {"ExperimentName": "e"}
        session.logs_for_job.assert_called_once_with("one", wait=True, log_type="All")
        estimator.fit(RECORDS, logs=False, job_name="two")
        session.wait_for_job.assert_called_once_with("two")
        assert estimator.model_data == "s3://m/a"
        assert [job.name for job in estimator.jobs] == ["one", "two"]
        assert estimator._current_job_name == "two" and estimator.sagemaker_session is session
        assert not calls.of("CreateTrainingJob")
        session.logs_for_job.side_effect = KeyboardInterrupt
        with pytest.raises(Detached, match=r"Estimator\.attach\('two'\)"):
            estimator.logs()
        sagemaker.describe_training_job.return_value = {"TrainingJobStatus": "Stopped"}
        with pytest.raises(TrainingJobError, match="is Stopped"):
            estimator.fit(RECORDS, logs=False, job_name="three")


def test_without_a_session_one_stands_for_it() -> None:
    with recorded_calls() as calls:
        estimator = sdk.KMeans(ROLE, 1, "ml.m5.large", 3, session=calls.session)
        session = estimator.sagemaker_session
        assert (session.boto_region_name, session.account_id()) == ("us-east-1", "123456789012")
        assert session.default_bucket() == "sagemaker-us-east-1-123456789012"
        assert session.expand_role("trainer") == ROLE and session.expand_role(ROLE) == ROLE
        assert estimator.sagemaker_session is session
        assert sdk.Session(calls.session, default_bucket="b").default_bucket() == "b"


@pytest.mark.parametrize(
    ("identity", "role"),
    [
        ("arn:aws:iam::123456789012:role/trainer", None),
        ("arn:aws:sts::123456789012:assumed-role/trainer/SageMaker", ROLE),
        ("arn:aws:iam::123456789012:user/me", None),
    ],
)
def test_execution_role(identity: str, role: str | None) -> None:
    with recorded_calls(GetCallerIdentity={"Arn": identity}) as calls:
        if role:
            assert sdk.get_execution_role(calls.session) == role
        else:
            with pytest.raises(RequestError, match="is not a role"):
                sdk.get_execution_role(calls.session)


def test_register_makes_a_model_package() -> None:
    described = {"ModelArtifacts": {"S3ModelArtifacts": "s3://m/a"}, "TrainingJobStatus": "Completed"}
    with recorded_calls(
        DescribeTrainingJob=described, CreateModelPackage={"ModelPackageArn": "arn:package"}
    ) as calls:
        estimator = sdk.KMeans(ROLE, 1, "ml.m5.large", 3, session=calls.session, output_path="s3://m/")
        with pytest.raises(RequestError, match="no model yet"):
            estimator.register(["text/csv"], ["application/json"], model_package_group_name="g")
        estimator.fit(RECORDS, wait=False)
        package = estimator.register(
            ["text/csv"], ["application/json"], ["ml.m5.large"], model_package_group_name="g"
        )
        with pytest.raises(RequestError, match="either model_package_name or model_package_group_name"):
            estimator.register(["text/csv"], ["application/json"])
    assert package.model_package_arn == "arn:package"
    assert calls.of("CreateModelPackage") == [
        {
            "ModelPackageGroupName": "g",
            "InferenceSpecification": {
                "Containers": [{"Image": estimator.train_image(), "ModelDataUrl": "s3://m/a"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
                "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
            },
            "ModelApprovalStatus": "PendingManualApproval",
        }
    ]


def test_training_job_analytics_reads_cloudwatch() -> None:
    start = datetime(2026, 1, 2, tzinfo=UTC)
    points = [
        {"Timestamp": start + timedelta(seconds=60), "Average": 2.0},
        {"Timestamp": start, "Average": 3.0},
    ]
    job = {
        "CreationTime": start,
        "AlgorithmSpecification": {"MetricDefinitions": [{"Name": "train:msd", "Regex": "x"}]},
        "FinalMetricDataList": [{"MetricName": "train:msd"}],
    }
    with recorded_calls(DescribeTrainingJob=job, GetMetricStatistics={"Datapoints": points}) as calls:
        estimator = sdk.KMeans(ROLE, 1, "ml.m5.large", 3, session=calls.session, output_path="s3://m/")
        estimator.fit(RECORDS, wait=False, job_name="one")
        rows = estimator.training_job_analytics.rows()
    assert rows == [
        {"timestamp": 0.0, "metric_name": "train:msd", "value": 3.0},
        {"timestamp": 60.0, "metric_name": "train:msd", "value": 2.0},
    ]
    [asked] = calls.of("GetMetricStatistics")
    assert asked["Dimensions"] == [{"Name": "TrainingJobName", "Value": "one"}]


def job_of(repository: str, hyperparameters: dict[str, str], **resources: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "done",
        "TrainingJobStatus": "Completed",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://m/done"},
        "AlgorithmSpecification": {
            "TrainingImage": f"382416733822.dkr.ecr.us-east-1.amazonaws.com/{repository}:1",
            "TrainingInputMode": "File",
        },
        "HyperParameters": hyperparameters,
        "RoleArn": ROLE,
        "ResourceConfig": {
            "VolumeSizeInGB": 30,
            **(resources or {"InstanceCount": 1, "InstanceType": "ml.m5.large"}),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        "OutputDataConfig": {"S3OutputPath": "s3://m/", "KmsKeyId": ""},
    }


@pytest.mark.parametrize("make", [getattr(sdk, name) for name in ALGORITHMS])
def test_attach_takes_a_job_of_whatever_values(make: Any) -> None:
    kept = {name: "odd" for name in make.algorithm_class.declared() if not name.startswith("_tuning_")}
    odd = {**kept, "future_setting": "1", "_tuning_objective_metric": "of a tuning job"}
    job = job_of(
        make.repo_name, odd, InstanceGroups=[{"InstanceType": "ml.future.large", "InstanceCount": 9}]
    )
    with recorded_calls(DescribeTrainingJob=job) as calls, pytest.warns(UserWarning) as caught:
        estimator = make.attach("done", calls.session, wait=False)
        assert estimator.model_data == "s3://m/done"
    told = " ".join(str(warning.message) for warning in caught)
    assert "left out 'future_setting'" in told and "The job was given it, so it is kept" in told
    assert estimator.algorithm.hyperparameters() == kept
    assert (estimator.instance_type, estimator.instance_count) == ("ml.future.large", 9)
    assert estimator._current_job_name == "done" and estimator.jobs[0].name == "done"


def test_the_constructor_takes_what_a_description_gives() -> None:
    sent = {"k": "3", "local_lloyd_tol": "0.5", "feature_dim": "7", "_tuning_objective_metric": "x"}
    parameters = sdk.KMeans._prepare_init_params_from_job_description(job_of("kmeans", sent))
    assert (parameters["k"], parameters["tol"], parameters["role"]) == ("3", "0.5", ROLE)
    with recorded_calls() as calls:
        estimator = sdk.KMeans(sagemaker_session=calls.session, **parameters)
    assert (estimator.k, estimator.tol, estimator.feature_dim) == (3, 0.5, 7)


def test_record_sets_have_the_shapes_of_the_sdk() -> None:
    with recorded_calls() as calls:
        estimator = sdk.KMeans(ROLE, 2, "ml.m5.large", 3, session=calls.session, data_location="s3://b/")
        records = estimator.record_set(np.ones((8, 2), "float32"), progress=False)
    assert isinstance(records, sdk.RecordSet)
    records.channel, records.distribution = "test", "FullyReplicated"
    assert list(records.data_channel()) == ["test"]
    source = records.records_s3_input().config["DataSource"]["S3DataSource"]
    assert (source["S3Uri"], source["S3DataDistributionType"]) == (records.s3_data, "FullyReplicated")
    files = sdk.FileSystemRecordSet("fs-1", "EFS", "a/relative/path", 10, 2)
    assert (
        files.file_system_input.config["DataSource"]["FileSystemDataSource"]["DirectoryPath"]
        == "a/relative/path"
    )
    files.directory_path = "/other"
    [(channel, shown)] = files.data_channel().items()
    assert (channel, shown.config["DataSource"]["FileSystemDataSource"]["DirectoryPath"]) == (
        "train",
        "/other",
    )
    given = sdk.FileSystemInput("fs-2", "FSxLustre", "/x", "rw")
    files.file_system_input = given
    assert files.data_channel() == {"train": given}
