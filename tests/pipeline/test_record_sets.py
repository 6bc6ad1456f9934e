"""From objects in a bucket to a sealed RecordSet: the bytes are those of encoding everything at once."""

from __future__ import annotations

import gzip
import io
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline_runs import Pipeline

from amazon_estimators.errors import ServiceError
from amazon_estimators.pipeline.encode import share_of
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.recordio import check, encode_dense
from amazon_estimators.sources import Layout, Piece, Schema
from amazon_estimators.storage.s3 import InputObject
from faulty_s3 import CutS3

ROWS, COLUMNS = 103, 5


@pytest.fixture
def table() -> np.ndarray:
    return np.random.default_rng(7).normal(size=(ROWS, COLUMNS)).astype(np.float32)


def as_csv(table: np.ndarray, header: str = "") -> bytes:
    file = io.BytesIO()
    np.savetxt(file, table, fmt="%.9g", delimiter=",", header=header, comments="")
    return file.getvalue()


@pytest.mark.parametrize("instances", [1, 2, 3, 7])
@pytest.mark.parametrize("kind", ["npy", "csv", "fortran"])
def test_shards_together_are_the_whole_encoded_at_once(
    pipeline: Pipeline, table: np.ndarray, kind: str, instances: int
) -> None:
    first, second = table[:40], table[40:]
    if kind == "csv":
        pipeline.put("train/a.csv", as_csv(first, "a,b,c,d,e"))
        pipeline.put("train/b.csv", as_csv(second, "a,b,c,d,e"))
    else:
        order = np.asfortranarray if kind == "fortran" else np.ascontiguousarray
        pipeline.put_array("train/a.npy", order(first))
        pipeline.put_array("train/b.npy", order(second))
    pipeline.settings["instance_count"] = instances
    planned = pipeline.plan()
    for item in pipeline.items(planned):
        pipeline.encode(planned, item)
    request = pipeline.seal(planned)

    shards = pipeline.shards(planned)
    assert b"".join(shards) == bytes(encode_dense(table))
    assert len(shards) == instances
    rows = [check([io.BytesIO(shard)]).records for shard in shards]
    assert max(rows) - min(rows) <= 1
    facts = pipeline.facts(planned)
    assert (facts["num_records"], facts["feature_dim"], facts["num_shards"]) == (ROWS, COLUMNS, instances)
    assert facts["num_bytes"] == sum(map(len, shards))
    assert request["hyperparameters"]["feature_dim"] == str(COLUMNS)
    source = request["input_data_config"][0]["DataSource"]["S3DataSource"]
    assert source["S3Uri"] == f"s3://{pipeline.bucket}/{planned['prefix']}train/.amazon.manifest"
    assert source["S3DataType"] == "ManifestFile"


