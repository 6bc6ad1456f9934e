"""fit() as training jobs of the rehearsal's SageMaker: waiting, logs, failures, coming back."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from client_account import Account

from amazon_estimators import (
    PCA,
    Detached,
    Estimator,
    FileSystemRecordSet,
    HyperparameterError,
    KMeans,
    LinearLearner,
    RecordSet,
    RequestError,
    TrainingJob,
    TrainingJobError,
    sdk,
)
from amazon_estimators.client import training_job
from amazon_estimators.errors import InstanceError, RegionError

X = np.random.default_rng(3).normal(size=(60, 4))


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_job, "POLL_SECONDS", 0.2)


def make(account: Account, algorithm: Any = None, **settings: Any) -> Estimator:
    values: dict[str, Any] = {"instance_count": 2, "data_location": account.location, **settings}
    return Estimator(
        algorithm or KMeans(k=3),
        role=account.role,
        instance_type="ml.m5.large",
        session=account.session,
        **values,
    )


def test_fit_shows_status_log_metrics_and_seconds(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    estimator = make(account, tags={"team": "a"})
    estimator.fit(estimator.record_set(X), mini_batch_size=30, job_name="shown")
    shown = capsys.readouterr().out
    for pattern in (
        r"^\d\d:\d\d:\d\d Starting",
        r"^\d\d:\d\d:\d\d Training",
        r"^\d\d:\d\d:\d\d Completed",
        r"^algo-1 .*read 30 records",
        r"^algo-2 .*read 30 records",
        r"^Billable seconds: \d+",
        r"^final train:msd = ",
        r"^Model: s3://client-tests/.*/shown/output/model\.tar\.gz$",
    ):
        assert re.search(pattern, shown, re.MULTILINE), pattern
    assert "\x1b" not in shown  # not a terminal
    assert shown.count("Completed  ") == 1
    assert len(re.findall(r"^(final )?train:msd = ", shown, re.MULTILINE)) == 1, (
        "the log has it too, verbatim"
    )
    assert estimator.hyperparameters() == {"k": "3", "feature_dim": "4", "mini_batch_size": "30"}
    assert estimator.model_data.endswith("/output/shown/output/model.tar.gz")
    job = estimator.latest_training_job
    assert job is not None and job.describe()["TrainingJobStatus"] == "Completed"
    assert {line.host for line in job.logs()} == {"algo-1", "algo-2"}


def test_without_logs_only_the_log_is_missing(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    estimator = make(account)
    estimator.fit(estimator.record_set(X), logs=False)
    shown = capsys.readouterr().out
    assert "Completed" in shown and "algo-1" not in shown
    assert shown.count("train:msd = ") == 1, "as it appears, and not again at the end"


def test_a_failed_job_says_why_and_where_to_look(account: Account) -> None:
    estimator = make(account)
    records = estimator.record_set(X)
    bucket, _, key = records.s3_data.removeprefix("s3://").partition("/")
    account.s3.delete_object(Bucket=bucket, Key=key.replace(".amazon.manifest", "matrix_00001.pbr"))
    with pytest.raises(TrainingJobError) as failure:
        estimator.fit(records, job_name="fails")
    text = str(failure.value)
    assert "Training job fails is Failed: ClientError" in text
    assert "https://console.aws.amazon.com/sagemaker/home?region=us-east-1#/jobs/fails" in text
    with pytest.raises(RequestError, match="has no model: it is Failed"):
        _ = estimator.model_data


def test_the_error_carries_the_end_of_the_log() -> None:
    job = TrainingJob.__new__(TrainingJob)
    job.name, job.region = "mine", "cn-north-1"
    with pytest.raises(TrainingJobError) as failure:
        job.check(
            {"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: boom"}, ["algo-1 the last line"]
        )
    assert "AlgorithmError: boom" in str(failure.value) and "  algo-1 the last line" in str(failure.value)
    assert "https://console.amazonaws.cn/" in str(failure.value)


def test_interrupted_waiting_leaves_the_job_and_says_how_to_come_back(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    estimator = make(account)
    records = estimator.record_set(X)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training_job.time, "sleep", interrupt)
        with pytest.raises(Detached) as detached:
            estimator.fit(records, job_name="left-alone")
    for part in ("still running", "Estimator.attach('left-alone')", "TrainingJob('left-alone').stop()"):
        assert part in str(detached.value)
    capsys.readouterr()
    again = Estimator.attach("left-alone", session=account.session)
    assert "Completed" in capsys.readouterr().out
    assert again.algorithm == KMeans(k=3, feature_dim=4) and again.instance_count == 2
    assert again.model_data == estimator.model_data


def test_classic_spelling_trains_and_attaches(account: Account) -> None:
    pca = sdk.PCA(account.role, 1, "ml.m5.large", 2, data_location=account.location, session=account.session)
    pca.fit(pca.record_set(X.astype("float32")), logs=False)
    assert pca.hyperparameters() == {"num_components": "2", "feature_dim": "4", "mini_batch_size": "60"}
    assert (pca.feature_dim, pca.mini_batch_size, pca.num_components) == (4, 60, 2)
    job = pca.latest_training_job
    assert job is not None
    again = sdk.PCA.attach(job.name, account.session)
    assert again.num_components == 2 and again.model_data == pca.model_data and again.max_run == 86400
    with pytest.raises(RequestError, match="is of PCA, not of KMeans"):
        sdk.KMeans.attach(job.name, account.session)


def test_several_channels(account: Account) -> None:
    estimator = make(account, LinearLearner(predictor_type="regressor"), instance_count=1)
    train = estimator.record_set(X, X[:, 0])
    validation = estimator.record_set(X[:9], X[:9, 0], channel="validation")
    request = estimator.training_request([train, validation])
    assert [one["ChannelName"] for one in request["InputDataConfig"]] == ["train", "validation"]
    with pytest.warns(UserWarning, match="two RecordSets are of channel 'train': the last one is used"):
        request = estimator.training_request([validation, estimator.record_set(X, X[:, 1]), train])
    assert {channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in request["InputDataConfig"]} == {
        train.s3_data,
        validation.s3_data,
    }
    for wrong in (None, 5, X):
        with pytest.raises(RequestError, match=f"records are {type(wrong).__name__}; expecting a RecordSet"):
            estimator.training_request(wrong)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="job name is 5"):
        estimator.training_request([train], job_name=5)  # type: ignore[arg-type]


def test_record_sets_written_down_by_hand(account: Account) -> None:
    """Of such a one only what its author gave is known; that must not be taken for 'no labels'."""
    records = RecordSet("s3://elsewhere/.amazon.manifest", 500, 4)
    estimator = make(account, LinearLearner(predictor_type="binary_classifier"))
    request = estimator.training_request(records)
    assert request["HyperParameters"]["mini_batch_size"] == "250"
    with pytest.raises(HyperparameterError, match="no labels"):
        estimator.training_request(estimator.record_set(X))


def test_file_systems_need_a_vpc(account: Account) -> None:
    records = FileSystemRecordSet("fs-1", "EFS", "/data", 500, 4)
    with pytest.raises(RequestError, match="subnets"):
        make(account).training_request(records)
    estimator = make(account, subnets=["subnet-1"], security_group_ids=["sg-1"])
    [channel] = estimator.training_request(records)["InputDataConfig"]
    assert channel["DataSource"]["FileSystemDataSource"]["FileSystemId"] == "fs-1"
    with pytest.raises(RequestError, match="allowed: EFS, FSxLustre"):
        FileSystemRecordSet("fs-1", "NFS", "/data", 500, 4)


@pytest.mark.parametrize(
    ("records", "text"),
    [
        (RecordSet("s3://b/m", 100, 4, content_type="text/plain"), "content type text/plain"),
        (RecordSet("s3://b/m", 100, 4, channel="test"), "train"),
        (RecordSet("s3://b/m", 100, 4, num_shards=1), "1 shards for 2 instances"),
    ],
)
def test_hyperparameters_are_checked_against_the_data_before_anything_is_sent(
    account: Account, records: RecordSet, text: str
) -> None:
    with pytest.raises(HyperparameterError, match=text):
        make(account).fit(records)


def test_an_array_is_no_record_set(account: Account) -> None:
    with pytest.raises(RequestError, match="record_set"):
        make(account).fit(X)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ({"instance_count": 0}, InstanceError, "instance_count is 0"),
        ({"instance_type": "m5.large"}, InstanceError, "m5.large"),
        ({"role": ""}, RequestError, "role"),
        ({"data_location": "bucket/prefix"}, RequestError, "s3://"),
        ({"volume_siz": 3}, RequestError, "did you mean 'volume_size'"),
        ({"max_run": 0}, RequestError, "max_run is 0"),
        ({"max_wait": 10}, RequestError, "use_spot_instances"),
        ({"use_spot_instances": True, "max_wait": 10}, RequestError, "less than max_run"),
        ({"subnets": ["a"]}, RequestError, "security_group_ids"),
        ({"input_mode": "Stream"}, RequestError, "File, Pipe, FastFile"),
    ],
)
def test_settings_are_checked_at_once(wrong: dict[str, Any], error: type[Exception], text: str) -> None:
    right: dict[str, Any] = {"role": "trainer", "instance_count": 1, "instance_type": "ml.m5.large"}
    with pytest.raises(error, match=text):
        Estimator(KMeans(k=3), **{**right, **wrong})


@pytest.mark.parametrize("name", ["", "-a", "a_b", "a" * 64])
def test_job_names(account: Account, name: str) -> None:
    with pytest.raises(RequestError, match="job name"):
        make(account).training_request(RecordSet("s3://b/m", 100, 4), job_name=name)


def test_the_default_bucket_is_used_but_never_made(account: Account) -> None:
    estimator = Estimator(
        KMeans(k=3), role="trainer", instance_count=1, instance_type="ml.m5.large", session=account.session
    )
    with pytest.raises(RequestError, match="sagemaker-us-east-1-000000000000 cannot be used"):
        estimator.record_set(X)
    account.s3.create_bucket(Bucket="sagemaker-us-east-1-000000000000")
    try:
        assert estimator.data_location == "s3://sagemaker-us-east-1-000000000000/sagemaker-record-sets/"
    finally:
        account.s3.delete_bucket(Bucket="sagemaker-us-east-1-000000000000")


def test_images_and_data_location() -> None:
    import boto3

    session = boto3.Session("a", "b", region_name="eu-central-1")
    estimator = Estimator(
        PCA(num_components=1), role="r", instance_count=1, instance_type="ml.m5.large", session=session
    )
    assert estimator.train_image() == estimator.training_image_uri()
    assert estimator.train_image().endswith("dkr.ecr.eu-central-1.amazonaws.com/pca:1")
    estimator.data_location = "s3://bucket/prefix"
    assert estimator.data_location == "s3://bucket/prefix/"
    estimator.session = boto3.Session("a", "b", region_name="mars-north-1")
    with pytest.raises(RegionError, match="mars-north-1"):
        estimator.train_image()


def test_classic_attributes_and_their_checks() -> None:
    estimator: Any = sdk.KMeans("role", 1, "ml.m5.large", 10, max_iterations=5, volume_size=50)
    assert (estimator.k, estimator.max_iterations, estimator.local_lloyd_max_iter) == (10, 5, 5)
    assert (estimator.volume_size, estimator.tol) == (50, None)
    estimator.tol = 0.5
    assert estimator.hyperparameters() == {
        "k": "10",
        "local_lloyd_max_iter": "5",
        "local_lloyd_tol": "0.5",
        "force_dense": "True",
    }
    with pytest.raises(HyperparameterError):
        estimator.k = 10.7
    assert estimator.k == 10
    with pytest.raises(HyperparameterError, match="k is required"):
        sdk.KMeans("role", 1, "ml.m5.large")
    with pytest.raises(RequestError, match=r"'kk' \(did you mean 'k'"):
        sdk.KMeans("role", 1, "ml.m5.large", kk=3)
    with pytest.raises(TypeError, match="several values for k"):
        sdk.KMeans("role", 1, "ml.m5.large", 3, k=3)
    with pytest.raises(RequestError, match="there is no model yet"):
        estimator.deploy()
    sdk.KMeans("role", 1, "ml.m5.large", 3, debugger_hook_config=False, disable_profiler=True)
    with pytest.raises(RequestError, match="debugger_hook_config"):
        sdk.KMeans("role", 1, "ml.m5.large", 3, debugger_hook_config=object())
    with pytest.warns(UserWarning, match="single instance"):
        assert sdk.LDA("role", "ml.m5.large", 3, instance_count=2).instance_count == 1


def test_classic_codec() -> None:
    from amazon_estimators.sdk import common

    file = io.BytesIO()
    common.write_numpy_to_dense_tensor(file, X[:2].astype("float32"), np.array([1.0, 0.0], "float32"))
    file.seek(0)
    records = common.read_records(file)
    assert [list(one.label["values"].float32_tensor.values) for one in records] == [[1.0], [0.0]]
    serialized = common.RecordSerializer().serialize(X[0])
    [record] = common.RecordDeserializer().deserialize(serialized)
    np.testing.assert_array_equal(record.features["values"].float64_tensor.values, X[0])
