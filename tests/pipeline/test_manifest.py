"""record_set.json and the manifest: one writer, one reader, and files of release 0.1.0 stay readable."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_estimators.errors import RecordSetError
from amazon_estimators.record_sets.manifest import (
    VERSION,
    StoredRecordSet,
    StoredShard,
    manifest_entries,
    write,
)
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.storage.documents import ANYWHERE, DIGEST, digest_of
from amazon_estimators.summaries import Labels, Tokens

SHARDS = (
    StoredShard("sets/f/train/matrix_00000.pbr", 3, 120, "ab" * 32, "e1"),
    StoredShard("sets/f/train/matrix_00001.pbr", 2, 80, "cd" * 32, None),
)
STORED = StoredRecordSet(
    RecordSet("s3://data/sets/f/train/.amazon.manifest", 5, 4, labels=Labels(0, 1, True), num_shards=2),
    SHARDS,
    "f" * 24,
    "d" * 24,
)

numbers = st.integers(0, 2**40)
record_sets = st.builds(
    RecordSet,
    s3_data=st.just("s3://data/x/.amazon.manifest"),
    num_records=numbers,
    feature_dim=numbers,
    labels=st.none() | st.builds(Labels, st.floats(-9, 9), st.floats(-9, 9), st.booleans()),
    sparse=st.booleans(),
    tokens=st.none() | st.tuples(st.builds(Tokens, numbers, numbers), st.builds(Tokens, numbers, numbers)),
    files=st.none() | st.lists(st.text(), min_size=1).map(tuple),
)


@given(
    record_sets,
    st.lists(st.builds(StoredShard, st.text(), numbers, numbers, st.text(), st.none() | st.text())),
)
def test_what_is_written_is_read(record_set: RecordSet, shards: list[StoredShard]) -> None:
    stored = StoredRecordSet(record_set, tuple(shards), "f", None)
    assert StoredRecordSet.from_json(stored.to_json(), "s3://data/x/record_set.json", RecordSet) == stored


def test_manifests_come_after_every_record_set() -> None:
    other = replace(STORED.record_set, s3_data="s3://data/sets/f/test/.amazon.manifest", channel="test")
    files = StoredShard("sets/f/test/files/vocab.txt", 1, 4, "", "e3")
    texts: dict[str, str] = {}
    write([STORED, StoredRecordSet(other, (files,))], texts.__setitem__)
    assert [key.rpartition("/")[2] for key in texts] == ["record_set.json"] * 2 + [".amazon.manifest"] * 2
    assert json.loads(texts["sets/f/train/record_set.json"])["version"] == VERSION
    assert manifest_entries(texts["sets/f/train/.amazon.manifest"], "") == (
        "s3://data/sets/f/train/",
        ["matrix_00000.pbr", "matrix_00001.pbr"],
    )
    # A container sees auxiliary files under the user's names, without a directory.
    assert manifest_entries(texts["sets/f/test/.amazon.manifest"], "") == (
        "s3://data/sets/f/test/files/",
        ["vocab.txt"],
    )


def without(*names: str) -> str:
    """Return the text without these fields; one with a version has a digest, and those of 0.1.0 neither."""
    facts = json.loads(STORED.to_json())
    kept = {name: value for name, value in facts.items() if name not in (*names, DIGEST)}
    return resealed(kept) if "version" in kept else json.dumps(kept)


def resealed(facts: dict[str, Any]) -> str:
    kept = {name: value for name, value in facts.items() if name != DIGEST}
    return json.dumps({**kept, DIGEST: digest_of(kept, place=ANYWHERE)})


@dataclass(frozen=True)
class Written:
    """What release 0.1.0 wrote: by Seal, by the estimator, by the command line."""

    by: str
    text: str
    expected: StoredRecordSet[RecordSet]


@pytest.mark.parametrize(
    "case",
    [
        Written(by="Seal", text=without("version"), expected=STORED),
        Written(
            by="estimator",
            text=without("version", "fingerprint", "data_set"),
            expected=replace(STORED, fingerprint=None, data_set=None),
        ),
        Written(
            by="command line",
            text=without("version", "fingerprint", "data_set", "shards"),
            expected=StoredRecordSet(STORED.record_set, ()),
        ),
    ],
    ids=lambda case: case.by,
)
def test_files_without_a_version_are_read(case: Written) -> None:
    assert StoredRecordSet.from_json(case.text, "s3://data/record_set.json", RecordSet) == case.expected


def test_fields_of_a_later_release_are_left_out() -> None:
    facts = json.loads(STORED.to_json())
    facts["profile"] = {"mean": 3}
    facts["shards"][0]["colour"] = "red"
    assert StoredRecordSet.from_json(resealed(facts), "", RecordSet) == STORED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "s3://b/record_set.json is not JSON"),
        ("[]", "s3://b/record_set.json is not a JSON object"),
        ('{"version": 2}', r"has version 2; allowed: 1, or none\n.*Install the release"),
        ('{"version": 1}', "was changed: its digest"),
        (resealed({"version": 1}), "does not describe a RecordSet"),
        (STORED.to_json().replace('"num_records": 5', '"num_records": 6'), "was changed: its digest"),
        (without("num_records"), "does not describe a RecordSet"),
        (
            '{"s3_data": "", "num_records": 1, "feature_dim": 1, "shards": [3]}',
            "does not describe a RecordSet",
        ),
        ('{"s3_data": "", "num_records": 1, "feature_dim": 1, "labels": 3}', "does not describe a RecordSet"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_files_that_describe_nothing_are_refused(text: str, message: str) -> None:
    with pytest.raises(RecordSetError, match=message):
        StoredRecordSet.from_json(text, "s3://b/record_set.json", RecordSet)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("{}", "is not a manifest; expecting .*matrix_00000.pbr"),
        ('[{"prefix": 3}, "a"]', "is not a manifest"),
        ('[{"prefix": "s3://b/"}, 3]', "is not a manifest"),
        ('["a"]', "is not a manifest"),
        ('[{"prefix": "s3://b/"}]', "lists no shard"),
    ],
)
def test_manifests_that_are_none_are_refused(text: Any, message: str) -> None:
    with pytest.raises(RecordSetError, match=message):
        manifest_entries(text, "s3://b/.amazon.manifest")
