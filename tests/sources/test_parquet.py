"""Parquet: every row of the chosen columns once, wherever a file is cut; nothing else is read."""

from __future__ import annotations

import io
import itertools
import random
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet as arrow_parquet

from amazon_estimators.errors import AmazonEstimatorsError, InputError, ObjectChangedError, SchemaError
from amazon_estimators.sources import Piece, Source
from amazon_estimators.sources.files import waiting_columns
from amazon_estimators.sources.parquet import pages as parquet_pages
from amazon_estimators.sources.parquet import reader as parquet
from amazon_estimators.sources.parquet import row_group
from sources.in_memory_s3 import InMemoryS3


def written(table, **options) -> bytes:
    out = io.BytesIO()
    arrow_parquet.write_table(table, out, **options)
    return out.getvalue()


def rows_of(s3, pieces, source, schema):
    blocks = [block for piece in pieces for block in parquet.read(s3, piece, source, schema)]
    labels = None if schema.label is None else np.concatenate([block.labels for block in blocks])
    return np.concatenate([block.features for block in blocks]), labels


@settings(max_examples=40)
@given(
    rows=st.integers(1, 400),
    group=st.integers(30, 150),
    compression=st.sampled_from(["none", "snappy", "gzip", "zstd", "lz4", "brotli"]),
    dictionary=st.booleans(),
    at_once=st.sampled_from([1, 1500, row_group.AT_ONCE_BYTES]),
    waiting=st.sampled_from([1, 700, row_group.WAITING_BYTES]),
    held=st.sampled_from([0, waiting_columns.HELD_BYTES]),
    data=st.data(),
)
def test_every_row_once_wherever_a_file_is_cut(
    rows, group, compression, dictionary, at_once, waiting, held, data
):
    made = np.random.default_rng(rows)
    table = pa.table(
        {
            "f8": made.normal(size=rows),
            "word": [str(number) for number in range(rows)],
            "i8": made.integers(-100, 100, rows).astype(np.int8),
            "truth": made.integers(0, 2, rows).astype(bool),
            "label": made.integers(0, 2**40, rows),
            "f4": made.normal(size=rows).astype(np.float32),
        }
    )
    body = written(
        table, row_group_size=group, compression=compression, use_dictionary=dictionary, data_page_size=64
    )
    s3 = InMemoryS3()
    found, source = s3.put("a.parquet", body), Source(label="label", exclude=("word",))
    layout = parquet.look(s3, found, source)
    assert (layout.records, layout.schema.feature_dim) == (rows, 4)
    cuts = [0, *data.draw(st.lists(st.integers(0, rows), max_size=3).map(sorted)), rows]
    pieces = [
        Piece(found, start, stop, first_row=start) for start, stop in itertools.pairwise(cuts) if start < stop
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_group, "AT_ONCE_BYTES", at_once)
        patch.setattr(row_group, "WAITING_BYTES", waiting)
        patch.setattr(waiting_columns, "HELD_BYTES", held)
        patch.setattr(row_group, "BATCH_BYTES", 400)
        features, labels = rows_of(s3, pieces, source, layout.schema)
    expected = np.column_stack(
        [table[name].to_numpy().astype(np.float32) for name in ("f8", "i8", "truth", "f4")]
    )
    np.testing.assert_array_equal(features, expected)
    np.testing.assert_array_equal(labels, table["label"].to_numpy())


