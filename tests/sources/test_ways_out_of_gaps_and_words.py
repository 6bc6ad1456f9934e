"""The options that an error names for gaps, words and ids, taken to the letter, read the table."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_estimators.algorithms import LinearLearner
from amazon_estimators.errors import InputError
from amazon_estimators.sources import Source
from amazon_estimators.sources.in_memory import features_of
from sources.encoded import encoded

OPTION = re.compile(
    r"\b(fill|one_hot|hashed)=(\{.*?\})(?=[.,])|\b(drop_incomplete)=(True)|\b(unknown)=('other')"
)
CITIES = ["Berlin", "Paris", "it's", 'say "yes"']


def advice(error: InputError) -> dict[str, Any]:
    """The options that a remedy names."""
    found: dict[str, Any] = {}
    for match in OPTION.finditer(error.remedy):
        name, value = [group for group in match.groups() if group]
        found.setdefault(name, ast.literal_eval(value))
    return found


def followed(read: Callable[[dict[str, Any]], Any], prefer: str) -> Any:
    """Read with what the errors say, of two ways the preferred one."""
    options: dict[str, Any] = {"label": "y"}
    for _ in range(6):
        try:
            return read(options)
        except InputError as error:
            ways = advice(error)
            assert ways, error
            if "one_hot" in ways and "hashed" in ways:
                ways.pop("hashed" if prefer == "one_hot" else "one_hot")
            if "fill" in ways and prefer != "drop":
                ways.pop("drop_incomplete", None)
            elif "drop_incomplete" in ways:
                ways.pop("fill", None)
            if "unknown" in ways and "one_hot" in ways:
                ways.pop("unknown")
            options |= ways
    raise AssertionError(f"still not read with {options}")


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(4, 25))

    def column(values: Any, gaps: bool) -> list[Any]:
        return draw(st.lists(st.none() | values if gaps else values, min_size=rows, max_size=rows))

    city = column(st.sampled_from(CITIES), draw(st.booleans()))
    city[0] = "Berlin"  # a column of gaps alone says nothing of its kind
    age = column(st.integers(0, 99), draw(st.booleans()))
    age[0] = 1
    return pd.DataFrame(
        {"city": pd.Series(city, dtype="string"), "age": pd.Series(age, dtype="Int64"), "y": [1] * rows}
    )


@settings(max_examples=60)
@given(
    frame=tables(),
    prefer=st.sampled_from(["one_hot", "hashed", "drop"]),
    kind=st.sampled_from(["csv", "parquet", "memory"]),
)
def test_advice_is_followed_until_the_table_is_read(
    tmp_path_factory: pytest.TempPathFactory, frame: pd.DataFrame, prefer: str, kind: str
) -> None:
    path = tmp_path_factory.mktemp("table") / f"a.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "parquet":
        frame.to_parquet(path, index=False)

    def read(options: dict[str, Any]) -> Any:
        if kind == "memory":
            source = (
                Source(**{"hashed": {"city": 64}, **options})
                if prefer == "hashed"
                else Source(**{"one_hot": {"city": ["Berlin"]}, **options})
            )
            return features_of(frame, source).labels
        return encoded(path, LinearLearner, **options)[1]

    labels = followed(read, prefer)
    kept = frame.dropna() if prefer == "drop" else frame
    np.testing.assert_array_equal(labels, kept["y"])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_all_columns_are_told_at_once_with_counts(tmp_path: Path, kind: str) -> None:
    frame = pd.DataFrame({"a": [1.0, None, None], "b": [None, 2.0, 3.0], "y": [1, 1, 1]})
    path = tmp_path / f"a.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path, index=False)
    with pytest.raises(InputError) as caught:
        encoded(path, LinearLearner, label="y")
    assert re.search(r"row 0, column 1 \('b'\)", caught.value.message)
    assert re.search(
        r"column 0 \('a'\): 2 (empty of 3|without a value of 3 rows), first in row 1", caught.value.message
    )
