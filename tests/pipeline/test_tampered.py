"""Files of ours, altered at random between any two steps: no error without a type, no training on
anything else."""

from __future__ import annotations

import gzip
import json
import random
from typing import Any

import pytest
from pipeline_runs import Pipeline
from test_faults import REQUEST, WHOLE, loaded, sealed

from amazon_estimators.errors import AmazonEstimatorsError, DamagedFileError
from amazon_estimators.pipeline.data_set import DataSet
from amazon_estimators.pipeline.explain import explain
from amazon_estimators.pipeline.keys import data_set_key
from amazon_estimators.record_sets.keys import PROFILE
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.storage.input_files import InputFiles
from faulty_s3 import FaultyS3

SEEDS = 2_000
PART = 250
KINDS = (
    "plan.json",
    "pieces.jsonl",
    "record_set.json",
    ".amazon.manifest",
    "/receipts/",
    "/profiles/",
    "feature_profile.json",
    "datasets/",
    ".pbr",
)
ROWS = 200
STAGES = ("planned", "encoded", "sealed")
VALUES: tuple[Any, ...] = (None, [], {}, 0, -1, 1e308, "", "x", True, [{}], {"version": 99})


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amazon_estimators.pipeline.seal.time.sleep", lambda seconds: None)


def alter(s3: FaultyS3, key: str, chance: random.Random) -> None:
    """Alter one file: a bit, the end, all of it, a value, its name, or something else of the kind in its
    place."""
    body = bytearray(s3.objects[key][0][1])
    way = chance.choice(("bit", "bit", "cut", "gone", "value", "value", "value", "other", "renamed"))
    if way == "gone":
        del s3.objects[key]
    elif way == "renamed" or ("/receipts/" in key and chance.random() < 0.7):
        versions = s3.objects.pop(key)
        at = chance.randrange(len(key) - 8, len(key))
        s3.objects[f"{key[:at]}{chance.choice('Aa0_=')}{key[at + 1 :]}"] = versions
    elif way == "other":
        other = chance.choice([name for name in s3.objects if name != key])
        s3.put(key, s3.objects[other][0][1])
    elif way == "value" and (altered := with_other_value(bytes(body), chance)) is not None:
        s3.put(key, altered)
    elif way == "cut" or not body:
        s3.put(key, bytes(body[: chance.randrange(len(body) + 1)]))
    else:
        body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        s3.put(key, bytes(body))


def with_other_value(body: bytes, chance: random.Random) -> bytes | None:
    """Return JSON with one value exchanged, None if the body is not JSON."""
    try:
        lines = [json.loads(line) for line in body.splitlines()]
    except ValueError:
        return None
    if not lines:
        return None
    at = chance.randrange(len(lines))
    value: Any = lines[at]
    while True:
        places = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not places:
            return None
        place = chance.choice(places)
        inner = value[place]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.7:
            value = inner
            continue
        value[place] = inner + 1 if type(inner) is int and chance.random() < 0.5 else chance.choice(VALUES)
        return "\n".join(map(json.dumps, lines)).encode()


def go_on(s3: FaultyS3, stage: str, planned: dict[str, Any]) -> dict[str, Any]:
    """Do what is left after ``stage``; returns the training request."""
    pipeline = small(s3)
    if stage == "sealed":
        planned = pipeline.plan("again", data_set=planned["data_set"])
    if not planned["complete"]:
        if stage != "encoded":
            for item in map(json.loads, s3.objects[planned["shards_key"]][0][1].splitlines()):
                pipeline.encode(planned, item)
        planned["request"] = pipeline.seal(planned)
    request: dict[str, Any] = planned["request"]
    return request


def small(s3: FaultyS3) -> Pipeline:
    pipeline = Pipeline(s3, "bucket")
    pipeline.settings["target_shard_bytes"] = 2_000
    return pipeline


def at_stage(stage: str) -> tuple[FaultyS3, dict[str, Any]]:
    s3 = loaded()
    pipeline = small(s3)
    planned = pipeline.plan()
    if stage != "planned":
        for item in map(json.loads, s3.objects[planned["shards_key"]][0][1].splitlines()):
            pipeline.encode(planned, item)
    if stage == "sealed":
        pipeline.seal(planned)
    return s3, planned


