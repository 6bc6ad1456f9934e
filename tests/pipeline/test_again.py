"""Nothing is done twice, nothing is mixed: runs interrupted, repeated or at once, and changed input."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pipeline_runs import Pipeline

from amazon_estimators.errors import HyperparameterError, ObjectChangedError, RecordSetError
from amazon_estimators.pipeline import seal
from amazon_estimators.pipeline.receipts import Receipt, read_receipts
from amazon_estimators.recordio import encode_dense
from amazon_estimators.storage.multipart_upload import ObjectWriter

TABLE = np.arange(400, dtype=np.float32).reshape(100, 4)


@pytest.fixture
def loaded(pipeline: Pipeline) -> Pipeline:
    """Four shards of 25 rows."""
    pipeline.put_array("train/a.npy", TABLE[:60])
    pipeline.put_array("train/b.npy", TABLE[60:])
    pipeline.settings["instance_count"] = 4
    return pipeline


def made(pipeline: Pipeline, suffix: str) -> dict[str, Any]:
    """When each object with this suffix was last written."""
    listed = pipeline.s3.list_object_versions(Bucket=pipeline.bucket, Prefix="recordsets/")["Versions"]
    return {one["Key"]: one["VersionId"] for one in listed if one["IsLatest"] and one["Key"].endswith(suffix)}


def test_a_complete_record_set_goes_straight_to_training(loaded: Pipeline) -> None:
    first = loaded.train("one")
    before = made(loaded, "")
    second = loaded.train("two", hyperparameters={"k": "5", "epochs": "2"})
    assert (first["complete"], second["complete"]) == (False, True)
    assert second["fingerprint"] == first["fingerprint"]
    assert second["request"]["hyperparameters"]["k"] == "5"
    assert second["request"]["input_data_config"] == first["request"]["input_data_config"]
    assert second["request"]["job_name"] != first["request"]["job_name"]
    assert made(loaded, ".pbr") == {key: at for key, at in before.items() if key.endswith(".pbr")}


def test_an_interrupted_run_encodes_what_is_missing(loaded: Pipeline) -> None:
    planned = loaded.plan("one")
    items = loaded.items(planned)
    assert planned["shards_to_encode"] == len(items) == 4
    for item in (items[0], items[2]):
        loaded.encode(planned, item)
    before = made(loaded, ".pbr")
    again = loaded.train("two")
    assert again["shards_to_encode"] == 2
    assert [item["shard"] for item in loaded.items(again)] == [1, 3]
    assert {key: at for key, at in made(loaded, ".pbr").items() if key in before} == before
    assert b"".join(loaded.shards(again)) == bytes(encode_dense(TABLE))


def test_a_shard_that_was_swapped_is_refused_and_encoded_again(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "SETTLING", (0.01, 0.02))
    planned = loaded.plan("one")
    for item in loaded.items(planned):
        loaded.encode(planned, item)
    key = f"{planned['prefix']}train/matrix_00002.pbr"
    loaded.s3.put_object(Bucket=loaded.bucket, Key=key, Body=bytes(encode_dense(TABLE[:25])))
    with pytest.raises(RecordSetError, match=r"1 of 4 shards .*matrix_00002"):
        loaded.seal(planned)
    assert not made(loaded, ".amazon.manifest")
    again = loaded.train("two")
    assert [item["shard"] for item in loaded.items(again)] == [2]
    assert b"".join(loaded.shards(again)) == bytes(encode_dense(TABLE))


def test_a_record_set_that_lost_a_shard_is_not_complete(loaded: Pipeline) -> None:
    planned = loaded.train("one")
    loaded.s3.delete_object(Bucket=loaded.bucket, Key=f"{planned['prefix']}train/matrix_00001.pbr")
    again = loaded.train("two")
    assert not again["complete"]
    assert [item["shard"] for item in loaded.items(again)] == [1]
    assert b"".join(loaded.shards(again)) == bytes(encode_dense(TABLE))


def test_refused_hyperparameters_leave_the_shards_and_no_manifest(loaded: Pipeline) -> None:
    with pytest.raises(HyperparameterError, match="feature_dim is 101"):
        loaded.train("one", hyperparameters={"feature_dim": "101"})
    assert not made(loaded, ".amazon.manifest")
    assert not made(loaded, "record_set.json")
    again = loaded.train("two", hyperparameters={"k": "100"})
    assert again["shards_to_encode"] == 1  # a Map Run wants at least one item
    assert again["request"]["hyperparameters"]["k"] == "100"
    with pytest.raises(HyperparameterError, match="feature_dim is 101"):
        loaded.plan("three", hyperparameters={"feature_dim": "101"})


def test_two_executions_at_once(loaded: Pipeline) -> None:
    with ThreadPoolExecutor(8) as pool:
        plans = list(pool.map(loaded.plan, ["one", "two"]))
        assert plans[0]["shards_key"] != plans[1]["shards_key"]
        work = [(planned, item) for planned in plans for item in loaded.items(planned)]
        list(pool.map(lambda pair: loaded.encode(*pair), work))
        requests = list(pool.map(loaded.seal, plans, ["one", "two"]))
    assert requests[0]["input_data_config"] == requests[1]["input_data_config"]
    assert b"".join(loaded.shards(plans[0])) == bytes(encode_dense(TABLE))


def write_again(loaded: Pipeline, planned: dict[str, Any], shard: int) -> Receipt:
    """What another execution does under a KMS key: the same bytes under another ETag. Returns its receipt."""
    key = f"{planned['prefix']}train/matrix_{shard:05d}.pbr"
    (receipt,) = (
        one
        for one in read_receipts(loaded.s3, loaded.bucket, planned["prefix"], "train")
        if one.shard == shard
    )
    place = {"Bucket": loaded.bucket, "Key": key}
    upload = {**place, "UploadId": loaded.s3.create_multipart_upload(**place)["UploadId"]}
    part = loaded.s3.upload_part(**upload, PartNumber=1, Body=loaded.get(key))
    parts = [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}]
    done = loaded.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    again = replace(receipt, etag=done["ETag"].strip('"'))
    assert again.etag != receipt.etag
    return again


def test_under_a_kms_key_a_shard_written_again_is_sealed_when_its_receipt_comes(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = loaded.plan("one")
    for item in loaded.items(planned):
        loaded.encode(planned, item)
    receipt = write_again(loaded, planned, 1)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        receipt.leave(loaded.s3, loaded.bucket, planned["prefix"], "train")

    monkeypatch.setattr(seal.time, "sleep", pause)
    assert loaded.seal(planned)["input_data_config"]
    assert pauses == [0.5]
    assert b"".join(loaded.shards(planned)) == bytes(encode_dense(TABLE))


def test_a_shard_written_again_without_a_receipt_is_refused_and_encoded_again(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(seal.time, "sleep", pauses.append)
    planned = loaded.plan("one")
    for item in loaded.items(planned):
        loaded.encode(planned, item)
    write_again(loaded, planned, 1)
    with pytest.raises(RecordSetError, match=r"1 of 4 shards .*matrix_00001"):
        loaded.seal(planned)
    assert tuple(pauses) == seal.SETTLING
    again = loaded.train("two")
    assert [item["shard"] for item in loaded.items(again)] == [1]


def test_a_shard_written_again_after_sealing_is_sealed_anew(loaded: Pipeline) -> None:
    planned = loaded.train("one")
    write_again(loaded, planned, 1).leave(loaded.s3, loaded.bucket, planned["prefix"], "train")
    again = loaded.train("two")
    assert not again["complete"]
    assert again["shards_to_encode"] == 1
    assert loaded.train("three")["complete"]


def test_a_shard_that_was_never_encoded_is_not_waited_for(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal.time, "sleep", lambda _: pytest.fail("nobody is about to write it"))
    planned = loaded.plan("one")
    for item in loaded.items(planned)[:3]:
        loaded.encode(planned, item)
    with pytest.raises(RecordSetError, match=r"1 of 4 shards .*matrix_00003"):
        loaded.seal(planned)


def test_a_plan_under_a_running_map_leaves_its_items_alone(loaded: Pipeline) -> None:
    running = loaded.plan("one")
    items = loaded.items(running)
    for item in items[:3]:
        loaded.encode(running, item)
    loaded.train("two")
    assert loaded.items(running) == items
    loaded.encode(running, items[3])
    assert loaded.seal(running)["input_data_config"]


def test_an_object_that_changes_mid_run_is_read_as_planned(loaded: Pipeline) -> None:
    planned = loaded.plan("one")
    items = loaded.items(planned)
    loaded.encode(planned, items[0])
    loaded.put_array("train/a.npy", -TABLE[:60])
    for item in items[1:]:
        loaded.encode(planned, item)
    loaded.seal(planned)
    assert b"".join(loaded.shards(planned)) == bytes(encode_dense(TABLE))
    again = loaded.train("two")
    assert again["fingerprint"] != planned["fingerprint"]
    assert b"".join(loaded.shards(again)) == bytes(encode_dense(np.concatenate([-TABLE[:60], TABLE[60:]])))


def test_a_version_that_is_gone_is_said(loaded: Pipeline) -> None:
    planned = loaded.plan("one")
    version = loaded.s3.head_object(Bucket=loaded.bucket, Key="input/train/a.npy")["VersionId"]
    loaded.s3.delete_object(Bucket=loaded.bucket, Key="input/train/a.npy", VersionId=version)
    with pytest.raises(ObjectChangedError, match=r"input/train/a\.npy"):
        loaded.encode(planned, loaded.items(planned)[0])


@pytest.mark.parametrize("deleted", [True, False])
def test_without_versioning_a_changed_object_is_never_mixed_in(s3: Any, bucket: str, deleted: bool) -> None:
    plain = f"plain-{bucket}"
    s3.create_bucket(Bucket=plain)
    pipeline = Pipeline(s3, plain)
    pipeline.settings["instance_count"] = 2
    pipeline.put_array("train/a.npy", TABLE)
    planned = pipeline.plan()
    first, second = pipeline.items(planned)
    pipeline.encode(planned, first)
    if deleted:
        s3.delete_object(Bucket=plain, Key="input/train/a.npy")
    else:
        pipeline.put_array("train/a.npy", -TABLE)
    with pytest.raises(ObjectChangedError, match="was replaced or deleted"):
        pipeline.encode(planned, second)
    with pytest.raises(RecordSetError):
        pipeline.seal(planned)


def test_encode_killed_between_parts_leaves_no_shard_and_runs_again(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies aborts nothing: its parts stay until the lifecycle rule, and no shard is there."""
    monkeypatch.setattr("amazon_estimators.pipeline.encode.PART_BYTES", 5 * 2**20)
    loaded.settings["instance_count"] = 1
    rows = np.random.default_rng(3).normal(size=(40_000, 64)).astype(np.float32)
    loaded.put_array("train/a.npy", rows)
    loaded.s3.delete_object(Bucket=loaded.bucket, Key="input/train/b.npy")
    planned = loaded.plan("one")
    (item,) = loaded.items(planned)
    with monkeypatch.context() as killed:
        killed.setattr(ObjectWriter, "_complete", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        killed.setattr(ObjectWriter, "discard", lambda self: None)
        with pytest.raises(KeyboardInterrupt):
            loaded.encode(planned, item)
    assert loaded.s3.list_multipart_uploads(Bucket=loaded.bucket)["Uploads"]
    assert not made(loaded, ".pbr")
    loaded.encode(planned, item)
    loaded.seal(planned)
    assert b"".join(loaded.shards(planned)) == bytes(encode_dense(rows))
