"""Every call of Plan, Encode, Seal and Announce, failed in every way: done, or a typed error with the
object's name."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pipeline_runs import Pipeline, execution_named

from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.pipeline.announce import announce
from amazon_estimators.record_sets.keys import PROFILE
from amazon_estimators.storage.multipart_upload import Uploads
from faulty_s3 import CRASHES, FAULTS, Crash, FaultyS3

EXECUTION = {**execution_named("first"), "state_machine": "arn:aws:states:::stateMachine:Digits"}
JOB = {"TrainingJobName": "digits-1", "ModelArtifacts": {"S3ModelArtifacts": "s3://models/model.tar.gz"}}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("storage.faults", "pipeline.seal"):
        monkeypatch.setattr(f"amazon_estimators.{module}.time.sleep", lambda seconds: None)


def run(s3: FaultyS3) -> tuple[dict[str, Any], list[Any]]:
    """Run an execution. Returns the training request and what was told."""
    pipeline, told = Pipeline(s3, "bucket"), []
    pipeline.settings["target_shard_bytes"] = 2_000
    planned = pipeline.plan()
    if not planned["complete"]:
        for item in map(json.loads, s3.objects[planned["shards_key"]][0][1].splitlines()):
            pipeline.encode(planned, item)
        planned["request"] = pipeline.seal(planned)
    state = {"pipeline": pipeline.settings, "execution": EXECUTION, "input": {}, "plan": planned, "job": JOB}
    announce(lambda kind, detail: told.append((kind, detail["model"])), s3, state)
    return planned["request"], told


def loaded() -> FaultyS3:
    s3 = FaultyS3()
    pipeline = Pipeline(s3, "bucket")
    for name in ("a.npy", "b.npy"):
        pipeline.put_array(f"train/{name}", np.arange(300, dtype=np.float32).reshape(100, 3))
    s3.calls.clear()
    return s3


def sealed(s3: FaultyS3) -> dict[str, bytes]:
    """Return what makes the RecordSet: shards, record_set.json and manifest. No profile is trained on."""
    return {
        key: versions[0][1]
        for key, versions in s3.objects.items()
        if "/train/" in key and "receipts" not in key and "profile" not in key
    }


def profile(s3: FaultyS3) -> bytes:
    """Return the profile beside the RecordSet."""
    (found,) = (versions[0][1] for key, versions in s3.objects.items() if key.endswith(PROFILE))
    return found


WHOLE = loaded()
REQUEST, TOLD = run(WHOLE)
CALLS = list(dict.fromkeys(WHOLE.calls))


def test_an_execution_makes_these_calls() -> None:
    assert {operation for operation, _ in CALLS} == {
        "GetObject",
        "ListObjectVersions",
        "ListObjectsV2",
        "PutObject",
    }
    assert len(CALLS) > 20


@pytest.mark.parametrize("fault", [*FAULTS, *CRASHES])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]} {call[1][:60]}")
def test_every_call_fails_in_every_way(call: tuple[str, str], fault: str) -> None:
    s3 = loaded()
    s3.at, s3.fault = WHOLE.calls.index(call), fault
    try:
        request, told = run(s3)
    except Crash:
        assert fault in CRASHES
    except AmazonEstimatorsError as error:
        assert error.remedy
        assert _named(call[1]) in str(error)
    else:
        assert (request, told) == (REQUEST, TOLD)
    # Without the fault the execution, redriven, does what is missing.
    s3.at = -1
    assert run(s3) == (REQUEST, TOLD)
    assert sealed(s3) == sealed(WHOLE)
    assert profile(s3) == profile(WHOLE)


def _named(key: str) -> str:
    """A receipt is named by its shard: its name is made of the shard's content."""
    return f"s3://bucket/{key.partition('/receipts/')[0]}"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    "call", ["CreateMultipartUpload", "UploadPart 1", "UploadPart 2", "CompleteMultipartUpload"]
)
def test_an_upload_in_parts_fails_by_name_or_is_done(call: str, fault: str) -> None:
    s3 = FaultyS3()
    order = ["CreateMultipartUpload", "UploadPart 1", "UploadPart 2", "CompleteMultipartUpload"]
    s3.at, s3.fault = order.index(call), fault
    body = bytes(range(256)) * 8
    try:
        with Uploads(s3, "bucket", part_bytes=1_024, threads=1) as uploads:
            writer = uploads.open("shard", "application/octet-stream")
            writer.write(body)
            stored = writer.result()
    except AmazonEstimatorsError as error:
        assert "s3://bucket/shard" in str(error)
        assert call in str(error)
    else:
        assert (stored.size, s3.objects["shard"][0][1]) == (len(body), body)
    if call == "CompleteMultipartUpload" and fault == "lost answer":
        assert stored.size == len(body)  # it took effect: that is success


@pytest.mark.parametrize("lies_there", [b"", b"x" * 2_048])
def test_an_older_object_is_not_taken_for_an_upload_whose_completion_was_not_sent(lies_there: bytes) -> None:
    """It may be as long as what was uploaded."""
    s3 = FaultyS3()
    s3.put("shard", lies_there)
    s3.at, s3.fault = 2, "timeout"  # CompleteMultipartUpload, which does not arrive
    with (
        pytest.raises(AmazonEstimatorsError, match="CompleteMultipartUpload"),
        Uploads(s3, "bucket", part_bytes=2_048, threads=1) as uploads,
    ):
        writer = uploads.open("shard", "application/octet-stream")
        writer.write(bytes(range(256)) * 8)
        writer.result()
    assert s3.calls[2][0] == "CompleteMultipartUpload"
