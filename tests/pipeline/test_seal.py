"""Seal: a manifest is the last thing written, and shards that disagree get none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pipeline_runs import Pipeline

from amazon_estimators.errors import SchemaError
from amazon_estimators.pipeline.receipts import read_receipts
from amazon_estimators.record_sets.keys import MANIFEST, PROFILE, RECORD_SET
from amazon_estimators.summaries import Labels

TABLE = np.arange(400, dtype=np.float32).reshape(100, 4)


class Puts:
    """S3 that keeps the order of PUTs, and fails those of keys that end with ``failing``."""

    def __init__(self, s3: Any, failing: str = "nothing") -> None:
        self._s3, self._failing = s3, failing
        self.keys: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def put_object(self, *, Key: str, **request: Any) -> Any:
        if Key.endswith(self._failing):
            raise ConnectionError(Key)
        self.keys.append(Key)
        return self._s3.put_object(Key=Key, **request)


@pytest.fixture
def two_channels(pipeline: Pipeline) -> Pipeline:
    pipeline.settings["channels"] = {"train": {}, "test": {}}
    for name in ("train", "test"):
        pipeline.put_array(f"{name}/a.npy", TABLE)
    return pipeline


def encoded(pipeline: Pipeline) -> dict[str, Any]:
    planned = pipeline.plan()
    for item in pipeline.items(planned):
        pipeline.encode(planned, item)
    return planned


def test_no_manifest_is_written_before_all_channels_are_described(two_channels: Pipeline) -> None:
    planned = encoded(two_channels)
    two_channels.s3 = puts = Puts(two_channels.s3)
    two_channels.seal(planned)
    roots = [f"{planned['prefix']}{name}/" for name in ("train", "test")]
    steps = [{root + name for root in roots} for name in (PROFILE, RECORD_SET, MANIFEST)]
    assert [set(puts.keys[at : at + 2]) for at in (0, 2, 4)] == steps
    assert len(puts.keys) == 6


@pytest.mark.parametrize("channel", ["train", "test"])
def test_a_description_that_cannot_be_written_leaves_no_manifest(
    two_channels: Pipeline, channel: str
) -> None:
    planned = encoded(two_channels)
    two_channels.s3 = Puts(two_channels.s3, failing=f"/{channel}/{RECORD_SET}")
    with pytest.raises(ConnectionError, match=channel):
        two_channels.seal(planned)
    assert not [key for key in two_channels.all_keys(planned["prefix"]) if key.endswith(MANIFEST)]
    assert not two_channels.plan("again")["complete"]


@pytest.mark.parametrize(
    "other",
    [
        {"labels": Labels(0.0, 1.0, True)},
        {"dtype": "float64"},
        {"feature_dim": 5},
        {"sparse": True},
    ],
    ids=str,
)
def test_shards_that_disagree_are_refused(pipeline: Pipeline, other: dict[str, Any]) -> None:
    """Encode holds files to the plan; what two versions of the library encoded meets in Seal alone."""
    pipeline.settings["instance_count"] = 3
    pipeline.put_array("train/a.npy", TABLE)
    planned = encoded(pipeline)
    place = (pipeline.bucket, planned["prefix"], "train")
    (receipt,) = (one for one in read_receipts(pipeline.s3, *place) if one.shard == 1)
    pipeline.s3.delete_object(Bucket=pipeline.bucket, Key=receipt.key(*place[1:]))
    replace(receipt, facts=replace(receipt.facts, **other)).leave(pipeline.s3, *place)
    with pytest.raises(SchemaError, match=r"channel train: shards 0 and 1 disagree: .*\nGive all files"):
        pipeline.seal(planned)
    assert not [key for key in pipeline.all_keys(planned["prefix"]) if key.endswith(MANIFEST)]


def test_shards_may_hold_labels_and_records_of_their_own(pipeline: Pipeline) -> None:
    pipeline.settings |= {
        "algorithm": "LinearLearner",
        "hyperparameters": {"predictor_type": "regressor"},
        "instance_count": 3,
        "channels": {"train": {"label": 0}},
    }
    pipeline.put_array("train/a.npy", TABLE)
    pipeline.seal(planned := encoded(pipeline))
    facts = pipeline.facts(planned)
    assert facts["labels"] == {"minimum": 0.0, "maximum": 396.0, "integral": True}
    assert [one["records"] for one in facts["shards"]] == [34, 33, 33]
