"""Transform and tuning jobs of the stand-in, through the API."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from serving_account import CASES, LABELS, ROWS, ServingAccount, unique, until

from amazon_estimators import ALGORITHMS, KNN, KMeans, load_model
from amazon_estimators.inference import read_response, write_request

SERVED = [name for name, case in CASES.items() if case.served]
RECORDIO, CSV, JSON_LINES = "application/x-recordio-protobuf", "text/csv", "application/jsonlines"


def transform(serving: ServingAccount, model: str, source: str, **changes: Any) -> dict[str, Any]:
    """Run a transform job of an S3 prefix: its description."""
    request = {
        "TransformJobName": unique("transform"),
        "ModelName": model,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
            "ContentType": CSV,
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": serving.place() + "/",
            "Accept": JSON_LINES,
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    for path, value in changes.items():
        *parents, last = path.split("__")
        place: Any = request
        for parent in parents:
            place = place[parent]
        place[last] = value
    serving.sagemaker.create_transform_job(**request)
    return until(
        lambda: serving.sagemaker.describe_transform_job(TransformJobName=request["TransformJobName"]),
        lambda job: job["TransformJobStatus"] not in ("InProgress", "Stopping"),
    )


@pytest.mark.parametrize("name", SERVED)
def test_a_transform_job_answers_a_record_set(serving: ServingAccount, name: str) -> None:
    """A RecordSet's manifest is an input as it is: an output object per shard, in the order of records."""
    algorithm, estimator = ALGORITHMS[name], serving.trained(name)
    records = estimator.record_set(CASES[name].features)
    job = transform(
        serving,
        serving.model(name),
        records.s3_data,
        TransformInput__DataSource__S3DataSource__S3DataType="ManifestFile",
        TransformInput__ContentType=RECORDIO,
        TransformInput__SplitType="RecordIO",
        TransformOutput__Accept=algorithm.inference.returns[0],
        TransformOutput__AssembleWith="None",
    )
    assert job["TransformJobStatus"] == "Completed", job
    output = job["TransformOutput"]["S3OutputPath"]
    assert serving.keys(output) == ["matrix_00000.pbr.out"]
    answered = read_response(
        algorithm, serving.get(output + "matrix_00000.pbr.out"), algorithm.inference.returns[0]
    )
    assert answered.rows == len(CASES[name].features)


def test_a_file_with_a_bad_record_has_no_output_and_fails_the_job(serving: ServingAccount) -> None:
    source = serving.place()
    serving.put(f"{source}/good.csv", b"1,2,3\n4,5,6\n")
    serving.put(f"{source}/header.csv", b"a,b,c\n1,2,3\n")
    serving.put(f"{source}/also_good.csv", b"7,8,9\n")
    job = transform(serving, serving.model("KMeans"), source + "/")
    assert job["TransformJobStatus"] == "Failed"
    assert "header.csv" in job["FailureReason"]
    output = job["TransformOutput"]["S3OutputPath"]
    assert serving.keys(output) == ["also_good.csv.out", "good.csv.out"]
    lines = serving.get(output + "good.csv.out").decode().splitlines()
    assert [sorted(json.loads(line)) for line in lines] == [["closest_cluster", "distance_to_cluster"]] * 2


