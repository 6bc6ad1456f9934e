"""What an endpoint was asked, compared with what its model was trained on."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_sagemaker import SETTINGS

from amazon_estimators.algorithms import KMeans
from amazon_estimators.errors import InputError
from amazon_estimators.inference.request_rows import read_rows
from amazon_estimators.inference.requests import write_request
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.recordio import CsrParts
from amazon_estimators.serving import drift as module
from amazon_estimators.serving.drift import DRIFTED, LARGEST, REQUESTS, SKIPPED, drift

NOW = datetime(2026, 3, 1, 10, 5, tzinfo=UTC)
RNG = np.random.default_rng(8)
TRAINED = RNG.normal(size=(4_000, 3)).astype(np.float32)
CAPTURING = replace(SETTINGS, config={"DataCaptureConfig": {"DestinationS3Uri": "s3://models/captures"}})
JOB = {
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3Uri": "s3://data/recordsets/f/train/.amazon.manifest"}},
        }
    ]
}
TYPES = ["application/x-recordio-protobuf", "text/csv", "application/json", "application/jsonlines"]


class Objects:
    """S3, with the training data's profile and captured requests."""

    def __init__(self) -> None:
        builder = ProfileBuilder()
        builder.add_dense(TRAINED)
        profile = builder.profile()
        assert profile is not None
        document = ProfileDocument(profile, ("age", "height", "weight"))
        self.objects = {"data/recordsets/f/train/feature_profile.json": document.to_json().encode()}

    def ask(self, rows: Any, content_type: str, at: str = "2026/03/01/10") -> None:
        """Capture one request."""
        self.keep(write_request(KMeans, rows, content_type).body, content_type, at)

    def keep(self, body: bytes, content_type: str, at: str = "2026/03/01/10") -> None:
        is_text = content_type != TYPES[0]
        asked = {
            "observedContentType": content_type,
            "mode": "INPUT",
            "data": body.decode() if is_text else base64.b64encode(body).decode(),
            "encoding": "CSV" if is_text else "BASE64",
        }
        line = json.dumps({"captureData": {"endpointInput": asked}, "eventVersion": "0"})
        key = f"models/captures/online/AllTraffic/{at}/{len(self.objects)}.jsonl"
        self.objects[key] = line.encode() + b"\n"

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[f"{Bucket}/{Key}"])}

    def get_paginator(self, _: str) -> Objects:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        place = f"{Bucket}/"
        found = [
            {"Key": key.removeprefix(place), "ETag": '"e"', "Size": len(body)}
            for key, body in self.objects.items()
            if key.startswith(place + Prefix)
        ]
        return [{"Contents": found}]


class SageMaker(SimpleNamespace):
    """The registry with one approved model, and its training job."""

    def list_model_packages(self, **_: Any) -> dict[str, Any]:
        return {"ModelPackageSummaryList": [{"ModelPackageArn": "arn"}]}

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:
        container = {"ModelDataUrl": "s3://models/models/job-1/model.tar.gz"}
        return {
            "ModelPackageArn": "arn",
            "InferenceSpecification": {"Containers": [container]},
            "CustomerMetadataProperties": {"job": "job-1"},
        }

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:
        assert TrainingJobName == "job-1"
        return JOB


