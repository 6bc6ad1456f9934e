"""Predictions as Parquet: read back they are the engine's own, beside columns with the types of the input."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pipeline_runs import Pipeline
from scoring_runs import Scoring
from test_scoring import table

from amazon_estimators.errors import InputError
from amazon_estimators.scoring import parquet_table

RNG = np.random.default_rng(29)


@pytest.fixture
def named(pipeline: Pipeline) -> Scoring:
    """A model of the columns a, b and c, whose predictions are Parquet."""
    pipeline.put("train/rows.csv", table({name: RNG.normal(size=20).round(3) for name in "abc"}))
    scoring = Scoring(pipeline)
    scoring.settings["format"] = "parquet"
    return scoring


def read_back(parts: list[bytes]) -> pa.Table:
    return pa.concat_tables([pq.read_table(io.BytesIO(part)) for part in parts])


def file_of(columns: dict[str, Any], **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, **options)
    return file.getvalue()


def test_sixteen_shards_with_an_empty_and_an_odd_file_read_back_as_the_engine_predicts(
    named: Scoring,
) -> None:
    features = RNG.normal(size=(4_000, 3)).round(4)
    columns = dict(zip("abc", features.T, strict=True))
    named.put("part-00.csv", table({name: column[:1500] for name, column in columns.items()}))
    named.put("part-01.csv", b"")
    named.put("part-02.csv", b"a,b,c\n")
    named.put("part-03.csv", b"\xef\xbb\xbf" + table({n: c[1500:] for n, c in columns.items()}))
    named.settings["target_shard_bytes"] = 1 + 4_000 * 36 // 16
    manifest, parts = named.run()
    assert len(parts) == 16
    assert [pq.read_metadata(io.BytesIO(part)).num_rows for part in parts] == [
        part["rows"] for part in manifest["parts"]
    ]
    found, expected = read_back(parts), named.model.predict(features.astype(np.float32))
    assert found.column_names == [column["name"] for column in manifest["columns"]] == [*expected]
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name].to_numpy(), values)
        assert found[name].type == pa.from_numpy_dtype(values.dtype)


ROWS = 3_000
KEPT: dict[str, Any] = {
    "id": pa.array(2**53 + np.arange(ROWS) * 7),
    "small": pa.array((np.arange(ROWS) % 100).astype(np.int8)),
    "word": pa.array([None if at % 5 == 0 else f'row "{at}",\nof many' for at in range(ROWS)]),
    "kind": pa.array([("red", "blue", None)[at % 3] for at in range(ROWS)]).dictionary_encode(),
    "is_new": pa.array([None if at % 7 == 0 else at % 2 == 0 for at in range(ROWS)]),
    "day": pa.array([date(2026, 11, 1 + at % 29) for at in range(ROWS)]),
    "at": pa.array(
        [datetime(2026, 1, 1, at % 24, microsecond=at, tzinfo=UTC) for at in range(ROWS)],
        pa.timestamp("us", "UTC"),
    ),
    "price": pa.array([Decimal(at) / 100 for at in range(ROWS)], pa.decimal128(12, 2)),
    "raw": pa.array([bytes([at % 256, 255]) for at in range(ROWS)], pa.binary()),
}
"""Columns of Parquet to keep: types that CSV does not have."""


def test_kept_columns_of_parquet_keep_their_types_over_sixteen_shards(named: Scoring) -> None:
    features = RNG.normal(size=(ROWS, 3))
    columns = {**KEPT, **dict(zip("abc", features.T, strict=True))}
    halves = [{name: column[rows] for name, column in columns.items()} for rows in _HALVES]
    named.put("part-00.parquet", file_of(halves[0], row_group_size=300))
    named.put("part-01.parquet", file_of(halves[1], row_group_size=450, use_dictionary=False))
    size = len(file_of(halves[0])) + len(file_of(halves[1]))
    keep = ["at", *(name for name in KEPT if name != "at")]
    named.settings |= {"keep": keep, "target_shard_bytes": 1 + size // 24}
    manifest, parts = named.run()
    assert len(parts) >= 16
    found, expected = read_back(parts), named.model.predict(features.astype(np.float32))
    assert found.column_names == [*keep, *expected]
    for name, values in KEPT.items():
        stored = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
        assert found[name].combine_chunks() == stored, name
        assert found[name].type == stored.type
    np.testing.assert_array_equal(found["closest_cluster"].to_numpy(), expected["closest_cluster"])
    types = {column["name"]: column["type"] for column in manifest["columns"]}
    assert (types["at"], types["price"]) == ("timestamp[us, tz=UTC]", "decimal128(12, 2)")
    assert types["closest_cluster"] == "integer"


_HALVES = (slice(0, 1_400), slice(1_400, None))


def test_the_same_columns_are_text_where_the_output_has_no_types(named: Scoring) -> None:
    rows = {name: column[:3] for name, column in KEPT.items()}
    named.put("a.parquet", file_of({**rows, **dict.fromkeys("abc", np.ones(3))}))
    named.settings |= {"format": "csv", "keep": ["at", "day", "price", "is_new", "small"]}
    _, parts = named.run()
    assert (
        parts[0].decode().splitlines()[2].startswith("2026-01-01 01:00:00.000001Z,2026-11-02,0.01,false,1,")
    )


def test_ids_of_text_and_of_arrays_keep_what_they_have(named: Scoring) -> None:
    named.put("a.csv", b"id,a,b,c\n007,1,2,3\n,4,5,6\n")
    named.settings["keep"] = ["id"]
    found = read_back(named.run("first")[1])
    assert found["id"].to_pylist()[0] == "007"
    named.s3.delete_object(Bucket=named.bucket, Key="scores/input/a.csv")
    file = io.BytesIO()
    ones = np.ones(2)
    np.savez(file, id=np.array([3, 4], np.int16), a=ones, b=ones, c=ones)
    named.put("a.npz", file.getvalue())
    found = read_back(named.run("second")[1])
    assert (found["id"].type, found["id"].to_pylist()) == (pa.int16(), [3, 4])


def test_row_groups_are_written_as_they_fill(named: Scoring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_table, "ROW_GROUP_BYTES", 60_000)
    features = RNG.normal(size=(20_000, 3)).round(4)
    named.put("a.csv", table(dict(zip("abc", features.T, strict=True))))
    _, (part,) = named.run()
    assert pq.read_metadata(io.BytesIO(part)).num_row_groups > 1
    expected = named.model.predict(features.astype(np.float32))["closest_cluster"]
    np.testing.assert_array_equal(read_back([part])["closest_cluster"].to_numpy(), expected)


def test_a_file_whose_column_has_another_type_is_cast_or_named(named: Scoring) -> None:
    numbers = dict.fromkeys("abc", np.ones(2))
    named.put("a.parquet", file_of({**numbers, "id": pa.array([1, 2], pa.int32())}))
    named.put("b.parquet", file_of({**numbers, "id": pa.array([3, 4], pa.int64())}))
    named.settings["keep"] = ["id"]
    found = read_back(named.run("first")[1])
    assert (found["id"].type, found["id"].to_pylist()) == (pa.int32(), [1, 2, 3, 4])
    named.put("b.parquet", file_of({**numbers, "id": pa.array([3, 2**40], pa.int64())}))
    with pytest.raises(
        InputError, match=r"b\.parquet, column 'id': its type is int64, and int32 in the first"
    ):
        named.run("second")


@pytest.mark.parametrize(
    "column", [pa.array([{"x": 1}, {"x": 2}]), pa.array([None, None]), pa.array([[1], []])]
)
def test_what_is_no_value_of_a_row_is_refused_in_plan(named: Scoring, column: Any) -> None:
    named.put("a.parquet", file_of({**dict.fromkeys("abc", np.ones(2)), "odd": column}))
    named.settings["keep"] = ["odd"]
    with pytest.raises(InputError, match=r"column 'odd': its type is .*allowed: numbers, text"):
        named.plan()


def test_lists_of_one_length_stay_apart_as_in_features(named: Scoring) -> None:
    pairs = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(4, dtype=np.float32)), 2)
    named.put("a.parquet", file_of({**dict.fromkeys("abc", np.ones(2)), "pair": pairs}))
    named.settings["keep"] = ["pair"]
    found = read_back(named.run()[1])
    assert (found["pair[0]"].to_pylist(), found["pair[1]"].to_pylist()) == ([0, 2], [1, 3])


def test_a_prediction_that_is_a_list_is_a_list() -> None:
    from amazon_estimators.inference import Predictions

    writer = parquet_table.ParquetWriter()
    text = writer.block({}, Predictions({"projection": np.arange(6, dtype=np.float32).reshape(3, 2)}))
    found = pq.read_table(io.BytesIO(text + writer.end()))
    assert found["projection"].to_pylist() == [[0, 1], [2, 3], [4, 5]]
