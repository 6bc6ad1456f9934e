"""Rows that are left out: Plan cannot know how many, so Seal counts by receipts, and tells."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pipeline_runs import Pipeline

from amazon_estimators.errors import InputError, RecordSetError
from amazon_estimators.record_sets.keys import PROFILE, RECORD_SET
from amazon_estimators.sources.delimited import reader

HEADER = b"age,city,y\n"
WHOLE = b"".join(b"%d,Rome,%d\n" % (row, row % 2) for row in range(40))
GAPS = b"NA,Rome,1\n" * 40


@pytest.fixture
def customers(pipeline: Pipeline) -> Pipeline:
    pipeline.settings |= {
        "algorithm": "LinearLearner",
        "hyperparameters": {"predictor_type": "binary_classifier"},
        "instance_count": 2,
        "channels": {"train": {"label": "y", "one_hot": {"city": ["Rome", "Oslo"]}, "drop_incomplete": True}},
    }
    return pipeline


def test_counts_come_from_receipts(customers: Pipeline) -> None:
    customers.put("train/a.csv", HEADER + GAPS[:30] + WHOLE + GAPS[:70] + WHOLE)
    planned = customers.train()
    facts = customers.facts(planned)
    assert (facts["num_records"], facts["dropped"], facts["feature_dim"]) == (80, 10, 3)
    assert facts["read_as"]["source"]["drop_incomplete"] is True
    assert sum(shard["records"] for shard in facts["shards"]) == 80
    assert any("10 of 90 rows were left out" in told for told in planned["request"]["warnings"])
    profile = json.loads(customers.get(f"{planned['prefix']}train/{PROFILE}"))
    assert profile["records"] == 80
    assert profile["names"] == ["age", "city=Rome", "city=Oslo"]


def test_a_record_set_with_rows_left_out_is_complete(customers: Pipeline) -> None:
    customers.put("train/a.csv", HEADER + GAPS[:30] + WHOLE)
    first = customers.train()
    again = customers.plan("second")
    assert again["complete"] and again["fingerprint"] == first["fingerprint"]
    assert again["request"]["warnings"] == first["request"]["warnings"]


def test_a_shard_without_a_row_left_is_no_shard(customers: Pipeline) -> None:
    """Three shards of which one loses all: two instances have two."""
    customers.settings["target_shard_bytes"] = 1
    customers.put("train/a.csv", HEADER + GAPS[:50] + WHOLE[:200])
    planned = customers.train()
    facts = customers.facts(planned)
    assert planned["shards"] > facts["num_shards"] >= 2
    assert len(customers.manifest(planned)) == 1 + facts["num_shards"]
    assert all(customers.shards(planned))
    assert facts["dropped"] == 5
    assert customers.plan("again")["complete"]


def test_fewer_shards_than_instances_name_the_rows_left_out(customers: Pipeline) -> None:
    customers.put("train/a.csv", HEADER + GAPS + WHOLE)
    with pytest.raises(RecordSetError, match=r"1 of 2 shards hold .*; rows left out .*: 40") as caught:
        customers.train()
    assert "Fill gaps in the Source" in caught.value.remedy
    assert not any(key.endswith(RECORD_SET) for key in customers.all_keys("recordsets/"))
    # The way out: gaps are filled. Another option of the Source encodes again.
    channel: dict[str, Any] = customers.settings["channels"]["train"]
    customers.settings["channels"] = {"train": {**channel, "drop_incomplete": False, "fill": {"age": 40}}}
    planned = customers.train("filled")
    assert (customers.facts(planned)["num_records"], customers.facts(planned)["dropped"]) == (80, 0)


def test_a_word_that_is_not_listed_ends_the_execution(customers: Pipeline) -> None:
    customers.put("train/a.csv", HEADER + WHOLE + b"1,Bonn,1\n")
    with pytest.raises(InputError, match=r"row 40, column 1 .'city'.: 'Bonn' is not listed in one_hot"):
        customers.train()


def test_sharded_anywhere_the_records_are_the_same(
    customers: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large text is cut at any byte, whatever its cells hold."""
    monkeypatch.setattr(reader, "COUNTED_BYTES", 1000)
    monkeypatch.setattr(reader, "FIRST_LOOK", 1000)
    text = HEADER + b"".join(
        b'%s,"%s",%d\n'
        % (b"NA" if row % 7 == 0 else b"%d" % row, b"Rome" if row % 2 else b"Os,\nlo", row % 2)
        for row in range(3000)
    )
    channel = {"label": "y", "one_hot": {"city": ["Rome", "Os,\nlo"]}, "drop_incomplete": True}
    customers.put("train/a.csv", text)
    sizes, records = (2**30, 9_000, 2_000), []
    for size in sizes:
        customers.settings |= {"target_shard_bytes": size, "channels": {"train": channel}}
        planned = customers.train(f"size-{size}")
        assert "by bytes of input" in str(planned["understood"])
        records.append(b"".join(customers.shards(planned)))
    assert records[0] == records[1] == records[2]