@pytest.mark.parametrize("instances", [1, 3, 8])
@pytest.mark.parametrize("kind", ["npy", "csv", "headed.csv", "csv.gz"])
def test_very_many_objects_are_cut_by_bytes_and_make_the_same_whole(
    pipeline: Pipeline, table: np.ndarray, kind: str, instances: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_estimators.pipeline.input_scan.MOST_LOOKED_AT", 4)
    monkeypatch.setattr("amazon_estimators.pipeline.input_scan.SAMPLED", 3)
    cuts = [0, 1, 9, 10, 40, 41, 42, 60, 77, 90, ROWS]
    for number, (start, stop) in enumerate(pairwise(cuts)):
        rows = table[start:stop]
        if kind == "npy":
            pipeline.put_array(f"train/{number:02d}.npy", rows)
        else:
            text = as_csv(rows, "a,b,c,d,e" if kind == "headed.csv" else "")
            pipeline.put(f"train/{number:02d}.{kind}", gzip.compress(text) if kind == "csv.gz" else text)
    pipeline.settings["instance_count"] = instances
    planned = pipeline.train()
    shards = pipeline.shards(planned)
    assert b"".join(shards) == bytes(encode_dense(table))
    assert len(shards) == instances


@given(st.integers(1, 50), st.integers(1, 1000), st.lists(st.integers(0, 1000), max_size=6), st.booleans())
def test_shares_of_an_object_are_all_of_it_once(
    records: int, size: int, cuts: list[int], whole: bool
) -> None:
    """Whatever the cuts in bytes are, each row, or the whole of a unit, falls to exactly one share."""
    found = InputObject("b", "k", size, "e")
    schema = Schema(width=1, names=None, features=None, label=None)
    ends = sorted({0, size, *(cut for cut in cuts if cut < size)})
    counted = Layout(schema=schema, start=0, stop=records, records=records)
    unit = Layout(schema=schema, start=0, stop=size, whole=whole)
    header = Layout(schema=schema, start=min(3, size - 1), stop=size)
    for layout in (counted, unit, header):
        pieces = [share_of(layout, Piece(found, *pair)) for pair in pairwise(ends)]
        covered = [(piece.start, piece.stop) for piece in pieces if piece is not None]
        assert covered[0][0] == layout.start
        assert covered[-1][1] == layout.stop
        assert all(before[1] == after[0] for before, after in pairwise(covered))
        assert len(covered) == 1 or not layout.whole


@pytest.mark.parametrize("label", [0, 2, -1])
def test_labels_come_from_their_column(pipeline: Pipeline, label: int) -> None:
    table = np.arange(60, dtype=np.float64).reshape(12, 5)
    pipeline.put_array("train/a.npy", table)
    pipeline.settings.update(algorithm="LinearLearner", hyperparameters={"predictor_type": "regressor"})
    pipeline.settings["channels"] = {"train": {"label": label}}
    planned = pipeline.plan()
    for item in pipeline.items(planned):
        pipeline.encode(planned, item)
    pipeline.seal(planned)
    features = np.delete(table, label, axis=1).astype(np.float32)
    expected = encode_dense(features, table[:, label].astype(np.float32))
    assert b"".join(pipeline.shards(planned)) == bytes(expected)
    labels = pipeline.facts(planned)["labels"]
    assert labels == {"minimum": table[0, label], "maximum": table[-1, label], "integral": True}


def test_the_shard_target_is_kept(pipeline: Pipeline, table: np.ndarray) -> None:
    pipeline.put_array("train/a.npy", table)
    record = len(encode_dense(table[:1]))
    pipeline.settings.update(instance_count=2, target_shard_bytes=25 * record)
    planned = pipeline.plan()
    for item in pipeline.items(planned):
        pipeline.encode(planned, item)
    pipeline.seal(planned)
    shards = pipeline.shards(planned)
    assert len(shards) == 6  # 103 rows of at most 25 need 5 shards, and 6 is a multiple of two instances
    assert max(map(len, shards)) <= 25 * record


def test_a_sparse_target_and_many_objects(pipeline: Pipeline, table: np.ndarray) -> None:
    """More objects than rows in a shard, and more shards than objects."""
    for row in range(ROWS):
        pipeline.put_array(f"train/{row:03d}.npy", table[row : row + 1])
    pipeline.settings["instance_count"] = 9
    planned = pipeline.plan()
    for item in pipeline.items(planned):
        pipeline.encode(planned, item)
    pipeline.seal(planned)
    assert b"".join(pipeline.shards(planned)) == bytes(encode_dense(table))


def test_the_same_input_makes_the_same_bytes_and_keys(pipeline: Pipeline, table: np.ndarray, s3: Any) -> None:
    pipeline.put_array("train/a.npy", table)
    pipeline.settings["instance_count"] = 3
    planned = pipeline.plan("one")
    item = pipeline.items(planned)[1]
    receipts = {pipeline.encode(planned, item) for _ in range(3)}
    assert len(receipts) == 1
    again = pipeline.plan("two")
    assert (again["prefix"], again["fingerprint"]) == (planned["prefix"], planned["fingerprint"])
    assert len(pipeline.all_keys(f"{planned['prefix']}receipts/")) == 1


class Session:
    """A boto3.Session with one client."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def client(self, service: str, **_: Any) -> Any:
        return self._s3


@pytest.mark.parametrize("name", ["record_set.json", ".amazon.manifest", "matrix_00000.pbr"])
def test_a_record_set_is_read_though_connections_break(
    pipeline: Pipeline, table: np.ndarray, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_estimators.storage.faults.time.sleep", lambda seconds: None)
    pipeline.put_array("train/a.npy", table)
    root = f"{pipeline.train()['prefix']}train/"

    def read(times: float) -> Any:
        session = Session(CutS3(pipeline.s3, f"{root}{name}", times))
        found = RecordSet.from_manifest(f"s3://{pipeline.bucket}/{root}.amazon.manifest", session=session)
        return found.read(session=session)[0]

    assert (read(3) == table).all()
    with pytest.raises(ServiceError, match=f"GetObject of s3://{pipeline.bucket}/{root}{name}"):
        read(math.inf)
