"""Events: what they hold, and that a success is on record before it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amazon_estimators.announcement import announce, failure


class Bus:
    def __init__(self, *, refuse: bool = False) -> None:
        self.refuse = refuse
        self.entries: list[dict[str, Any]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.entries += Entries
        refused = [{"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}]
        return {"FailedEntryCount": 1, "Entries": refused} if self.refuse else {"FailedEntryCount": 0}


class Objects:
    def __init__(self) -> None:
        self.written: dict[str, Any] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> None:
        self.written[f"{Bucket}/{Key}"] = json.loads(Body)


STATE: dict[str, Any] = {
    "pipeline": {"pipeline": "Stack/Digits", "algorithm": "KMeans", "prefix": "digits/"},
    "execution": {"name": "run", "start_time": "2026-03-01T12:00:00.123Z"},
    "input": {"reason": "drift"},
    "plan": {"bucket": "data", "prefix": "digits/recordsets/f/", "data_set": "0123456789abcdef01234567"},
}
JOB: dict[str, Any] = {
    "TrainingJobName": "digits-1",
    "ModelArtifacts": {"S3ModelArtifacts": "s3://models/model.tar.gz"},
    "FinalMetricDataList": [{"MetricName": "train:msd", "Value": 1.5}],
    "BillableTimeInSeconds": 60,
}


def test_a_success_holds_all_that_leads_from_it_to_the_data() -> None:
    bus, objects = Bus(), Objects()
    detail = announce(bus, objects, {**STATE, "job": JOB})
    (entry,) = bus.entries
    assert (entry["Source"], entry["DetailType"]) == ("amazon-estimators", "Model Trained")
    assert json.loads(entry["Detail"]) == detail
    assert detail.pop("seconds") != 0
    assert detail == {
        "pipeline": "Stack/Digits",
        "algorithm": "KMeans",
        "execution": "run",
        "data_set": "0123456789abcdef01234567",
        "reason": "drift",
        "record_set": "s3://data/digits/recordsets/f/",
        "job": "digits-1",
        "model": "s3://models/model.tar.gz",
        "metrics": {"train:msd": 1.5},
        "billable_seconds": 60,
    }
    (written,) = objects.written.items()
    assert written[0] == "data/digits/datasets/last_trained.json"
    assert written[1]["data_set"] == "0123456789abcdef01234567"


def test_a_success_without_metrics_is_told_too() -> None:
    job = {name: JOB[name] for name in ("TrainingJobName", "ModelArtifacts")}
    assert announce(Bus(), Objects(), {**STATE, "job": job})["metrics"] == {}


def test_a_failure_holds_the_typed_error_and_its_remedy() -> None:
    bus, objects = Bus(), Objects()
    explained = {"error": "NoInputError", "cause": "channel train: no object\nUpload at least one file."}
    error = {"Error": "NoInputError", "Cause": '{"errorMessage": "channel train: no object"}'}
    detail = announce(bus, objects, {**STATE, "plan": {}, "explained": explained, "error": error})
    assert bus.entries[0]["DetailType"] == "Training Failed"
    assert (detail["error"], detail["cause"]) == ("NoInputError", "channel train: no object")
    assert detail["remedy"] == "Upload at least one file."
    assert (detail["data_set"], detail["job"]) == (None, None)
    assert objects.written == {}


def test_a_failed_training_job_is_named() -> None:
    error = {"Error": "States.TaskFailed", "Cause": '{"TrainingJobName": "digits-1", "FailureReason": "x"}'}
    explained = {"error": "TrainingJobError", "cause": "Training job digits-1 ended as Failed: x\nIts log: …"}
    detail = announce(Bus(), Objects(), {**STATE, "explained": explained, "error": error})
    assert (detail["job"], detail["data_set"]) == ("digits-1", "0123456789abcdef01234567")


@pytest.mark.parametrize(
    ("error", "cause"), [("States.Timeout", "a\nb"), ("InputError", "one line"), ("E", "")]
)
def test_a_failure_without_a_remedy_of_its_own_has_a_general_one(error: str, cause: str) -> None:
    detail = failure({}, error, cause)
    assert detail["cause"] == cause
    assert "same data_set" in detail["remedy"]


def test_an_event_the_bus_refuses_is_no_success() -> None:
    with pytest.raises(RuntimeError, match="InternalFailure"):
        announce(Bus(refuse=True), Objects(), {**STATE, "job": JOB})
