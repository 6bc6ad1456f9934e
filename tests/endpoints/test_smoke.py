"""The smoke request of every algorithm, and the answers that a model must not give."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from fake_sagemaker import SETTINGS

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.errors import ServiceError
from amazon_estimators.inference.requests import write_request
from amazon_estimators.pipeline.current_model import CurrentModel
from amazon_estimators.recordio import (
    CsrParts,
    read_matrix,
    write_numpy_to_dense_tensor,
    write_spmatrix_to_sparse_tensor,
)
from amazon_estimators.serving.sample import sample_of
from amazon_estimators.serving.smoke import smoke

ROWS = np.array([[1.5, 2.5, 3.5], [4, 5, 6]], np.float32)
MANIFEST = "recordsets/f/train/.amazon.manifest"
JOB = {
    "InputDataConfig": [
        {"ChannelName": "test", "DataSource": {"S3DataSource": {"S3Uri": "s3://data/elsewhere"}}},
        {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": f"s3://data/{MANIFEST}"}}},
    ],
    "HyperParameters": {"feature_dim": "3"},
}
ATTEMPT = {
    "config": "online-1",
    "model": asdict(CurrentModel(job="job-1", model="s3://models/models/job-1/model.tar.gz", data_set="d")),
}


class Objects:
    """Objects of one bucket."""

    exceptions = SimpleNamespace(ClientError=ClientError)

    def __init__(self, shard: bytes | None) -> None:
        self.objects = {}
        if shard is not None:
            manifest = [{"prefix": "s3://data/recordsets/f/train/"}, "shard", "shard2"]
            self.objects = {MANIFEST: json.dumps(manifest).encode(), "recordsets/f/train/shard": shard}

    def get_object(self, Bucket: str, Key: str, Range: str = "bytes=0-") -> dict[str, Any]:
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "gone"}}, "GetObject")
        start, _, last = Range.removeprefix("bytes=").partition("-")
        body = self.objects[Key][int(start) : int(last) + 1 if last else None]
        return {"Body": io.BytesIO(body)}


def dense() -> bytes:
    file = io.BytesIO()
    write_numpy_to_dense_tensor(file, ROWS, np.array([7, 8], np.float32))
    return file.getvalue()


def sparse() -> bytes:
    file = io.BytesIO()
    parts = CsrParts(np.ones(2, np.float32), np.array([5, 9]), np.array([0, 1, 2]), (2, 1000))
    write_spmatrix_to_sparse_tensor(file, parts)
    return file.getvalue()


SHARDS = {
    **dict.fromkeys(ALGORITHMS, dense()),
    "Object2Vec": b'{"label": 1, "in0": [1, 2], "in1": [3]}\n{"label": 0, "in0": [4], "in1": [5]}\n',
    "IPInsights": b"user1,192.0.2.7\nuser2,192.0.2.8\n",
}
BODIES = {"Object2Vec": b'{"instances": [{"in0": [1, 2], "in1": [3]}]}', "IPInsights": b"user1,192.0.2.7\n"}


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
def test_the_request_holds_the_first_record_without_its_label(name: str) -> None:
    row, said = sample_of(Objects(SHARDS[name]), ALGORITHMS[name], JOB)
    assert said == f"the first record of s3://data/{MANIFEST}"
    request = write_request(ALGORITHMS[name], row)
    assert request.rows == 1
    if name in BODIES:
        assert request.body == BODIES[name] or json.loads(request.body) == json.loads(
            BODIES[name].partition(b": [")[2][:-2]
        )
    else:
        features, labels = read_matrix(io.BytesIO(request.body))
        assert features.tolist() == ROWS[:1].tolist()
        assert labels is None


def test_sparse_records_stay_sparse() -> None:
    row, _ = sample_of(Objects(sparse()), ALGORITHMS["FactorizationMachines"], JOB)
    assert row.shape == (1, 1000)
    assert row.nnz == 1


TOO_LONG = b"\x0a\x23\xd7\xce\xff\xff\xff\x7f"
"""A record of 2 GiB, by its frame. It is no line of JSON either; of CSV anything is."""
UNREADABLE = [
    (name, shard)
    for name in sorted(ALGORITHMS)
    for shard in (None, TOO_LONG)
    if shard is None or name != "IPInsights"
]


@pytest.mark.parametrize(("name", "shard"), UNREADABLE)
def test_without_the_record_set_a_record_is_made_up_and_that_is_said(name: str, shard: bytes | None) -> None:
    row, said = sample_of(Objects(shard), ALGORITHMS[name], JOB)
    assert said.startswith("made up, because the RecordSet cannot be read: ")
    assert write_request(ALGORITHMS[name], row).rows == 1


def asked(answer: Any, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Smoke's result for an answer of the endpoint, and the request it sent."""
    sent: dict[str, Any] = {}

    def invoke_endpoint(**request: Any) -> dict[str, Any]:
        sent.update(request)
        if isinstance(answer, Exception):
            raise answer
        return {"Body": io.BytesIO(json.dumps(answer).encode()), "ContentType": "application/json"}

    def describe_training_job(TrainingJobName: str) -> dict[str, Any]:
        assert TrainingJobName == "job-1"
        return JOB

    sagemaker = SimpleNamespace(describe_training_job=describe_training_job)
    runtime = SimpleNamespace(invoke_endpoint=invoke_endpoint)
    settings = replace(SETTINGS, **changes)
    return smoke(Objects(dense()), sagemaker, runtime, settings, ATTEMPT), sent


GOOD = {"closest_cluster": 1.0, "distance_to_cluster": 0.5}


def test_a_good_answer_is_no_refusal() -> None:
    attempt, sent = asked({"predictions": [GOOD]})
    assert attempt["refused"] is None
    assert {**ATTEMPT, "smoke": attempt["smoke"], "refused": None} == attempt
    assert sent["EndpointName"] == "online"
    assert "TargetModel" not in sent


def test_a_multi_model_endpoint_is_asked_for_the_new_model() -> None:
    _, sent = asked({"predictions": [GOOD]}, models="s3://models/models/")
    assert sent["TargetModel"] == "job-1/model.tar.gz"


def model_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "Received client error (400)"}}, "InvokeEndpoint")


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        ({"predictions": [GOOD, GOOD]}, "2 predictions to a smoke request of one record"),
        ({"predictions": [{**GOOD, "distance_to_cluster": float("inf")}]}, "distance_to_cluster"),
        ({"scores": []}, "cannot be read"),
        (model_error("ModelError"), "refuses the smoke request"),
    ],
)
def test_what_a_model_must_not_answer(answer: Any, because: str) -> None:
    attempt, _ = asked(answer)
    assert because in attempt["refused"]


@pytest.mark.parametrize("code", ["AccessDeniedException", "ServiceUnavailable", "ValidationError"])
def test_a_request_that_does_not_arrive_says_nothing_of_the_model(code: str) -> None:
    with pytest.raises(ServiceError, match=code):
        asked(model_error(code))
