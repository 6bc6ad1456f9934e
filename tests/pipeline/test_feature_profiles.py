"""Encode leaves a profile of each shard, Seal adds them up; training goes on without them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pipeline_runs import Pipeline

from amazon_estimators.logs import logged
from amazon_estimators.record_sets.keys import PROFILE
from amazon_estimators.record_sets.profiles.document import ProfileDocument

TABLE = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
TABLE[:, 1] = 7


@pytest.fixture
def four_shards(pipeline: Pipeline) -> Pipeline:
    pipeline.settings["instance_count"] = 4
    pipeline.put_array("train/a.npy", TABLE)
    return pipeline


def encoded(pipeline: Pipeline) -> dict[str, Any]:
    planned = pipeline.plan()
    for item in pipeline.items(planned):
        pipeline.encode(planned, item)
    return planned


def profile_of(pipeline: Pipeline, planned: dict[str, Any]) -> ProfileDocument:
    return ProfileDocument.from_json(pipeline.get(f"{planned['prefix']}train/{PROFILE}"), "uri")


def shard_profile(planned: dict[str, Any], shard: int) -> str:
    return f"{planned['prefix']}profiles/train/{shard:05d}.json"


def told_by_seal(pipeline: Pipeline, planned: dict[str, Any], caplog: pytest.LogCaptureFixture) -> str:
    """Seal, and return what its last log line says of features."""
    step = logged("Seal")(lambda event, _: pipeline.seal(planned))
    with caplog.at_level("INFO", logger="amazon_estimators"):
        assert step({}, None)["input_data_config"]
    return json.dumps(getattr(caplog.records[-1], "features"))  # noqa: B009 - an extra field


def test_the_profile_beside_the_record_set_is_that_of_the_table(
    four_shards: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    planned = encoded(four_shards)
    told = told_by_seal(four_shards, planned, caplog)
    document = profile_of(four_shards, planned)
    moments = document.profile.moments
    assert (moments.records, document.shards, document.missing) == (300, 4, 0)
    assert np.array_equal(moments.minimum, TABLE.min(axis=0))
    assert np.allclose(moments.variance, TABLE.astype(np.float64).var(axis=0), rtol=1e-9)
    median = document.profile.quantiles([0.5])
    assert median is not None
    assert np.array_equal(median[:, 0], np.quantile(TABLE, 0.5, axis=0, method="inverted_cdf"))
    assert document.warnings == ("constant: feature 1. They do not distinguish records; leave them out",)
    assert "constant: feature 1." in told


def test_encoded_again_a_shard_has_the_same_profile(four_shards: Pipeline) -> None:
    planned = encoded(four_shards)
    keys = [shard_profile(planned, shard) for shard in range(4)]
    first = [four_shards.get(key) for key in keys]
    for item in four_shards.items(planned):
        four_shards.encode(planned, item)
    assert [four_shards.get(key) for key in keys] == first


def test_names_are_those_of_the_features(pipeline: Pipeline) -> None:
    pipeline.settings |= {"algorithm": "LinearLearner", "hyperparameters": {"predictor_type": "regressor"}}
    pipeline.settings["channels"] = {"train": {"label": "y", "exclude": ["id"]}}
    pipeline.put("train/a.csv", b"id,y,b,a\n1,2.5,3.5,4.5\n2,3.5,4.5,5.5\n")
    pipeline.seal(planned := encoded(pipeline))
    assert profile_of(pipeline, planned).names == ("b", "a")


def test_counts_that_are_none_are_told_of_a_topic_model(pipeline: Pipeline) -> None:
    pipeline.settings |= {"algorithm": "NTM", "hyperparameters": {"num_topics": "2"}}
    pipeline.put_array("train/a.npy", np.array([[1, 2.5], [-1, 3], [2, 2]], np.float32))
    pipeline.seal(planned := encoded(pipeline))
    assert [text.partition(",")[0] for text in profile_of(pipeline, planned).warnings] == [
        "negative",
        "fractional",
    ]


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("missing", "an older release encoded the shard"),
        ("damaged", "its digest is not that of its content"),
        ("cut", "is not JSON"),
        ("of another shard", "is the profile of another shard"),
        ("of a newer release", "has the schema"),
        ("huge", "is not a profile: it has"),
    ],
    ids=lambda case: case.replace(" ", "-"),
)
def test_a_shard_without_its_profile_is_told_and_trained_on(
    four_shards: Pipeline,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    told: str,
) -> None:
    planned = encoded(four_shards)
    key = shard_profile(planned, 2)
    place = {"Bucket": four_shards.bucket, "Key": key}
    body = four_shards.get(key)
    if way == "missing":
        four_shards.s3.delete_object(**place)
    elif way == "huge":
        monkeypatch.setattr("amazon_estimators.pipeline.shard_profiles.PROFILE_LIMIT", len(body) + 2_000)
        four_shards.s3.put_object(**place, Body=body + b" " * 3_000)
    else:
        four_shards.s3.put_object(
            **place,
            Body={
                "damaged": body.replace(b'"records": 75', b'"records": 76'),
                "cut": body[:-5],
                "of another shard": four_shards.get(shard_profile(planned, 1)),
                "of a newer release": body.replace(b"feature_profile/1", b"feature_profile/2"),
            }[way],
        )
    line = told_by_seal(four_shards, planned, caplog)
    assert "1 of 4 shards are not in the profile" in line
    assert told in line
    document = profile_of(four_shards, planned)
    assert (document.shards, document.missing, document.profile.records) == (3, 1, 225)
    assert four_shards.plan("again")["complete"]


def test_a_record_set_without_any_profile_is_sealed(
    four_shards: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    planned = encoded(four_shards)
    for shard in range(4):
        four_shards.s3.delete_object(Bucket=four_shards.bucket, Key=shard_profile(planned, shard))
    assert "4 of 4 shards are not in the profile" in told_by_seal(four_shards, planned, caplog)
    assert f"{planned['prefix']}train/{PROFILE}" not in four_shards.all_keys(planned["prefix"])
    assert four_shards.plan("again")["complete"]


def test_sparse_rows_count_the_zeros_they_leave_out(pipeline: Pipeline) -> None:
    pipeline.put("train/a.libsvm", b"1 1:2 3:5\n0 3:-1\n1 2:4\n0 1:0 3:3\n")
    pipeline.seal(planned := encoded(pipeline))
    profile = profile_of(pipeline, planned).profile
    dense = np.array([[2, 0, 5], [0, 0, -1], [0, 4, 0], [0, 0, 3]], np.float64)
    assert profile.moments.zeros.tolist() == (dense == 0).sum(axis=0).tolist()
    assert np.allclose(profile.moments.mean, dense.mean(axis=0))
    assert np.allclose(profile.moments.variance, dense.var(axis=0))
    quantiles = profile.quantiles([0.25, 0.75])
    assert quantiles is not None
    assert np.array_equal(quantiles.T, np.quantile(dense, [0.25, 0.75], axis=0, method="inverted_cdf"))


def test_text_has_no_profile(pipeline: Pipeline) -> None:
    pipeline.settings |= {
        "algorithm": "IPInsights",
        "hyperparameters": {"num_entity_vectors": "20", "vector_dim": "4"},
    }
    pipeline.put("train/a.csv", b"alice,192.0.2.1\nbob,192.0.2.2\n")
    pipeline.seal(planned := encoded(pipeline))
    assert not [key for key in pipeline.all_keys(planned["prefix"]) if "profile" in key]
