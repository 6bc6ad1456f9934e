"""Encode adds up the profiles of each hundred shards; with them or without, Seal writes the same profile."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_runs import Pipeline

from amazon_estimators.algorithms import KMeans
from amazon_estimators.client.local_encoding import encode_files
from amazon_estimators.handlers import encode
from amazon_estimators.logs import logged, noted
from amazon_estimators.pipeline import channel_profile, group_profiles, keys, shard_profiles
from amazon_estimators.pipeline.group_profiles import leave_group_profile, read_group_profiles
from amazon_estimators.pipeline.receipts import Receipt, read_receipts
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.record_sets.keys import PROFILE
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import PROFILED_FEATURES, FeatureProfile
from amazon_estimators.record_sets.profiles.moments import Moments
from amazon_estimators.sources import Source
from faulty_s3 import BEFORE, FaultyS3

SHARDS = 230
"""Two whole groups, and one of 30."""


class Run:
    """A pipeline of one row per shard, on S3 in memory."""

    def __init__(self, table: np.ndarray, **settings: Any) -> None:
        self.s3 = FaultyS3()
        self.pipeline = Pipeline(self.s3, "bucket")
        self.pipeline.settings |= {"target_shard_bytes": 1, **settings}
        self.pipeline.put_array("train/a.npy", table)
        self.planned = self.pipeline.plan()
        self.items = list(map(json.loads, self.body(self.planned["shards_key"]).splitlines()))

    @property
    def plan(self) -> Plan:
        return Plan.load(self.s3, "bucket", self.planned["prefix"])

    @property
    def receipts(self) -> list[Receipt]:
        return list(read_receipts(self.s3, "bucket", self.planned["prefix"], "train"))

    @property
    def of_groups(self) -> list[str]:
        return sorted(key for key in self.s3.objects if f"/{keys.GROUP_PROFILES}" in key)

    def body(self, key: str) -> bytes:
        return self.s3.objects[key][0][1]

    def encode(self, items: Any = None) -> Run:
        for item in self.items if items is None else items:
            self.pipeline.encode(self.planned, item)
        return self

    def again(self) -> Run:
        """Return a run of its own that goes on from here."""
        run = deepcopy(self)
        run.s3.calls.clear()
        return run

    def without_groups(self) -> Run:
        run = self.again()
        for key in run.of_groups:
            del run.s3.objects[key]
        return run

    def sealed(self) -> bytes:
        """Seal, and return the profile of the RecordSet."""
        self.pipeline.seal(self.planned)
        return self.body(f"{self.planned['prefix']}train/{PROFILE}")

    def read(self, directory: str) -> int:
        """Return how many objects of a directory were read."""
        return sum(operation == "GetObject" and f"/{directory}" in key for operation, key in self.s3.calls)


def rows(shards: int, seed: int = 0) -> np.ndarray:
    """A row per shard, whose sums depend on the order of adding up."""
    return np.random.default_rng(seed).lognormal(0, 5, (shards, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def encoded() -> Run:
    return Run(rows(SHARDS)).encode()


@pytest.fixture(scope="module")
def profile(encoded: Run) -> bytes:
    return encoded.without_groups().sealed()


def test_seal_reads_a_profile_per_group(encoded: Run, profile: bytes) -> None:
    run = encoded.again()
    assert [Path(key).name for key in run.of_groups] == ["000.json", "001.json", "002.json"]
    assert run.sealed() == profile
    assert (run.read(keys.GROUP_PROFILES), run.read(keys.PROFILES)) == (3, 0)
    document = ProfileDocument.from_json(profile, "uri")
    assert (document.shards, document.missing, document.profile.records) == (SHARDS, 0, SHARDS)


@given(
    shards=st.integers(101, 320),
    seed=st.integers(0, 2**32 - 1),
    left_out=st.sets(st.integers(0, 3)),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=8)
def test_the_same_rows_have_the_same_profile_on_every_way(
    tmp_path_factory: pytest.TempPathFactory, shards: int, seed: int, left_out: set[int], order: Any
) -> None:
    table = rows(shards, seed)
    run = Run(table)
    order.shuffle(run.items)
    run.encode()
    grouped, alone, some = run.again().sealed(), run.without_groups().sealed(), run.again()
    assert len(some.of_groups) == -(-shards // 100)
    for key in some.of_groups:
        if int(Path(key).stem) in left_out:
            del some.s3.objects[key]
    assert grouped == alone == some.sealed()
    directory = tmp_path_factory.mktemp("local")
    np.save(directory / "a.npy", table)
    encode_files(
        [directory / "a.npy"],
        directory / "out",
        KMeans,
        channel="train",
        source=Source(),
        instance_count=1,
        target_shard_bytes=1,
        prefix="s3://bucket/rows/",
        progress=lambda done, total: None,
    )
    assert (directory / "out" / PROFILE).read_bytes() == grouped


def test_sums_depend_on_the_order_of_adding_up(encoded: Run, profile: bytes) -> None:
    """If not, the tests above could not tell that all ways add up in the same order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channel_profile, "in_groups", lambda receipts: [[one] for one in receipts])
        assert encoded.without_groups().sealed() != profile


