"""Columns of Parquet that have no type of their own, or values that float32 does not hold."""

from __future__ import annotations

import ast
import datetime
import decimal
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from amazon_estimators.algorithms import KMeans, LinearLearner
from amazon_estimators.errors import InputError, SchemaError
from amazon_estimators.sources.parquet import row_group
from sources.encoded import encoded


def stored(directory: Path, name: str = "a.parquet", **columns: Any) -> Path:
    parquet.write_table(pa.table(columns), directory / name)
    return directory / name


@pytest.mark.parametrize("option", ["fill", "drop_incomplete"])
def test_a_column_without_a_value_in_one_file_has_gaps_as_told(tmp_path: Path, option: str) -> None:
    """pandas writes a column of None alone without a type, in one part of many."""
    stored(tmp_path, "a.parquet", a=[1.5, 2.5], b=[1, 2])
    stored(tmp_path, "b.parquet", a=pa.nulls(2), b=[3, 4])
    with pytest.raises(InputError, match=r"b\.parquet, column 0 \('a'\): its type is null") as caught:
        encoded(tmp_path, KMeans)
    value = re.search(rf"{option}=(\{{.*?\}}|True)", caught.value.remedy).group(1)
    features = encoded(tmp_path, KMeans, **{option: ast.literal_eval(value)})[0].tolist()
    assert features == [[1.5, 1], [2.5, 2], *([[0, 3], [0, 4]] if option == "fill" else [])]


def test_words_without_a_value_in_one_file_are_gaps(tmp_path: Path) -> None:
    stored(tmp_path, "a.parquet", a=["x", "y"], b=[1, 2])
    stored(tmp_path, "b.parquet", a=pa.nulls(1), b=[3])
    features, _ = encoded(tmp_path, KMeans, one_hot={"a": ["x", "y"]}, fill={"a": "y"})
    assert features.tolist() == [[1, 0, 1], [0, 1, 2], [0, 1, 3]]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([b"x" * 16], pa.binary(16)),
        pa.array([datetime.date(2024, 1, 1)]),
        pa.array([decimal.Decimal("1.5")]),
    ],
    ids=["bytes of one length", "date", "decimal"],
)
def test_words_are_not_looked_for_in_other_types(tmp_path: Path, values: pa.Array) -> None:
    path = stored(tmp_path, a=values, b=[1])
    with pytest.raises(InputError, match=r"column 0 \('a'\): its type is") as caught:
        encoded(path, KMeans, one_hot={"a": ["x"]})
    assert "Cast" in caught.value.remedy or "Take numbers out of dates" in caught.value.remedy


@pytest.mark.parametrize("at_once", [2**24, 1], ids=["in memory", "on disk"])
def test_a_double_beyond_float32_is_shown_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(row_group, "AT_ONCE_BYTES", at_once)
    path = tmp_path / "a.parquet"
    table = pa.table({"y": [0.0] * 9, "a": [1.0] * 9, "b": [1.0] * 7 + [1e300, 1.0]})
    parquet.write_table(table, path, row_group_size=5)
    with pytest.raises(InputError, match=r"row 7, column 2 \('b'\): 1e\+300 is beyond float32"):
        encoded(path, LinearLearner, label="y")


def test_a_column_that_is_not_there_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    path = stored(tmp_path, price=[1.0], emb=pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2)))
    with pytest.raises(SchemaError) as caught:
        encoded(path, LinearLearner, label="Price")
    assert caught.value.remedy == "Did you mean 'price'?"
    with pytest.raises(SchemaError) as caught:
        encoded(path, LinearLearner, label="emb")
    assert "emb[0]" in caught.value.remedy
    assert encoded(path, LinearLearner, label="emb[0]")[1].tolist() == [1]
    with pytest.raises(SchemaError) as caught:
        encoded(path, LinearLearner, label=7)
    assert "count from 0" in caught.value.remedy
