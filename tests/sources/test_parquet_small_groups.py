"""Small row groups are fetched many at a time, and every row is read once."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from amazon_estimators.sources import Piece, Source
from amazon_estimators.sources.parquet import reader, small_groups
from sources.in_memory_s3 import InMemoryS3


def stored(rows: int, columns: int, group: int) -> tuple[bytes, np.ndarray]:
    values = np.random.default_rng(rows).normal(size=(rows, columns))
    table = pa.table({f"x{number}": values[:, number] for number in range(columns)})
    out = io.BytesIO()
    parquet.write_table(table, out, row_group_size=group)
    return out.getvalue(), values.astype(np.float32)


def read(s3: InMemoryS3, body: bytes, start: int, stop: int, source: Source) -> np.ndarray:
    found = s3.put("a.parquet", body)
    schema = reader.look(s3, found, source).schema
    blocks: list[Any] = [
        block.features for block in reader.read(s3, Piece(found, start, stop, start), source, schema)
    ]
    return np.concatenate(blocks) if blocks else np.empty((0, schema.feature_dim), np.float32)


@settings(max_examples=60)
@given(st.data())
def test_every_row_once_whatever_the_groups_and_the_runs(data: st.DataObject) -> None:
    rows, columns = data.draw(st.integers(1, 200)), data.draw(st.integers(1, 4))
    body, values = stored(rows, columns, data.draw(st.integers(1, 50)))
    start = data.draw(st.integers(0, rows))
    stop = data.draw(st.integers(start, rows))
    features = data.draw(st.lists(st.integers(0, columns - 1), min_size=1, unique=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_groups, "RUN_BYTES", data.draw(st.sampled_from([1, 500, 5000, 2**22])))
        got = read(InMemoryS3(), body, start, stop, Source(features=tuple(features)))
    np.testing.assert_array_equal(got, values[start:stop, features])


def test_a_thousand_groups_take_few_requests() -> None:
    body, values = stored(100_000, 3, 100)
    s3 = InMemoryS3()
    np.testing.assert_array_equal(read(s3, body, 0, 100_000, Source()), values)
    assert s3.calls <= 4 + 2 * len(body) // small_groups.RUN_BYTES
    assert s3.largest <= small_groups.RUN_BYTES