def test_the_last_encode_of_a_group_adds_it_up_and_encoded_again_it_is_the_same(encoded: Run) -> None:
    run = Run(rows(SHARDS))
    first, last = run.items[:100], run.items[100:]
    run.encode(first[:40] + first[41:] + last[:50])
    assert run.of_groups == []
    run.encode(first[40:41])
    assert [Path(key).name for key in run.of_groups] == ["000.json"]
    run.encode(last)
    run.encode(first[:1])
    assert [run.body(key) for key in run.of_groups] == [encoded.body(key) for key in encoded.of_groups]


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: b"",
        lambda body: body[:-9],
        lambda body: body.replace(b'"shards": 100', b'"shards": 99'),
        lambda body: body.replace(b"feature_profile/1", b"feature_profile/2"),
    ],
    ids=["empty", "cut", "changed", "of-another-release"],
)
def test_a_group_profile_that_is_damaged_is_not_missed(
    encoded: Run, profile: bytes, damage: Callable[[bytes], bytes]
) -> None:
    run = encoded.again()
    key = run.of_groups[1]
    run.s3.put(key, damage(run.body(key)))
    assert run.sealed() == profile
    assert run.read(keys.PROFILES) == 100


def test_a_group_profile_that_is_too_large_is_not_read(
    encoded: Run, profile: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = encoded.again()
    run.s3.put(run.of_groups[1], run.body(run.of_groups[1]) + b" " * 100_000)
    monkeypatch.setattr(group_profiles, "PROFILE_LIMIT", 100_000)
    assert run.sealed() == profile
    assert (run.read(keys.GROUP_PROFILES), run.read(keys.PROFILES)) == (2, 100)


def test_the_profile_of_another_group_does_not_count(encoded: Run, profile: bytes) -> None:
    run = encoded.again()
    run.s3.put(run.of_groups[1], run.body(run.of_groups[0]))
    assert run.sealed() == profile


@pytest.mark.parametrize(
    "change",
    [
        lambda one: [replace(one[0], sha256="0" * 64), *one[1:]],
        lambda one: [one[1], one[0], *one[2:]],
        lambda one: [replace(one[0], facts=replace(one[0].facts, records=2)), *one[1:]],
        lambda one: [replace(receipt, facts=replace(receipt.facts, feature_dim=4)) for receipt in one],
        lambda one: one[1:],
    ],
    ids=["other-content", "other-order", "more-records", "more-features", "fewer-shards"],
)
def test_a_group_profile_counts_for_exactly_its_shards(
    encoded: Run, change: Callable[[list[Receipt]], list[Receipt]]
) -> None:
    run, group = encoded.again(), encoded.receipts[100:200]
    assert next(read_group_profiles(run.s3, run.plan, "train", [group])) is not None
    assert list(read_group_profiles(run.s3, run.plan, "train", [change(group)])) == [None]


CALLS_OF_GROUP = {
    "receipts": ("ListObjectsV2", "receipts/train/001"),
    "profiles": ("ListObjectsV2", "profiles/train/001"),
    "a profile": ("GetObject", "profiles/train/00142.json"),
    "the group's": ("PutObject", "group_profiles/train/001.json"),
}


@pytest.mark.parametrize("fault", [*BEFORE, "cut in the body", "lost answer"])
@pytest.mark.parametrize("call", CALLS_OF_GROUP)
def test_an_encode_with_a_receipt_never_fails_by_its_group(
    encoded: Run, profile: bytes, call: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_estimators.storage.faults.time.sleep", lambda seconds: None)
    run, again = encoded.without_groups(), encoded.items[123:124]
    root = run.planned["prefix"]
    operation, key = CALLS_OF_GROUP[call]
    run.s3.at = encoded.without_groups().encode(again).s3.calls.index((operation, f"{root}{key}"))
    run.s3.fault = fault

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        run.encode(again)
        return dict(noted())

    told = logged("Encode")(handler)({}, None)
    assert "group_profile" in told
    run.s3.at = -1
    assert run.sealed() == profile


def test_a_group_that_takes_too_long_is_left_to_seal(
    encoded: Run, profile: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_profiles, "LONGEST", -1.0)
    run = encoded.without_groups().encode(encoded.items[:1])
    assert run.of_groups == []
    assert run.sealed() == profile


@pytest.mark.parametrize(("left", "groups"), [(25.0, 2), (300.0, 3)])
def test_a_group_is_left_to_seal_if_lambda_would_end_the_function(
    encoded: Run, profile: bytes, left: float, groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = encoded.again()
    del run.s3.objects[run.of_groups[1]]
    monkeypatch.setattr(encode.s3, "client", lambda: run.s3)
    place = {name: run.planned[name] for name in ("bucket", "prefix", "attempt")}
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: left * 1000)
    encode.handler({**place, **run.items[123]}, context)
    assert len(run.of_groups) == groups
    assert any(operation == "ListObjectsV2" for operation, _ in run.s3.calls) == (groups == 3)
    assert run.sealed() == profile


@pytest.mark.parametrize("fault", [*BEFORE, "cut in the body", "lost answer"])
def test_a_group_profile_that_s3_does_not_return_is_not_missed(
    encoded: Run, profile: bytes, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_estimators.storage.faults.time.sleep", lambda seconds: None)
    run, whole = encoded.again(), encoded.again()
    whole.sealed()
    run.s3.at = whole.s3.calls.index(("GetObject", run.of_groups[1]))
    run.s3.fault = fault
    assert run.sealed() == profile
    assert run.read(keys.PROFILES) == 100
    assert "group_profile" in noted()


@pytest.mark.parametrize("way", ["missing", "of another shard", "huge"])
def test_a_group_with_a_shard_without_profile_is_not_added_up(
    encoded: Run, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, key = encoded.without_groups(), f"{encoded.planned['prefix']}profiles/train/00142.json"
    if way == "missing":
        del run.s3.objects[key]
    elif way == "huge":
        run.s3.put(key, b" " * 100_000)
        monkeypatch.setattr(shard_profiles, "PROFILE_LIMIT", 99_999)
    else:
        run.s3.put(key, run.body(key.replace("142", "141")))
    run.encode(run.items[100:101])
    assert run.of_groups == []
    document = ProfileDocument.from_json(run.sealed(), "uri")
    assert (document.shards, document.missing) == (SHARDS - 1, 1)


def test_shards_without_records_have_no_part_in_their_group() -> None:
    table = rows(SHARDS)
    table[20:120, 1] = np.nan
    table[150, 0] = np.nan
    run = Run(table, channels={"train": {"drop_incomplete": True}})
    run.encode(run.items[:150] + run.items[151:] + run.items[150:151])
    assert len(run.of_groups) == 3
    document = ProfileDocument.from_json(run.body(run.of_groups[1]), "uri")
    assert (document.shards, document.profile.records) == (79, 79)
    grouped = run.again().sealed()
    assert grouped == run.without_groups().sealed()
    assert ProfileDocument.from_json(grouped, "uri").profile.records == SHARDS - 101


def test_a_group_without_any_record_has_no_profile() -> None:
    table = rows(SHARDS)
    table[100:200, 1] = np.nan
    run = Run(table, channels={"train": {"drop_incomplete": True}}).encode()
    assert [Path(key).name for key in run.of_groups] == ["000.json", "002.json"]
    assert run.sealed() == run.without_groups().sealed()


def of_shards(plan: Plan, shards: int) -> Plan:
    """Return the plan as if its channel had so many shards."""
    return replace(plan, channels={"train": replace(plan.channels["train"], shards=shards)})


def test_the_widest_profiles_are_added_up_in_bounded_memory(encoded: Run) -> None:
    """Group 1 of 120 shards has 20, whose profiles take 5 MB each, and while they are read much more."""
    run, first = encoded.again(), encoded.receipts[0]
    plan, chance = of_shards(run.plan, 120), np.random.default_rng(0)
    for key in (key for key in list(run.s3.objects) if "/receipts/" in key):
        del run.s3.objects[key]
    for shard in range(100, 120):
        receipt = replace(
            first, shard=shard, facts=replace(first.facts, records=2, feature_dim=PROFILED_FEATURES)
        )
        run.s3.put(receipt.key(plan.prefix, "train"), b"")
        low, high, mean, squares = chance.normal(size=(4, PROFILED_FEATURES))
        zeros = np.zeros(PROFILED_FEATURES, np.int64)
        profile = FeatureProfile(Moments(2, low, high, mean, squares, zeros, zeros > 0, 2.0), None)
        text = ProfileDocument(profile, shard_sha256=receipt.sha256).to_json()
        run.s3.put(keys.shard_profile_key(plan.prefix, "train", shard), text.encode())
    tracemalloc.start()
    leave_group_profile(run.s3, plan, "train", receipt)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    (key,) = (key for key in run.of_groups if run.body(key) != encoded.s3.objects[key][0][1])
    assert ProfileDocument.from_json(run.body(key), "uri").profile.features == PROFILED_FEATURES
    assert peak < 60e6


def lists_by_encode(run: Run) -> list[str]:
    run.s3.calls.clear()
    run.encode(run.items[:1])
    return [key for operation, key in run.s3.calls if operation == "ListObjectsV2"]


def test_up_to_a_hundred_shards_and_text_are_encoded_without_a_listing() -> None:
    assert len(lists_by_encode(Run(rows(101)))) == 1
    assert lists_by_encode(Run(rows(100))) == []
    text = Run(rows(1))
    text.pipeline.settings |= {
        "algorithm": "IPInsights",
        "hyperparameters": {"num_entity_vectors": "20", "vector_dim": "4"},
    }
    del text.s3.objects["input/train/a.npy"]
    lines = "".join(f"user{number},192.0.2.{number}\n" for number in range(200))
    text.pipeline.put("train/a.csv", lines.encode())
    text.planned = text.pipeline.plan("text")
    text.items = list(map(json.loads, text.body(text.planned["shards_key"]).splitlines()))
    assert len(text.items) > 100
    assert lists_by_encode(text) == []


def test_shards_whose_numbers_have_six_digits_are_in_their_own_group(encoded: Run) -> None:
    """Group 1000 has shards 100,000 and more; shards 10,000 to 10,009 begin with the same digits."""
    run, first = encoded.again(), encoded.receipts[0]
    plan = of_shards(run.plan, 100_050)
    text = run.body(f"{plan.prefix}profiles/train/00000.json").decode()
    for shard in (*range(10_000, 10_010), *range(100_000, 100_050)):
        receipt = replace(first, shard=shard)
        run.s3.put(receipt.key(plan.prefix, "train"), b"")
        run.s3.put(keys.shard_profile_key(plan.prefix, "train", shard), text.encode())
        if shard < 100_049:
            leave_group_profile(run.s3, plan, "train", receipt)
    assert len(run.of_groups) == 3
    leave_group_profile(run.s3, plan, "train", receipt)
    (key,) = (key for key in run.of_groups if key.endswith("/1000.json"))
    assert ProfileDocument.from_json(run.body(key), "uri").shards == 50
    group = [replace(first, shard=shard) for shard in range(100_000, 100_050)]
    assert isinstance(next(read_group_profiles(run.s3, plan, "train", [group])), FeatureProfile)