def test_more_columns_than_memory_has_room_for_are_read_in_passes(monkeypatch):
    monkeypatch.setattr(row_group, "AT_ONCE_BYTES", 300_000)
    made = np.random.default_rng(0).normal(size=(50_000, 10))
    table = pa.table({f"c{number}": made[:, number] for number in range(10)})
    s3 = InMemoryS3()
    found = s3.put("a.parquet", written(table, use_dictionary=False, max_rows_per_page=10**9))
    layout = parquet.look(s3, found, Source(features=tuple(range(9, 0, -1)), label=0))
    before, held, row, s3.served = pa.total_allocated_bytes(), 0, 0, 0
    for block in parquet.read(s3, Piece(found, 0, 50_000, 0), Source(), layout.schema):
        held = max(held, pa.total_allocated_bytes() - before)
        rows = made[row : row + len(block.features)]
        np.testing.assert_array_equal(block.features, rows[:, :0:-1].astype(np.float32))
        np.testing.assert_array_equal(block.labels, rows[:, 0])
        row += len(block.features)
    assert row == 50_000
    assert held < 2**20
    assert s3.served < 1.1 * found.size  # and none of it twice


@pytest.mark.parametrize("at_once", [1, 2**18, 2**24])
@pytest.mark.parametrize("label", ["a", None])
def test_a_row_group_is_read_on_where_pages_turn_out_larger(at_once, label, monkeypatch):
    """Dictionaries that become too large are given up: small pages, then large ones."""
    monkeypatch.setattr(parquet, "ROOM", 2**15)
    monkeypatch.setattr(row_group, "BATCH_BYTES", 2**15)
    monkeypatch.setattr(row_group, "AT_ONCE_BYTES", at_once)
    rooms = []
    larger = parquet_pages.LargerPage.__init__

    def noting(page, room):
        rooms.append(room)
        larger(page, room)

    monkeypatch.setattr(parquet_pages.LargerPage, "__init__", noting)
    made = np.arange(60_000.0)
    table = pa.table({name: np.concatenate([made % 7, made + place]) for place, name in enumerate("abc")})
    body = written(
        table,
        dictionary_pagesize_limit=2**10,
        data_page_size=2**17,
        row_group_size=90_000,
        compression="none",
    )
    s3 = InMemoryS3()
    found, source = s3.put("a.parquet", body), Source(label=label)
    layout = parquet.look(s3, found, source)
    features, labels = rows_of(s3, [Piece(found, 50, 119_000, 50)], source, layout.schema)
    names = "bc" if label else "abc"
    expected = np.column_stack([table[name].to_numpy()[50:119_000] for name in names])
    np.testing.assert_array_equal(features, expected.astype(np.float32))
    if label:
        np.testing.assert_array_equal(labels, table["a"].to_numpy()[50:119_000])
    assert 1 <= len(rooms) <= 3  # met in the first row group, remembered in the second


def test_neighbouring_columns_are_fetched_together():
    made = np.random.default_rng(0).normal(size=(40, 3000))
    table = pa.table({f"c{number}": made[:, number] for number in range(3000)})
    s3 = InMemoryS3()
    found = s3.put("a.parquet", written(table))
    layout = parquet.look(s3, found, Source(label="c7"))
    s3.calls = s3.served = 0
    features, labels = rows_of(s3, [Piece(found, 0, 40, 0)], Source(), layout.schema)
    np.testing.assert_array_equal(features, np.delete(made, 7, axis=1).astype(np.float32))
    np.testing.assert_array_equal(labels, made[:, 7])
    assert s3.calls < 30
    assert s3.served < 1.3 * found.size


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has /dev/full")
def test_a_page_for_every_row_is_odd_and_not_damaged():
    """Its headers are most of such a file, and counted among the column's bytes."""
    out, rows = io.BytesIO(), np.arange(30_000) * 1.5
    arrow_parquet.write_table(
        pa.table({"a": rows}), out, use_dictionary=False, max_rows_per_page=1, write_batch_size=1
    )
    s3 = InMemoryS3()
    found = s3.put("a.parquet", out.getvalue())
    layout = parquet.look(s3, found, Source())
    blocks = parquet.read(s3, Piece(found, 0, len(rows)), Source(), layout.schema)
    np.testing.assert_array_equal(np.concatenate([block.features[:, 0] for block in blocks]), rows)


