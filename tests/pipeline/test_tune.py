"""Tune: static hyperparameters, warm start, the leaderboard and the best training."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pipeline_runs import Pipeline, execution_named

from amazon_estimators.errors import HyperparameterError, TuningJobError
from amazon_estimators.pipeline.explain import explain
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.pipeline.tune import conclude, leaderboard, prepare

START = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = {"fingerprint": "f1"}
REQUEST = {"hyperparameters": {"k": "3", "epochs": "4", "mini_batch_size": "500", "feature_dim": "2"}}


def summary(job: str, objective: float | None, **tuned: str) -> dict[str, Any]:
    measured = {} if objective is None else {"Value": objective, "MetricName": "test:msd"}
    return {
        "TrainingJobName": job,
        "TrainingJobStatus": "Failed" if objective is None else "Completed",
        "TunedHyperParameters": tuned,
        "TrainingStartTime": START,
        "TrainingEndTime": START + timedelta(seconds=90),
        **({"FinalHyperParameterTuningJobObjectiveMetric": measured} if measured else {}),
    }


SUMMARIES = [
    summary("t-2", 2.0, epochs="3", mini_batch_size="700"),
    summary("t-3", None, epochs="9", mini_batch_size="800"),
    summary("t-1", 1.0, epochs="2"),
]


class Tuned:
    """SageMaker after a tuning job."""

    def __init__(self, best: str | None) -> None:
        self.best = next((one for one in SUMMARIES if one["TrainingJobName"] == best), None)

    def describe_hyper_parameter_tuning_job(self, **_: Any) -> dict[str, Any]:
        return {
            "TrainingJobStatusCounters": {"Completed": 2, "NonRetryableError": 1},
            **({"BestTrainingJob": self.best} if self.best else {}),
        }

    def get_paginator(self, _: str) -> Tuned:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"TrainingJobSummaries": [one]} for one in SUMMARIES]


def tuning(pipeline: Pipeline, **changes: Any) -> dict[str, Any]:
    return {
        "objective": "test:msd",
        "direction": "Minimize",
        "searched": ["epochs", "mini_batch_size"],
        "warm_start": True,
        "image": "registry/kmeans:1",
        "job_name_prefix": "0a1b2c3d",
        "model_bucket": pipeline.bucket,
        **changes,
    }


def prepared(pipeline: Pipeline, execution: str = "first", **changes: Any) -> dict[str, Any]:
    plan, overrides = changes.pop("plan", PLAN), changes.pop("overrides", {})
    request = changes.pop("request", REQUEST)
    return prepare(
        pipeline.s3,
        Settings.from_dict(pipeline.settings),
        tuning(pipeline, **changes),
        plan=plan,
        request=request,
        overrides=overrides,
        execution=execution_named(execution),
    )


def concluded(pipeline: Pipeline, best: str | None = "t-1") -> dict[str, Any]:
    before = prepared(pipeline)
    return conclude(
        pipeline.s3,
        Tuned(best),
        Settings.from_dict(pipeline.settings),
        tuning(pipeline),
        plan=PLAN,
        prepared=before,
        job_name=f"{before['job_name']}-0-0",
    )


def test_what_is_searched_is_not_static(pipeline: Pipeline) -> None:
    found = prepared(pipeline, warm_start=False)
    assert found["static_hyperparameters"] == {"k": "3", "feature_dim": "2"}
    assert (found["warm_start"], found["because"]) == (None, "it was not requested")
    assert found["job_name"].startswith("0a1b2c3d-")
    assert len(f"{found['job_name']}-1000-864-99") <= 32
    assert prepared(pipeline)["job_name"] == found["job_name"]
    assert prepared(pipeline, "second")["job_name"] != found["job_name"]


@pytest.mark.parametrize("name", ["epochs", "mini_batch_size"])
def test_an_execution_that_fixes_what_is_searched(pipeline: Pipeline, name: str) -> None:
    with pytest.raises(HyperparameterError, match=f"sets {name}, which the tuning job searches"):
        prepared(pipeline, overrides={name: "5"})


def test_another_name_of_what_is_searched_is_found_out(pipeline: Pipeline) -> None:
    with pytest.raises(HyperparameterError, match="sets extra_center_factor"):
        prepared(pipeline, searched=["extra_center_factor"], overrides={"center_factor": "5"})


def test_the_best_training_and_the_leaderboard(pipeline: Pipeline) -> None:
    found = concluded(pipeline)
    assert (found["best"], found["value"], found["trainings"]) == ("t-1", 1.0, 3)
    assert found["seconds"] == 270, "all trainings, the failed one too"
    bucket, _, key = found["leaderboard"].removeprefix("s3://").partition("/")
    assert (bucket, key) == (pipeline.bucket, f"models/{found['job_name']}/leaderboard.csv")
    rows = list(csv.DictReader(io.StringIO(pipeline.get(key).decode())))
    assert [(row["rank"], row["training_job"], row["objective"]) for row in rows] == [
        ("1", "t-1", "1.0"),
        ("2", "t-2", "2.0"),
        ("3", "t-3", ""),
    ]
    assert rows[0] | {"epochs": "2", "mini_batch_size": "", "seconds": "90"} == rows[0]
    assert [one["job"] for one in found["first"]] == ["t-1", "t-2", "t-3"]


def test_the_greatest_is_first_where_more_is_better() -> None:
    assert [row["job"] for row in leaderboard(SUMMARIES, minimize=False)] == ["t-2", "t-1", "t-3"]


def test_a_search_without_a_best_training_is_a_typed_error(pipeline: Pipeline) -> None:
    with pytest.raises(TuningJobError, match="none of 3 reported test:msd") as raised:
        concluded(pipeline, best=None)
    assert "leaderboard.csv" in raised.value.remedy
    assert prepared(pipeline)["because"] == "there is no tuning job before it"


def test_a_search_that_failed_is_explained_as_such() -> None:
    cause = (
        '{"HyperParameterTuningJobName": "0a-1", "HyperParameterTuningJobStatus": "Failed", '
        '"FailureReason": "No training job succeeded.", "BestTrainingJob": {"TrainingJobName": "x"}}'
    )
    found = explain(None, {"Error": "States.TaskFailed", "Cause": cause}, {})
    assert found["error"] == "TuningJobError"
    assert "Tuning job 0a-1 ended as Failed: No training job succeeded." in found["cause"]


PARENTS = {"ParentHyperParameterTuningJobs": 1}


def test_the_same_data_and_image_are_identical_others_are_transferred(pipeline: Pipeline) -> None:
    first = concluded(pipeline)
    same = prepared(pipeline, "second")["warm_start"]
    parent = [{"HyperParameterTuningJobName": first["job_name"]}]
    assert same == {
        "WarmStartType": "IdenticalDataAndAlgorithm",
        "ParentHyperParameterTuningJobs": parent,
    }
    for change in ({"plan": {"fingerprint": "f2"}}, {"image": "registry/kmeans:2"}):
        assert prepared(pipeline, "second", **change)["warm_start"]["WarmStartType"] == "TransferLearning"
    other = {"hyperparameters": {**REQUEST["hyperparameters"], "k": "4"}}
    assert prepared(pipeline, request=other)["warm_start"]["WarmStartType"] == "TransferLearning"


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"objective": "test:ssd"}, "had another objective"),
        ({"searched": ["epochs"]}, "had other hyperparameters"),
        (
            {"request": {"hyperparameters": {**REQUEST["hyperparameters"], "init_method": "random"}}},
            "had other hyperparameters",
        ),
    ],
)
def test_a_parent_that_the_service_would_refuse_is_left_out(
    pipeline: Pipeline, changes: dict[str, Any], because: str
) -> None:
    concluded(pipeline)
    found = prepared(pipeline, "second", **changes)
    assert found["warm_start"] is None
    assert because in found["because"]
