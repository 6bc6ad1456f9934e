"""The sharding rule: counts, balance, order, and units that are not cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_estimators.pipeline.sharding import cut_evenly, most_shards, pieces_of_shards, shard_count
from amazon_estimators.sources import Layout, Schema
from amazon_estimators.storage.s3 import InputObject

SCHEMA = Schema(3, None, None, None)


@pytest.mark.parametrize(
    ("output", "target", "instances", "shards"),
    [(1, 100, 3, 3), (300, 100, 3, 3), (301, 100, 3, 6), (0, 100, 1, 1), (10**12, 2**28, 1, 3726)],
)
def test_the_fewest_shards_under_the_target(output, target, instances, shards):
    assert shard_count(output_bytes=output, target_bytes=target, instance_count=instances) == shards


@given(st.integers(0, 10**12), st.integers(1, 999))
def test_cuts_differ_by_one(total, parts):
    sizes = [stop - start for start, stop in itertools.pairwise(cut_evenly(total, parts))]
    assert sum(sizes) == total and max(sizes) - min(sizes) <= 1


def objects_of(kinds):
    made = []
    for number, (kind, size) in enumerate(kinds):
        found = InputObject("b", f"{number}", size, "e")
        records = {"rows": size // 3 + 1, "cuts": 5}.get(kind)
        layout = Layout(
            schema=SCHEMA,
            start=7 if kind == "bytes" else 0,
            stop=size // 3 + 1 if kind == "rows" else size,
            records=records,
            row_cuts=range(0, size, size // 5)[:5] if kind == "cuts" else None,
            whole=kind == "whole",
        )
        made.append((found, layout))
    return made


KINDS = st.lists(
    st.tuples(st.sampled_from(["rows", "cuts", "bytes", "whole"]), st.integers(50, 5000)),
    min_size=1,
    max_size=8,
)


@given(KINDS, st.integers(1, 12))
def test_every_object_is_covered_once_in_order_whatever_its_units(kinds, parts):
    objects = objects_of(kinds)
    shards = [list(shard) for shard in pieces_of_shards(objects, parts)]
    assert len(shards) == parts
    pieces = [piece for shard in shards for piece in shard]
    for found, layout in objects:
        mine = [piece for piece in pieces if piece.source == found]
        assert mine[0].start == layout.start and mine[-1].stop == layout.stop
        assert all(before.stop == after.start for before, after in itertools.pairwise(mine))
        assert not layout.whole or len(mine) == 1
        if layout.records is not None:
            assert [layout.cut(piece.first_row) for piece in mine] == [piece.start for piece in mine]
    order = [int(piece.source.key) for piece in pieces]
    assert order == sorted(order)


@given(st.lists(st.integers(3, 5000), min_size=1, max_size=8), st.integers(1, 12))
def test_counted_rows_are_balanced_to_one(sizes, parts):
    objects = objects_of([("rows", size) for size in sizes])
    counts = [sum(piece.stop - piece.start for piece in shard) for shard in pieces_of_shards(objects, parts)]
    assert max(counts) - min(counts) <= 1


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=12), st.data())
def test_units_leave_no_shard_empty_while_there_are_enough(sizes, data):
    objects = objects_of([("whole", size) for size in sizes])
    parts = data.draw(st.integers(1, len(sizes)))
    assert most_shards(objects) == len(sizes)
    assert all(list(shard) for shard in pieces_of_shards(objects, parts))


def test_bytes_are_balanced_to_one_percent():
    objects = objects_of([("bytes", 10**6), ("rows", 3 * 10**6), ("cuts", 10**4), ("bytes", 10**7)])
    share = sum(found.size for found, _ in objects) / 10
    for shard in pieces_of_shards(objects, 10):
        rows = {"1": 3 * 10**6 / (10**6 + 1), "2": 1}
        size = sum((piece.stop - piece.start) * rows.get(piece.source.key, 1) for piece in shard)
        assert abs(size - share) < share / 100
