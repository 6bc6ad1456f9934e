"""Columns of several levels: told with a way out that works, and ordinary tables are not taken for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_estimators.algorithms import KMeans
from amazon_estimators.errors import InputError
from sources.encoded import encoded

LEVELS = st.sampled_from([[0, 1], [0, 1, 2], [2019, 2020, 2021], ["a", "b"], [1, 2, 3, 4], ["x", "y", "z"]])
TOLD = "rows, .* look like a header of {} rows, as pandas writes columns of several levels"


def followed(error: InputError, frame: pd.DataFrame, path: Path) -> None:
    """Run the code that the remedy gives."""
    statement, _, call = error.remedy.partition(": ")[2].partition(", then ")
    exec(statement, {"frame": frame})
    exec(call.partition(". If")[0], {"frame": frame, "path": path})


@settings(max_examples=20)
@given(
    levels=st.lists(LEVELS, min_size=2, max_size=3),
    whole=st.booleans(),
    index=st.booleans(),
    seed=st.integers(0, 2**16),
    option=st.sampled_from([{}, {"exclude": [-1]}]),
)
def test_a_header_of_several_rows_is_told_and_the_way_out_works(
    tmp_path_factory: pytest.TempPathFactory,
    levels: list[list[Any]],
    whole: bool,
    index: bool,
    seed: int,
    option: dict[str, Any],
) -> None:
    chance = np.random.default_rng(seed)
    columns = pd.MultiIndex.from_product(levels)
    shape = (12, len(columns))
    values = chance.integers(0, 1000, shape) if whole else chance.normal(size=shape)
    frame = pd.DataFrame(values, columns=columns)
    path = tmp_path_factory.mktemp("t") / "a.csv"
    frame.to_csv(path, index=index)
    with pytest.raises(InputError, match=TOLD.format(len(levels))) as caught:
        encoded(path, KMeans, **option)
    followed(caught.value, frame, path)
    features, _ = encoded(path, KMeans, **option)
    kept = values[:, :-1] if option else values
    np.testing.assert_array_equal(features, kept.astype(np.float32))


def test_levels_that_form_no_grid_are_told_by_their_decimals(tmp_path: Path) -> None:
    columns = pd.MultiIndex.from_tuples([(2019, 4), (2020, 1), (2020, 2), (2021, 7)])
    values = np.random.default_rng(0).normal(size=(9, 4))
    path = tmp_path / "a.csv"
    pd.DataFrame(values, columns=columns).to_csv(path, index=False)
    with pytest.raises(InputError, match=TOLD.format(2)):
        encoded(path, KMeans)


def test_what_is_said_decides(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("0,0,1,1\n0,1,0,1\n0.5,1.25,7.75,3.5\n0.25,2.5,1.75,4.5\n")
    with pytest.raises(InputError, match=TOLD.format(2)):
        encoded(path, KMeans)
    assert encoded(path, KMeans, header="absent")[0].shape == (4, 4)
    assert encoded(path, KMeans, header="present")[0].shape == (3, 4)


@settings(max_examples=20)
@given(most=st.sampled_from([20, 100, 10**6]), rows=st.integers(12, 40), seed=st.integers(0, 2**16))
def test_a_grid_of_numbers_like_the_others_is_told_where_others_do_not_repeat(
    tmp_path_factory: pytest.TempPathFactory, most: int, rows: int, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    years, quarters = (np.sort(chance.choice(most, 2, replace=False)) for _ in range(2))
    columns = pd.MultiIndex.from_product([years, quarters])
    frame = pd.DataFrame(chance.integers(0, most, (rows, 4)), columns=columns)
    values, path = frame.to_numpy(np.float32), tmp_path_factory.mktemp("t") / "a.csv"
    frame.to_csv(path, index=False)
    with pytest.raises(InputError, match=TOLD.format(2)) as caught:
        encoded(path, KMeans)
    np.testing.assert_array_equal(encoded(path, KMeans, header="absent")[0][2:], values)
    followed(caught.value, frame, path)
    np.testing.assert_array_equal(encoded(path, KMeans)[0], values)


def test_a_grid_of_grades_is_read_as_grades(tmp_path: Path) -> None:
    """Among numbers 1 to 3, a grid of four is no wonder."""
    grades = np.random.default_rng(1).integers(1, 4, (30, 4))
    grades[:2] = [[1, 1, 2, 2], [1, 3, 1, 3]]
    path = tmp_path / "a.csv"
    np.savetxt(path, grades, fmt="%d", delimiter=",")
    np.testing.assert_array_equal(encoded(path, KMeans)[0], grades)


@settings(max_examples=40)
@given(
    kind=st.sampled_from(["binary", "one of k", "counts", "rounded", "sorted", "sign"]),
    width=st.integers(4, 12),
    rows=st.integers(4, 30),
    seed=st.integers(0, 2**16),
)
def test_ordinary_tables_are_read(
    tmp_path_factory: pytest.TempPathFactory, kind: str, width: int, rows: int, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    shape = (rows, width)
    table = {
        "binary": lambda: chance.integers(0, 2, shape),
        "one of k": lambda: np.eye(width)[chance.integers(0, width, rows)],
        "counts": lambda: chance.poisson(0.5, shape),
        "rounded": lambda: np.round(chance.normal(size=shape)),
        "sorted": lambda: np.sort(chance.integers(0, 3, shape), axis=1),
        "sign": lambda: np.where(chance.random(shape) < 0.5, -1, 1),
    }[kind]()
    path = tmp_path_factory.mktemp("t") / "a.csv"
    np.savetxt(path, table, fmt="%g", delimiter=",")
    try:
        features, _ = encoded(path, KMeans)
    except InputError as error:
        assert "look like a header of" not in error.message
        return
    np.testing.assert_array_equal(features, np.loadtxt(path, delimiter=",", ndmin=2, dtype=np.float32))