READY = {stage: at_stage(stage) for stage in STAGES}


def data(request: dict[str, Any]) -> Any:
    return request["input_data_config"], request["hyperparameters"]


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_an_altered_file_is_never_trained_on(first: int) -> None:
    for seed in range(first, first + PART):
        chance = random.Random(seed)
        stage = chance.choice(STAGES)
        ready, planned = READY[stage]
        s3 = FaultyS3(ready.objects)
        kind = chance.choice(KINDS)
        keys = [key for key in s3.objects if kind in key]
        if keys:
            alter(s3, chance.choice(keys), chance)
        try:
            request = go_on(s3, stage, dict(planned))
        except AmazonEstimatorsError as error:
            assert error.remedy, f"seed {seed}: {error}"
            assert "s3://" in str(error), f"seed {seed}: {error}"
        except Exception as error:
            pytest.fail(f"seed {seed}: {stage}, {kind}: {type(error).__name__}: {error}")
        else:
            assert data(request) == data(REQUEST), f"seed {seed}"
            assert sealed(s3).items() >= sealed(WHOLE).items(), f"seed {seed}: {stage}, {kind}"
        check_profile(s3, seed)
        # A new execution goes on without what is damaged.
        pipeline = small(s3)
        again = pipeline.plan("later")
        if not again["complete"]:
            for item in map(json.loads, s3.objects[again["shards_key"]][0][1].splitlines()):
                pipeline.encode(again, item)
            again["request"] = pipeline.seal(again, "later")
        assert data(again["request"]) == data(REQUEST), f"seed {seed}"


def check_profile(s3: FaultyS3, seed: int) -> None:
    """A profile is that of all shards, or says which are missing, or is refused by its name."""
    for key in [key for key in s3.objects if key.endswith(PROFILE)]:
        try:
            document = ProfileDocument.from_json(s3.objects[key][0][1], f"s3://bucket/{key}")
        except DamagedFileError as error:
            assert f"s3://bucket/{key}" in str(error), f"seed {seed}: {error}"
        else:
            whole = document.profile.records == ROWS
            assert whole or document.missing or document.shard_sha256, f"seed {seed}"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"error": 5}', b"[" * 5_000])
def test_a_damaged_failure_is_explained_all_the_same(body: bytes) -> None:
    s3 = FaultyS3()
    s3.put("recordsets/f/failures/one-0/00000.json", body)
    plan = {"bucket": "bucket", "prefix": "recordsets/f/", "attempt": "one-0"}
    answer = explain(s3, {"Error": "States.ExceedToleratedFailureThreshold", "Cause": ""}, plan)
    assert "s3://bucket/recordsets/f/failures/one-0/00000.json" in answer["cause"]


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("name", ["schema", "data_set", "as_of", "channels", "left_out"])
def test_the_head_of_a_data_set_is_believed_or_refused(name: str, value: Any) -> None:
    """A head is altered so that gzip and JSON are whole: only its fields tell."""
    s3 = FaultyS3()
    s3.put("input/a.csv", b"1,2")
    whole = DataSet.take(s3, "bucket", {"train": InputFiles("input/")})
    whole.freeze(s3, "bucket", "")
    key = data_set_key("", whole.version)
    head, *lines = gzip.decompress(s3.objects[key][0][1]).splitlines()
    altered = json.dumps({**json.loads(head), name: value}).encode()
    s3.objects[key] = [("v1", gzip.compress(b"\n".join([altered, *lines])))]
    try:
        loaded = DataSet.load(s3, "bucket", "", whole.version)
    except AmazonEstimatorsError as error:
        assert key in str(error)
    else:
        assert [list(loaded.channels[one]) for one in ("train",)] == [list(whole.channels["train"])]
    if name == "schema":
        with pytest.raises(AmazonEstimatorsError):
            DataSet.load(s3, "bucket", "", whole.version)
