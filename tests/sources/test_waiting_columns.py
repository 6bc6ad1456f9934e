"""Columns that wait for others come back as they were put, from memory and from disk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_estimators.sources.files import waiting_columns as waiting


@settings(max_examples=60)
@given(st.data())
def test_every_value_in_any_order_of_columns(data: st.DataObject) -> None:
    columns, rows = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 300))
    kind = data.draw(st.sampled_from(["f4", "f8", "i8", "?"]))
    table = np.random.default_rng(rows).integers(0, 100, (columns, rows)).astype(kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting, "HELD_BYTES", data.draw(st.sampled_from([0, 2**20])))
        with waiting.waiting_columns(columns, rows, kind) as room:
            for column in data.draw(st.permutations(range(columns))):
                cut = data.draw(st.integers(0, rows))
                room.put(column, 0, table[column, :cut])
                room.put(column, cut, table[column, cut:])
            start = data.draw(st.integers(0, rows - 1))
            stop = data.draw(st.integers(start + 1, rows))
            np.testing.assert_array_equal(room.strips(start, stop), table[:, start:stop])


def test_a_double_beyond_float32_is_an_infinity_without_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    for held in (0, 2**20):
        monkeypatch.setattr(waiting, "HELD_BYTES", held)
        with waiting.waiting_columns(1, 2) as room:
            room.put(0, 0, np.array([1e300, np.nan]))
            assert room.strips(0, 1).tolist() == [[np.inf]]


@pytest.mark.parametrize("held", [0, 2**30])
@pytest.mark.parametrize("rows", [2**10, 2**10 - 16, 2**17, 100_000])
def test_columns_are_no_power_of_two_apart(monkeypatch: pytest.MonkeyPatch, held: int, rows: int) -> None:
    """Or a row's values would push each other out of the processor's cache."""
    monkeypatch.setattr(waiting, "HELD_BYTES", held)
    with waiting.waiting_columns(3, rows) as room:
        for column in range(3):
            room.put(column, 0, np.zeros(rows, np.float32))
        assert room.strips(0, rows).strides[0] % 4096 == 64
