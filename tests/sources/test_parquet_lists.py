"""Lists of one length, such as embeddings, are as many features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from amazon_estimators.algorithms import KMeans
from amazon_estimators.errors import InputError
from amazon_estimators.sources import Piece, Source
from amazon_estimators.sources.parquet import reader
from sources.encoded import encoded
from sources.in_memory_s3 import InMemoryS3

FLOAT32 = pa.float32()


def stored(values: np.ndarray, kind: pa.DataType = FLOAT32) -> pa.Table:
    rows, length = values.shape
    lists = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel(), kind), length)
    return pa.table({"id": pa.array(range(rows)), "emb": lists, "y": pa.array(np.arange(rows) / 2)})


@settings(max_examples=60)
@given(st.data())
def test_every_value_of_every_list(data: st.DataObject) -> None:
    rows, length = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 9))
    kind = data.draw(st.sampled_from([pa.float32(), pa.float64(), pa.int16()]))
    values = np.random.default_rng(rows).integers(-9, 9, (rows, length)).astype(kind.to_pandas_dtype())
    out = pa.BufferOutputStream()
    parquet.write_table(
        stored(values, kind),
        out,
        row_group_size=data.draw(st.integers(1, 30)),
        use_dictionary=data.draw(st.booleans()),
        data_page_version=data.draw(st.sampled_from(["1.0", "2.0"])),
        compression=data.draw(st.sampled_from(["none", "snappy", "zstd"])),
    )
    s3 = InMemoryS3()
    found, source = s3.put("a.parquet", out.getvalue().to_pybytes()), Source(features=("emb",), label="y")
    layout = reader.look(s3, found, source)
    start = data.draw(st.integers(0, rows - 1))
    stop = data.draw(st.integers(start + 1, rows))
    blocks = list(reader.read(s3, Piece(found, start, stop, start), source, layout.schema))
    np.testing.assert_array_equal(np.concatenate([block.features for block in blocks]), values[start:stop])
    np.testing.assert_array_equal(
        np.concatenate([block.labels for block in blocks]), np.arange(start, stop) / 2
    )


def test_lists_beside_other_columns(tmp_path: Path) -> None:
    values = np.arange(12.0).reshape(4, 3)
    parquet.write_table(stored(values), tmp_path / "a.parquet")
    features, labels = encoded(tmp_path / "a.parquet", label="y")
    np.testing.assert_array_equal(features, np.column_stack([range(4), values]))
    np.testing.assert_array_equal(labels, np.arange(4) / 2)
    features, _ = encoded(tmp_path / "a.parquet", KMeans, features=["emb[2]", "id", "emb[0]"])
    np.testing.assert_array_equal(features, np.column_stack([values[:, 2], range(4), values[:, 0]]))
    np.testing.assert_array_equal(
        encoded(tmp_path / "a.parquet", KMeans, exclude=["emb", "y"])[0], [[0], [1], [2], [3]]
    )


def test_a_wide_list_is_read_in_bounded_memory(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=(3000, 768)).astype(np.float32)
    parquet.write_table(stored(values), tmp_path / "a.parquet", row_group_size=1000)
    np.testing.assert_array_equal(encoded(tmp_path / "a.parquet", KMeans, features=["emb"])[0], values)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1.0, 2.0], None], r"row 1, column 0 \('emb'\): no value"),
        ([[1.0, 2.0], [3.0, None]], r"row 1, column 0 \('emb'\), value 1: no value"),
    ],
)
def test_a_missing_list_or_value_is_named(tmp_path: Path, rows: list, message: str) -> None:
    table = pa.table({"emb": pa.array(rows, pa.list_(pa.float32(), 2))})
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(InputError, match=message):
        encoded(tmp_path / "a.parquet", KMeans)


@settings(max_examples=20)
@given(
    rows=st.lists(
        st.none() | st.lists(st.none() | st.integers(-9, 9), min_size=3, max_size=3), min_size=1, max_size=12
    ),
    kind=st.sampled_from([pa.float16(), pa.float32(), pa.float64(), pa.int16(), pa.int64()]),
    rules=st.sampled_from(
        [{"fill": {"emb": 5}}, {"drop_incomplete": True}, {"fill": {"emb": 5}, "scale": {"emb": (1, 2)}}]
    ),
)
def test_gaps_in_lists_are_filled_or_left_out(
    tmp_path_factory: pytest.TempPathFactory, rows: list, kind: pa.DataType, rules: dict
) -> None:
    path = tmp_path_factory.mktemp("t") / "a.parquet"
    cells = [
        None if row is None else [None if value is None else kind.to_pandas_dtype()(value) for value in row]
        for row in rows
    ]
    parquet.write_table(pa.table({"n": range(len(rows)), "emb": pa.array(cells, pa.list_(kind, 3))}), path)
    frame = pd.DataFrame([row or [None] * 3 for row in rows], dtype="float64")
    frame.insert(0, "n", range(len(rows)))
    frame = frame.dropna() if "drop_incomplete" in rules else frame.fillna(5)
    if "scale" in rules:
        frame.iloc[:, 1:] = (frame.iloc[:, 1:] - 1) / 2
    if not len(frame):
        return
    np.testing.assert_array_equal(encoded(path, KMeans, **rules)[0], frame.to_numpy(np.float32))


def test_lists_of_any_length_are_named_and_the_way_out_works(tmp_path: Path) -> None:
    table = pa.table({"emb": pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float64()))})
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(
        InputError, match=r"(?s)its type is list<.*pyarrow\.list_\(pyarrow\.float32\(\), length\)"
    ):
        encoded(tmp_path / "a.parquet", KMeans)
    fixed = table.cast(pa.schema([("emb", pa.list_(pa.float32(), 2))]))
    parquet.write_table(fixed, tmp_path / "a.parquet")
    np.testing.assert_array_equal(encoded(tmp_path / "a.parquet", KMeans)[0], [[1, 2], [3, 4]])
