"""Files of ours that are whole and right, in the wrong place: of another data set, pipeline or bucket."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from pipeline_runs import Pipeline

from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.recordio import read_matrix
from faulty_s3 import FaultyS3

KINDS = (
    "plan.json",
    "pieces.jsonl",
    "/receipts/",
    "/profiles/",
    "record_set.json",
    ".amazon.manifest",
    "feature_profile.json",
    ".pbr",
    "shards.jsonl",
    "recordsets/plans/",
)
STAGES = ("planned", "encoded", "sealed")
OURS, THEIRS = 1_000, 0
"""The smallest value of the data that is asked for, and of the other."""


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amazon_estimators.pipeline.seal.time.sleep", lambda seconds: None)


class Versioned(FaultyS3):
    """Version ids of one length, as S3's are: files about other versions are as long as ours."""

    def put(self, key: str, body: bytes) -> str:
        version = f"{sum(map(len, self.objects.values())):032d}"
        self.objects.setdefault(key, []).insert(0, (version, body))
        return version


class Run:
    """One execution, up to a stage."""

    def __init__(self, s3: FaultyS3, prefix: str, least: int) -> None:
        self.s3, self.pipeline = s3, Pipeline(s3, "bucket")
        self.pipeline.settings |= {"target_shard_bytes": 2_000, "prefix": prefix}
        for name in ("a.npy", "b.npy"):
            file = io.BytesIO()
            np.save(file, np.arange(300, dtype=np.float32).reshape(100, 3) + least)
            s3.put(f"{prefix}input/train/{name}", file.getvalue())
        self.planned: dict[str, Any] = self.pipeline.plan()

    def encode(self) -> None:
        for item in self.pipeline.items(self.planned):
            self.pipeline.encode(self.planned, item)

    def up_to(self, stage: str) -> Run:
        if stage != "planned":
            self.encode()
        if stage == "sealed":
            self.pipeline.seal(self.planned)
        return self

    def go_on(self, stage: str) -> dict[str, Any]:
        """Do what is left after ``stage``. Returns the training request."""
        if stage == "sealed":
            self.planned = self.pipeline.plan("again", data_set=self.planned["data_set"])
        if not self.planned["complete"]:
            if stage != "encoded":
                self.encode()
            self.planned["request"] = self.pipeline.seal(self.planned)
        request: dict[str, Any] = self.planned["request"]
        return request

    def key(self, other: Run, key: str) -> str:
        """Return where a file of ``other`` would lie if it were ours."""
        for name in ("prefix", "attempt"):
            key = key.replace(other.planned[name], self.planned[name])
        return key


def copy(kind: str, other: Run, run: Run) -> None:
    """Put the other's files of a kind in the place of ours."""
    for key in [key for key in other.s3.objects if kind in key and other.planned["fingerprint"] in key]:
        run.s3.put(run.key(other, key), other.s3.objects[key][0][1])
    if kind == "recordsets/plans/":
        (ours,) = [key for key in run.s3.objects if kind in key and names(run, key)]
        (theirs,) = [key for key in other.s3.objects if kind in key and names(other, key)]
        run.s3.put(ours, other.s3.objects[theirs][0][1])


def names(run: Run, key: str) -> bool:
    return run.planned["fingerprint"].encode() in run.s3.objects[key][0][1]


@pytest.mark.parametrize("place", ["data set", "pipeline", "bucket"])
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_from_elsewhere_is_never_trained_on(kind: str, stage: str, place: str) -> None:
    s3 = Versioned()
    other = Run(Versioned() if place == "bucket" else s3, "one/" if place == "pipeline" else "", THEIRS)
    other.up_to("sealed")
    run = Run(s3, "two/" if place == "pipeline" else "", OURS).up_to(stage)
    copy(kind, other, run)
    try:
        request = run.go_on(stage)
    except AmazonEstimatorsError as error:
        assert error.remedy
        assert "s3://bucket/" in str(error)
    else:
        check(run, request)
    # A new execution goes on without what was copied.
    again = Run.__new__(Run)
    again.s3, again.pipeline = s3, run.pipeline
    again.planned = run.pipeline.plan("later")
    check(again, again.go_on("planned"))


def check(run: Run, request: dict[str, Any]) -> None:
    """It is our data, and says so."""
    tags = {tag["Key"]: tag["Value"] for tag in request["tags"]}
    assert tags["amazon-estimators:data-set"] == run.planned["data_set"]
    assert run.pipeline.facts(run.planned)["data_set"] == run.planned["data_set"]
    read = [read_matrix(io.BytesIO(body))[0] for body in run.pipeline.shards(run.planned)]
    assert sum(map(len, read)) == 200
    assert min(float(matrix.min()) for matrix in read) == OURS
    manifest = json.loads(run.pipeline.get(f"{run.planned['prefix']}train/.amazon.manifest"))
    assert manifest[0]["prefix"].endswith(f"{run.planned['prefix']}train/")