@pytest.mark.parametrize("strategy", ["SingleRecord", "MultiRecord"])
@pytest.mark.parametrize(
    ("content_type", "split", "body"),
    [
        (CSV, "Line", write_request(KMeans, ROWS, CSV).body),
        (CSV, "None", write_request(KMeans, ROWS, CSV).body),
        (JSON_LINES, "Line", write_request(KMeans, ROWS, JSON_LINES).body),
        ("application/json", "None", write_request(KMeans, ROWS, "application/json").body),
        (RECORDIO, "RecordIO", write_request(KMeans, ROWS, RECORDIO).body),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value,
)
def test_every_way_to_split_gives_the_same_answers(
    serving: ServingAccount, strategy: str, content_type: str, split: str, body: bytes
) -> None:
    source = serving.place() + "/points.gz"
    serving.put(source, gzip.compress(body))
    job = transform(
        serving,
        serving.model("KMeans"),
        source,
        BatchStrategy=strategy,
        TransformInput__ContentType=content_type,
        TransformInput__SplitType=split,
        TransformInput__CompressionType="Gzip",
    )
    assert job["TransformJobStatus"] == "Completed", job
    output = job["TransformOutput"]["S3OutputPath"] + "points.gz.out"
    answered = read_response(KMeans, serving.get(output), JSON_LINES)
    expected = load_model(serving.get(serving.trained("KMeans").model_data)).predict(ROWS)
    assert answered["closest_cluster"].tolist() == expected["closest_cluster"].tolist()
    assert np.allclose(answered["distance_to_cluster"], expected["distance_to_cluster"], atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ModelName": "missing"}, r'Could not find model "arn:aws:sagemaker:.*:model/missing"'),
        ({"MaxPayloadInMB": 0}, "do not support MaxPayloadInMB 0"),
        ({"MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2}, "must not exceed 100 MB"),
        ({"BatchStrategy": "Several"}, "enum value set"),
        ({"TransformJobName": "under_score"}, "regular expression"),
        ({"DataProcessing": {"JoinSource": "Input"}}, "leave out DataProcessing"),
    ],
)
def test_transform_requests_that_are_refused(
    serving: ServingAccount, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        transform(serving, serving.model("KMeans"), serving.place(), **changes)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def tuning_request(serving: ServingAccount, **changes: Any) -> dict[str, Any]:
    """A request that tunes KNN's k; members of the config replaced."""
    estimator = serving.estimator(KNN(k=3, predictor_type="classifier", sample_size=60))
    rows = np.random.default_rng(1).permutation(len(ROWS))
    train = estimator.record_set(ROWS[rows[:60]], LABELS[rows[:60]])
    test = estimator.record_set(ROWS[rows[60:]], LABELS[rows[60:]], channel="test")
    training = estimator.training_request([train, test])
    del training["TrainingJobName"]
    config = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "test:accuracy"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": {"IntegerParameterRanges": [{"Name": "k", "MinValue": "1", "MaxValue": "59"}]},
        **changes,
    }
    statics = training.pop("HyperParameters")
    searched = {one["Name"] for ranges in config["ParameterRanges"].values() for one in ranges}
    return {
        "HyperParameterTuningJobName": unique("tune"),
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinition": {
            **training,
            "StaticHyperParameters": {k: v for k, v in statics.items() if k not in searched},
        },
        "Tags": [{"Key": "team", "Value": "red"}],
    }


def tune(serving: ServingAccount, request: dict[str, Any]) -> dict[str, Any]:
    serving.sagemaker.create_hyper_parameter_tuning_job(**request)
    name = request["HyperParameterTuningJobName"]
    return until(
        lambda: serving.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
        lambda job: job["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"),
    )


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_a_search_trains_and_names_the_best(serving: ServingAccount, strategy: str) -> None:
    limits = {"MaxNumberOfTrainingJobs": 5, "MaxParallelTrainingJobs": 2}
    job = tune(serving, tuning_request(serving, Strategy=strategy, ResourceLimits=limits))
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    assert job["TrainingJobStatusCounters"]["Completed"] == 5
    name = job["HyperParameterTuningJobName"]
    trainings = serving.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, SortBy="FinalObjectiveMetricValue", SortOrder="Descending"
    )["TrainingJobSummaries"]
    values = [one["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for one in trainings]
    assert values == sorted(values, reverse=True)
    defined = job["TrainingJobDefinition"]["AlgorithmSpecification"]["MetricDefinitions"]
    assert "test:accuracy" in {metric["Name"] for metric in defined}
    best = job["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == values[0]
    assert {one["TrainingJobName"][: len(name) + 1] for one in trainings} == {f"{name}-"}
    described = serving.sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert described["HyperParameters"]["k"] == best["TunedHyperParameters"]["k"]
    assert described["HyperParameters"]["_tuning_objective_metric"] == "test:accuracy"
    assert described["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    tags = serving.sagemaker.list_tags(ResourceArn=described["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "red"}]


def test_a_grid_trains_every_combination(serving: ServingAccount) -> None:
    """With k as large as the sample, every record gets the same answer: the best has the other k."""
    ranges = {
        "CategoricalParameterRanges": [
            {"Name": "k", "Values": ["1", "60"]},
            {"Name": "index_metric", "Values": ["L2", "COSINE"]},
        ]
    }
    request = tuning_request(
        serving,
        Strategy="Grid",
        ParameterRanges=ranges,
        ResourceLimits={"MaxParallelTrainingJobs": 2},
    )
    job = tune(serving, request)
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    trainings = serving.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=job["HyperParameterTuningJobName"]
    )["TrainingJobSummaries"]
    assert job["BestTrainingJob"]["TunedHyperParameters"]["k"] == "1"
    tuned = sorted(tuple(sorted(one["TunedHyperParameters"].items())) for one in trainings)
    assert tuned == sorted(
        (("index_metric", metric), ("k", k)) for k in ("1", "60") for metric in ("L2", "COSINE")
    )


INTEGER = "IntegerParameterRanges"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "test:rmse"}},
            "objective metric 'test:rmse' is not one of KNN",
        ),
        (
            {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "test:mse"}},
            "test:mse is logged for predictor_type regressor, not for classifier",
        ),
        (
            {"ParameterRanges": {INTEGER: [{"Name": "neighbours", "MinValue": "1", "MaxValue": "2"}]}},
            "no hyperparameter 'neighbours'",
        ),
        (
            {"ParameterRanges": {INTEGER: [{"Name": "k", "MinValue": "0", "MaxValue": "2"}]}},
            "Invalid hyperparameter value 0 for k",
        ),
        ({"Strategy": "Grid"}, "Grid searches categorical ranges only"),
        ({"Strategy": "Hyperband"}, "not by Hyperband"),
        ({"Strategy": "Luck"}, "enum value set"),
    ],
)
def test_tuning_requests_that_are_refused(
    serving: ServingAccount, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        tune(serving, tuning_request(serving, **changes))
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_name_of_33_characters_is_refused(serving: ServingAccount) -> None:
    request = tuning_request(serving) | {"HyperParameterTuningJobName": "a" * 33}
    with pytest.raises(ClientError, match="less than or equal to 32"):
        serving.sagemaker.create_hyper_parameter_tuning_job(**request)


def test_a_search_without_ranges_is_refused(serving: ServingAccount) -> None:
    with pytest.raises(ClientError, match="chooses no ranges: leave out Autotune"):
        tune(serving, tuning_request(serving) | {"Autotune": {"Mode": "Enabled"}})


def test_a_stopped_search_stops_its_trainings(serving: ServingAccount) -> None:
    limits = {"MaxNumberOfTrainingJobs": 100, "MaxParallelTrainingJobs": 1}
    request = tuning_request(serving, ResourceLimits=limits)
    name = request["HyperParameterTuningJobName"]
    client = serving.sagemaker
    client.create_hyper_parameter_tuning_job(**request)
    client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    job = until(
        lambda: client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
        lambda job: job["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"),
    )
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert job["TrainingJobStatusCounters"]["InProgress"] == 0


def test_warm_start_learns_from_parents_of_the_same_objective(serving: ServingAccount) -> None:
    one = {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}
    parent = tune(serving, tuning_request(serving, ResourceLimits=one))["HyperParameterTuningJobName"]
    warm = {
        "WarmStartType": "TransferLearning",
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": parent}],
    }
    job = tune(serving, tuning_request(serving, ResourceLimits=one) | {"WarmStartConfig": warm})
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["WarmStartConfig"] == warm


TUNING = "HyperParameterTuningResourceConfig"
CONFIG = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 40}