def found(
    objects: Objects, capsys: pytest.CaptureFixture[str], hours: int = 1
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The result, and the line of metrics."""
    result = drift(objects, SageMaker(), CAPTURING, hours=hours, now=NOW)
    (line,) = capsys.readouterr().out.splitlines()
    return result, json.loads(line)


@pytest.mark.parametrize("content_type", TYPES)
def test_requests_like_the_training_data_do_not_drift(
    content_type: str, capsys: pytest.CaptureFixture[str]
) -> None:
    objects = Objects()
    for rows in np.split(RNG.normal(size=(500, 3)).astype(np.float32), 10):
        objects.ask(rows, content_type)
    result, line = found(objects, capsys)
    assert result == {"requests": 10, "skipped": 0, "drifted": []}
    assert (line[DRIFTED], line[REQUESTS], line[SKIPPED]) == (0, 10, 0)
    assert line["EndpointName"] == "online"
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["EndpointName"]]


@pytest.mark.parametrize("content_type", TYPES)
def test_a_feature_that_moved_is_named_with_its_figures(
    content_type: str, capsys: pytest.CaptureFixture[str]
) -> None:
    objects = Objects()
    rows = RNG.normal(size=(500, 3)).astype(np.float32)
    rows[:, 1] += 2
    for part in np.split(rows, 5):
        objects.ask(part, content_type)
    result, line = found(objects, capsys)
    (shift,) = result["drifted"]
    assert shift["feature"] == "height"
    assert shift["mean_shift"] > 1.5
    assert line[DRIFTED] == 1
    assert line[LARGEST] > 0.25


def test_the_metric_is_what_comparing_two_record_sets_tells(capsys: pytest.CaptureFixture[str]) -> None:
    """The same code, on the same rows."""
    from amazon_estimators.record_sets.profiles.comparison import compare

    objects = Objects()
    rows = (RNG.normal(size=(300, 3)) + np.array([0, 0, 0.6])).astype(np.float32)
    objects.ask(rows, "text/csv")
    builder = ProfileBuilder()
    builder.add_dense(rows)
    profile = builder.profile()
    assert profile is not None
    names = ("age", "height", "weight")
    before = ProfileDocument.from_json(
        objects.objects["data/recordsets/f/train/feature_profile.json"], "profile"
    )
    expected = compare(before, ProfileDocument(profile, names)).moved
    assert found(objects, capsys)[0]["drifted"] == [asdict(shift) for shift in expected]


def test_dense_and_sparse_requests_are_one_population(capsys: pytest.CaptureFixture[str]) -> None:
    objects = Objects()
    objects.ask(TRAINED[:200], "application/json")
    sparse = CsrParts(TRAINED[200:400].ravel(), np.tile(np.arange(3), 200), np.arange(0, 601, 3), (200, 3))
    objects.ask(sparse, TYPES[0])
    result, _ = found(objects, capsys)
    assert result == {"requests": 2, "skipped": 0, "drifted": []}


def test_only_the_hours_asked_for_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    objects = Objects()
    for hour in ("2026/03/01/10", "2026/03/01/09", "2026/03/01/08", "2026/02/28/23"):
        objects.ask(TRAINED[:5], "text/csv", hour)
    assert found(objects, capsys, hours=1)[0]["requests"] == 2
    assert found(objects, capsys, hours=11)[0]["requests"] == 4


def test_what_cannot_be_read_is_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = Objects()
    objects.ask(TRAINED[:5], "text/csv")
    objects.keep(b"1,2\n", "text/csv")
    objects.keep(b"a,b,c\n", "text/csv")
    objects.keep(b"{}", "application/json")
    objects.keep(b"x", "image/png")
    objects.objects["models/captures/online/AllTraffic/2026/03/01/10/x.jsonl"] = b"no json\n[]\n"
    objects.objects["models/captures/online/AllTraffic/2026/03/01/10/y.jsonl"] = b"x" * 2_000
    monkeypatch.setattr(module, "LONGEST_OBJECT", 1_500)
    result, line = found(objects, capsys)
    assert (result["requests"], result["skipped"]) == (1, 7)
    assert line[SKIPPED] == 7


def test_without_requests_nothing_is_said_of_drift(capsys: pytest.CaptureFixture[str]) -> None:
    result, line = found(Objects(), capsys)
    assert result == {"requests": 0, "skipped": 0, "drifted": []}
    assert DRIFTED not in line


def test_before_the_first_model_there_is_nothing_to_compare() -> None:
    sagemaker = SimpleNamespace(list_model_packages=lambda **_: {"ModelPackageSummaryList": []})
    assert drift(Objects(), sagemaker, CAPTURING, hours=1, now=NOW)["requests"] == 0


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"instances": [{"data": {"features": {"keys": [0], "values": [1], "shape": [1e12]}}}]}', TYPES[2]),
        (b'{"instances": [{"features": [1, NaN]}]}', TYPES[2]),
        (b'{"instances": 3}', TYPES[2]),
        (b"[" * 100_000, TYPES[2]),
        (b"1,2\n3\n", TYPES[1]),
        (b"\xff\xfe", TYPES[1]),
        (b"no records", TYPES[0]),
        (b"", TYPES[3]),
    ],
)
def test_hostile_requests_are_errors_of_ours(body: bytes, content_type: str) -> None:
    from amazon_estimators.errors import AmazonEstimatorsError

    with pytest.raises(AmazonEstimatorsError) as error:
        read_rows(body, content_type)
    assert isinstance(error.value, InputError)
