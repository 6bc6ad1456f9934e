"""Data frames whose columns begin with gaps, or hold what is neither a number nor a word."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_estimators.errors import InputError
from amazon_estimators.sources import Source
from amazon_estimators.sources.in_memory import ColumnsInMemory, features_of


@settings(max_examples=40)
@given(
    words=st.lists(st.sampled_from(["a", "b", None]), min_size=1, max_size=9),
    dtype=st.sampled_from(["object", "string", "category"]),
    at_once=st.integers(1, 4),
)
def test_words_may_begin_with_gaps(words: list[str | None], dtype: str, at_once: int) -> None:
    frame = pd.DataFrame({"c": pd.Series(words, dtype=dtype), "n": range(len(words))})
    source = Source(one_hot={"c": ["a", "b"]}, fill={"c": "b"})
    filled = frame["c"].astype("object").fillna("b")
    expected = np.column_stack([filled == "a", filled == "b", frame["n"]]).astype(np.float32)
    np.testing.assert_array_equal(features_of(frame, source).features, expected)
    columns = ColumnsInMemory.of(frame, source)
    starts = range(0, len(frame), at_once)
    parts: Any = [columns.features(start, min(start + at_once, len(frame))).features for start in starts]
    np.testing.assert_array_equal(np.concatenate(parts), expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("rules", [{}, {"hashed": {"u": 8}}, {"scale": {"a": (0, 1)}}])
def test_values_that_float32_does_not_hold_are_named(value: float, rules: dict[str, Any]) -> None:
    frame = pd.DataFrame({"u": [1, 2], "a": [1.0, value]})
    with pytest.raises(InputError, match=rf"row 1, column 1 \('a'\): {re.escape(str(value))} is "):
        features_of(frame, Source(**rules))


KINDS = {
    "dates": pd.to_datetime(["2024-01-02", "2024-01-03"]),
    "spans": pd.to_timedelta([1, 2], unit="h"),
    "periods": pd.period_range("2024-01-01", periods=2, freq="D"),
    "sparse": pd.arrays.SparseArray([0.0, 1.0]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_other_types_become_numbers_as_told(kind: str) -> None:
    frame = pd.DataFrame({"c": KINDS[kind]})
    try:
        features_of(frame, Source())
        return
    except InputError as error:
        assert "column 0 ('c')" in error.message
        (code,) = re.findall(r"(frame\[name\]\S*?)(?:\.$| \(docs)", error.remedy)
    frame["c"] = eval(code, {"frame": frame, "name": "c"})
    assert features_of(frame, Source()).features.shape == (2, 1)