def test_a_full_disk_is_told_with_the_room_needed(monkeypatch):
    monkeypatch.setattr(row_group, "AT_ONCE_BYTES", 1)
    s3 = InMemoryS3()
    found = s3.put("a.parquet", written(pa.table({"a": np.arange(5000.0), "b": np.arange(5000.0)})))
    layout = parquet.look(s3, found, Source())
    full = partial(Path("/dev/full").open, "r+b")
    monkeypatch.setattr(waiting_columns, "HELD_BYTES", 0)
    monkeypatch.setattr(waiting_columns.tempfile, "TemporaryFile", full)
    with pytest.raises(InputError, match=r"tmp.* is full: 40,000 bytes of columns .*\n.*TMPDIR"):
        list(parquet.read(s3, Piece(found, 0, 5000, 0), Source(), layout.schema))


def test_a_missing_value_is_named_in_whichever_pass_it_is_found(monkeypatch):
    monkeypatch.setattr(row_group, "AT_ONCE_BYTES", 1)
    values = [float(number) for number in range(9)]
    for column in range(3):
        table = pa.table(
            {name: [*values, None] if place == column else [*values, 1.0] for place, name in enumerate("aby")}
        )
        s3 = InMemoryS3()
        found = s3.put("a.parquet", written(table))
        layout = parquet.look(s3, found, Source(label="y"))
        with pytest.raises(InputError, match=rf"row 9, column {column} \('{'aby'[column]}'\): no value"):
            list(parquet.read(s3, Piece(found, 3, 10, 3), Source(), layout.schema))


def test_missing_values_of_all_columns_are_named_whichever_pass_finds_one(monkeypatch):
    monkeypatch.setattr(row_group, "AT_ONCE_BYTES", 1)
    values = [float(number) for number in range(30)]
    table = pa.table(
        {"a": values, "b": [*values[:20], *[None] * 10], "y": [*values[:11], None, *values[:18]]}
    )
    s3 = InMemoryS3()
    found = s3.put("a.parquet", written(table))
    layout = parquet.look(s3, found, Source(label="y"))
    with pytest.raises(
        InputError,
        match=r"row 11, column 2 \('y'\): no value; column 1 \('b'\): 8 without a value of 18 rows, "
        "first in row 20",
    ):
        list(parquet.read(s3, Piece(found, 10, 28, 10), Source(), layout.schema))


def test_columns_that_wait_for_others_are_fetched_ahead_once(monkeypatch):
    """However many passes there are, and of a row group that is cut no more than its rows need."""
    made = np.random.default_rng(0).normal(size=(20_000, 30))
    table = pa.table({f"c{number}": made[:, number] for number in range(30)})
    s3 = InMemoryS3()
    body = written(table, compression="none", use_dictionary=False, max_rows_per_page=1000)
    found = s3.put("a.parquet", body)
    layout = parquet.look(s3, found, Source())
    monkeypatch.setattr(row_group, "AT_ONCE_BYTES", 1)
    monkeypatch.setattr(row_group, "WINDOWS", 2**14)
    for stop, share in ((20_000, 1.0), (5_000, 0.25)):
        s3.served = 0
        rows_of(s3, [Piece(found, 0, stop, 0)], Source(), layout.schema)
        assert s3.served < (share + 0.2) * found.size + 64 * 2**10


def test_only_the_chosen_columns_of_the_row_groups_of_a_piece_are_fetched():
    made = np.random.default_rng(0).normal(size=(100_000, 10))
    table = pa.table({f"c{number}": made[:, number] for number in range(10)})
    s3 = InMemoryS3()
    found = s3.put(
        "a.parquet", written(table, row_group_size=10_000, compression="none", use_dictionary=False)
    )
    layout = parquet.look(s3, found, Source(features=("c7", "c2")))
    s3.served = 0
    (features, _) = rows_of(s3, [Piece(found, 15_000, 25_000, 15_000)], Source(), layout.schema)
    np.testing.assert_array_equal(features, made[15_000:25_000][:, [7, 2]].astype(np.float32))
    assert s3.served < 2 * 2 * 10_000 * 8 * 1.2 + 70_000