def with_resources(request: dict[str, Any], resources: dict[str, Any]) -> dict[str, Any]:
    definition = request["TrainingJobDefinition"]
    del definition["ResourceConfig"]
    return request | {"TrainingJobDefinition": {**definition, **resources}}


@pytest.mark.parametrize("resources", [CONFIG, {"InstanceConfigs": [CONFIG, CONFIG]}], ids=["one", "list"])
def test_a_search_trains_on_its_own_form_of_resources(
    serving: ServingAccount, resources: dict[str, Any]
) -> None:
    one = {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}
    request = with_resources(tuning_request(serving, ResourceLimits=one), {TUNING: resources})
    job = tune(serving, request)
    assert job["TrainingJobDefinition"][TUNING] == resources
    assert job["TrainingJobDefinition"]["ResourceConfig"] == CONFIG
    training = serving.sagemaker.describe_training_job(
        TrainingJobName=job["BestTrainingJob"]["TrainingJobName"]
    )
    assert training["ResourceConfig"] == CONFIG


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ({}, "needs ResourceConfig or"),
        ({"ResourceConfig": CONFIG, TUNING: CONFIG}, "and not both"),
        ({TUNING: {**CONFIG, "InstanceConfigs": [CONFIG]}}, "do not provide InstanceType"),
        ({TUNING: {"InstanceType": "ml.m5.xlarge"}}, "needs InstanceCount"),
    ],
)
def test_resources_of_a_search_that_are_refused(
    serving: ServingAccount, resources: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        tune(serving, with_resources(tuning_request(serving), resources))
    assert refused.value.response["Error"]["Code"] == "ValidationException"
