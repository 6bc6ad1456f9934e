"""What programs do around the classes: files of a session, serializers of SDK 1, searches that exist."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest

from amazon_estimators import sdk
from amazon_estimators.algorithms.training_images import train_image
from amazon_estimators.algorithms.tuning_ranges import ranges_of, ranges_request
from amazon_estimators.errors import RequestError
from amazon_estimators.sdk.predictors import Predictor

ROLE = "arn:aws:iam::111122223333:role/r"
KEYS = ["a/model.tar.gz", "a/b/c.csv", "a/folder/"]


def session_of(keys: list[str], **clients: Any) -> sdk.Session:
    """A session whose bucket holds these keys, each with its own key as content."""
    s3 = Mock()
    s3.get_paginator.return_value.paginate.side_effect = lambda Bucket, Prefix: [
        {"Contents": [{"Key": key} for key in keys if key.startswith(Prefix)]},
        {},
    ]
    s3.download_file.side_effect = lambda bucket, key, path, ExtraArgs: Path(path).write_text(key)
    known = {"s3": s3, "sagemaker": MagicMock(), **clients}
    boto = Mock(spec=["client", "region_name"], region_name="us-east-1")
    boto.client.side_effect = lambda name, **_: known[name]
    return sdk.Session(boto)


def test_a_session_lists_and_downloads(tmp_path: Path) -> None:
    session = session_of(KEYS)
    assert session.list_s3_files("bucket", "a/b") == ["a/b/c.csv"]
    session.download_data(str(tmp_path), "bucket", "a/")
    found = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file()}
    assert found == {"model.tar.gz", "b/c.csv"}
    assert session.download_data(str(tmp_path), "bucket", "a/model.tar.gz") == [
        str(tmp_path / "model.tar.gz")
    ]


def test_no_key_leads_out_of_the_directory(tmp_path: Path) -> None:
    session = session_of(["a/../../secret"])
    with pytest.raises(RequestError, match="leads out of"):
        session.download_data(str(tmp_path / "here"), "bucket", "a/")
    assert not list(tmp_path.rglob("secret"))


def test_a_session_deletes_what_was_deployed() -> None:
    session = session_of([])
    session.delete_endpoint("e")
    session.delete_endpoint_config("c")
    session.delete_model("m")
    client = session.sagemaker_client
    client.delete_endpoint.assert_called_once_with(EndpointName="e")
    client.delete_endpoint_config.assert_called_once_with(EndpointConfigName="c")
    client.delete_model.assert_called_once_with(ModelName="m")
    session.describe_training_job("j")
    client.describe_training_job.assert_called_once_with(TrainingJobName="j")


def asked(predictor: Predictor, monkeypatch: pytest.MonkeyPatch, data: Any) -> tuple[dict[str, Any], Any]:
    """The request that a predictor sends, and what it returns of the answer ``[1]``."""
    requests: list[dict[str, Any]] = []

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        requests.append(request)
        return {"Body": io.BytesIO(b"[1]"), "ContentType": "application/json"}

    monkeypatch.setattr(predictor, "ask", ask)
    answer = predictor.predict(data)
    return requests[0], answer


def test_serializers_may_be_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Predictor("e", session_of([], **{"sagemaker-runtime": Mock()}))
    predictor.serializer = lambda data: ",".join(map(str, data))
    predictor.deserializer = lambda stream, content_type: (json.load(stream), content_type)
    request, answer = asked(predictor, monkeypatch, [1, 2])
    assert (request["Body"], request["ContentType"], request["Accept"]) == (
        "1,2",
        "application/octet-stream",
        "*/*",
    )
    assert answer == ([1], "application/json")
    predictor.content_type, predictor.accept = "text/csv", "application/json"
    request, _ = asked(predictor, monkeypatch, [1, 2])
    assert (request["ContentType"], request["Accept"]) == ("text/csv", "application/json")


def test_the_predictor_of_sdk_1_takes_content_types(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = sdk.RealTimePredictor(
        endpoint="e",
        sagemaker_session=session_of([], **{"sagemaker-runtime": Mock()}),
        serializer=str,
        content_type="text/csv",
        accept="application/json",
    )
    request, answer = asked(predictor, monkeypatch, 5)
    assert (request["Body"], request["ContentType"], request["Accept"]) == (
        "5",
        "text/csv",
        "application/json",
    )
    assert answer == b"[1]" and predictor.endpoint == "e"


RANGES = {
    "IntegerParameterRanges": [{"Name": "k", "MinValue": "1", "MaxValue": "9", "ScalingType": "Auto"}],
    "ContinuousParameterRanges": [],
    "CategoricalParameterRanges": [{"Name": "sample_size", "Values": ["60", "80"]}],
}
SEARCH: dict[str, Any] = {
    "HyperParameterTuningJobConfig": {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "test:accuracy"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": RANGES,
        "RandomSeed": 3,
    },
    "TrainingJobDefinition": {
        "AlgorithmSpecification": {
            "TrainingImage": train_image("knn", "1", "us-east-1"),
            "TrainingInputMode": "File",
        },
        "StaticHyperParameters": {
            "predictor_type": "classifier",
            "index_metric": "L2",
            "_tuning_objective_metric": "test:accuracy",
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "HyperParameterTuningResourceConfig": {
            "InstanceConfigs": [{"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 7}]
        },
    },
    "WarmStartConfig": {
        "WarmStartType": "TransferLearning",
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}],
    },
}


def test_attach_to_a_search_that_exists() -> None:
    sagemaker = Mock()
    sagemaker.describe_hyper_parameter_tuning_job.return_value = SEARCH
    tuner = sdk.HyperparameterTuner.attach("knn-1", session_of([], sagemaker=sagemaker))
    assert isinstance(tuner.estimator, sdk.KNN)
    assert (tuner.estimator.instance_type, tuner.estimator.instance_count) == ("ml.m5.large", 2)
    assert tuner.estimator.index_metric == "L2" and tuner.estimator.role == ROLE
    assert tuner.estimator.latest_training_job is None
    assert tuner.hyperparameter_ranges() == RANGES
    assert (tuner.objective_metric_name, tuner.objective_type) == ("test:accuracy", "Maximize")
    assert (tuner.strategy, tuner.max_jobs, tuner.max_parallel_jobs, tuner.random_seed) == ("Random", 4, 2, 3)
    assert tuner.warm_start == SEARCH["WarmStartConfig"]
    assert tuner.latest_tuning_job is not None
    assert tuner.latest_tuning_job.name == tuner.latest_tuning_job.job_name == "knn-1"


def test_a_search_of_several_definitions_is_not_attached_to() -> None:
    with pytest.raises(RequestError, match="several training job definitions"):
        sdk.HyperparameterTuner.attach("t", session_of([]), job_details={"TrainingJobDefinitions": [{}, {}]})


def test_ranges_are_read_as_they_are_written() -> None:
    ranges = {
        "k": sdk.IntegerParameter(1, 9, "Logarithmic"),
        "wd": sdk.ContinuousParameter(0.001, 0.5),
        "metric": sdk.CategoricalParameter(["a", "b"]),
    }
    assert ranges_of(ranges_request(ranges, sdk.KNN.algorithm_class)) == ranges  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="many"):
        ranges_of({"IntegerParameterRanges": [{"Name": "k", "MinValue": "many", "MaxValue": "9"}]})


def test_a_tuner_of_another_estimator_class() -> None:
    class Neighbours(sdk.KNN):
        """A program's own."""

    tuner = sdk.HyperparameterTuner.attach("t", session_of([]), job_details=SEARCH, estimator_cls=Neighbours)
    assert type(tuner.estimator) is Neighbours