def test_a_row_group_larger_than_memory_allows_is_read_by_page(monkeypatch):
    monkeypatch.setattr(row_group, "WINDOWS", 2**16)
    monkeypatch.setattr(row_group, "BATCH_BYTES", 2**16)
    table = pa.table(
        {"a": np.arange(3 * 10**5, dtype=np.float32), "b": np.arange(3 * 10**5, dtype=np.float32)}
    )
    s3 = InMemoryS3()
    found = s3.put(
        "a.parquet", written(table, compression="none", use_dictionary=False, data_page_size=2**14)
    )
    layout = parquet.look(s3, found, Source())
    before = pa.total_allocated_bytes()
    row = 0
    for block in parquet.read(s3, Piece(found, 0, 3 * 10**5, 0), Source(), layout.schema):
        np.testing.assert_array_equal(block.features[:, 1], np.arange(row, row + len(block.features)))
        row += len(block.features)
        assert pa.total_allocated_bytes() - before < 2**20
    assert row == 3 * 10**5
    assert s3.largest <= 2**16


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"a": [1.0, None, 3.0]}), r"row 1, column 0 \('a'\): no value"),
        (pa.table({"a": ["x", "y", "z"]}), r"column 0 \('a'\): its type is string, which is not numeric"),
        (pa.table({"a": [[1.0], [2.0], [3.0]]}), "its type is list"),
        (pa.table({"a": pa.array([], pa.float32())}), "has no rows"),
    ],
)
def test_what_is_no_number_is_named(table, message):
    s3 = InMemoryS3()
    found = s3.put("a.parquet", written(table))
    with pytest.raises(InputError, match=message):
        layout = parquet.look(s3, found, Source())
        rows_of(s3, [Piece(found, 0, layout.stop, 0)], Source(), layout.schema)


def test_a_file_of_other_columns_is_refused():
    s3 = InMemoryS3()
    schema = parquet.look(s3, s3.put("a.parquet", written(pa.table({"a": [1.0]}))), Source()).schema
    other = s3.put("b.parquet", written(pa.table({"b": [1.0]})))
    with pytest.raises(SchemaError, match=r"b\.parquet has columns b; expected a"):
        list(parquet.read(s3, Piece(other, 0, 1, 0), Source(), schema))


def test_truncated_and_damaged_files_end_in_errors_of_ours():
    table = pa.table({"a": np.round(np.random.default_rng(1).normal(size=2000), 1), "b": np.arange(2000.0)})
    bodies = [
        written(table, compression=name, row_group_size=700) for name in ("none", "snappy", "zstd", "gzip")
    ]
    dice = random.Random(0)
    refused = 0
    for number in range(400):
        body = bytearray(dice.choice(bodies))
        if number % 4 == 0:
            body = body[: dice.randrange(len(body))]
        else:
            for _ in range(dice.choice([1, 4])):
                body[dice.randrange(len(body)) if number % 4 == 1 else -dice.randrange(1, 900)] = (
                    dice.randrange(256)
                )
        s3 = InMemoryS3()
        found = s3.put("a.parquet", bytes(body))
        try:
            layout = parquet.look(s3, found, Source())
            for _ in parquet.read(s3, Piece(found, 0, layout.stop, 0), Source(), layout.schema):
                pass
        except AmazonEstimatorsError:
            refused += 1
    assert refused > 200


def test_a_changed_object_is_refused_not_mixed():
    s3 = InMemoryS3()
    made = np.random.default_rng(0).normal(size=(2, 50_000))
    body = written(pa.table({"a": made[0]}), use_dictionary=False, compression="none")
    found = s3.put("a.parquet", body)
    layout = parquet.look(s3, found, Source())
    blocks = parquet.read(s3, Piece(found, 0, 50_000, 0), Source(), layout.schema)
    s3.objects["a.parquet"] = written(pa.table({"a": made[1]}), use_dictionary=False, compression="none")
    with pytest.raises(ObjectChangedError):
        list(blocks)
