"""Texts where numbers are read: the error names their kind, and its advice, followed, leads to numbers."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas._libs.parsers import STR_NA_VALUES

from amazon_estimators.algorithms import KMeans, LinearLearner
from amazon_estimators.errors import InputError
from sources.encoded import encoded

UNITS = st.sampled_from(
    [("$", ""), ("€ ", ""), ("", " kg"), ("", "%"), ("", " °C"), ("~", ""), ("“", "”"), ("", "ms"), ("", "")]
)
BLANKS = st.sampled_from(["\u00a0", "\u202f", "'", "_", " ", ","])


def written(value: float, unit: tuple[str, str], blank: str, minus: str) -> str:
    """Write a number as people do."""
    text = f"{abs(value):,.2f}".replace(",", blank)
    return f"{unit[0]}{minus if value < 0 else ''}{text}{unit[1]}"


@settings(max_examples=20)
@given(
    values=st.lists(
        st.integers(-(10**9), 10**9).map(lambda cents: cents / 100), min_size=2, max_size=20, unique=True
    ),
    unit=UNITS,
    blank=BLANKS,
    minus=st.sampled_from(["-", "\u2212"]),
    headed=st.booleans(),
)
def test_marks_and_units_are_taken_off_as_told(
    tmp_path_factory: pytest.TempPathFactory,
    values: list[float],
    unit: tuple[str, str],
    blank: str,
    minus: str,
    headed: bool,
) -> None:
    texts = [written(value, unit, blank, minus) for value in values]
    path = tmp_path_factory.mktemp("t") / "a.csv"
    frame = pd.DataFrame({"price": texts, "n": range(len(texts))})
    frame.to_csv(path, index=False, header=headed)
    options: dict[str, Any] = {"header": "present" if headed else "absent"}
    try:
        features = encoded(path, KMeans, **options)[0]
    except InputError as error:
        assert re.search(
            rf"row \d+, column 0{re.escape(chr(32) + '(' + repr('price') + ')') if headed else ''}",
            error.message,
        )
        if "separate thousands" in error.remedy:
            assert not any(unit) and blank == ","
            return
        assert "one_hot" not in error.remedy and "hashed" not in error.remedy
        code = re.search(
            r"Take marks and units off the numbers: (frame\[.*?\] = .*?\('float64'\))\.", error.remedy
        ).group(1)
        frame = pd.read_csv(path, header=0 if headed else None, dtype={"price": str, 0: str})
        exec(code, {"frame": frame})
        frame.to_csv(path, index=False, header=headed)
        features = encoded(path, KMeans, **options)[0]
    np.testing.assert_array_equal(features[:, 0], np.array(values, np.float32))


@pytest.mark.parametrize(
    "dates",
    [
        ["2024-01-31", "2024-02-01"],
        ["2024-01-31 12:30:00", "2024-02-01 00:00:00"],
        ["2024-01-31T12:30:00Z", "2024-02-01T01:00:00Z"],
        ["01/31/2024", "02/01/2024"],
    ],
)
def test_dates_become_numbers_as_told(tmp_path: Path, dates: list[str]) -> None:
    path = tmp_path / "a.csv"
    pd.DataFrame({"day": dates, "n": [1, 2]}).to_csv(path, index=False)
    with pytest.raises(InputError, match=r"row 0, column 0 \('day'\)") as caught:
        encoded(path, KMeans)
    assert "one_hot" not in caught.value.remedy
    frame = pd.read_csv(path)
    (code,) = re.findall(
        r"the weekday, (pandas.to_datetime\(frame\['day'\]\).dt.day_of_week)", caught.value.remedy
    )
    frame["day"] = eval(code, {"pandas": pd, "frame": frame})
    frame.to_csv(path, index=False)
    assert encoded(path, KMeans)[0].tolist() == [[2, 1], [3, 2]]


def test_times_become_numbers_as_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    pd.DataFrame({"at": ["10:30", "23:59"], "n": [1, 2]}).to_csv(path, index=False)
    with pytest.raises(InputError, match=r"row 0, column 0 \('at'\)") as caught:
        encoded(path, KMeans)
    frame = pd.read_csv(path)
    (code,) = re.findall(r"the hour, (pandas.to_datetime\(frame\['at'\]\).dt.hour)", caught.value.remedy)
    frame["at"] = eval(code, {"pandas": pd, "frame": frame})
    frame.to_csv(path, index=False)
    assert encoded(path, KMeans)[0].tolist() == [[10, 1], [23, 2]]


@pytest.mark.parametrize(
    "texts", [["(500)", "(20)"], ["<5", "<7"], ["5-", "7-"], ["1/2", "3/4"], ["10k", "2M"]]
)
def test_marks_that_change_a_number_are_not_taken_off(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "a.csv"
    pd.DataFrame({"price": texts, "n": range(2)}).to_csv(path, index=False)
    with pytest.raises(InputError, match="row 0, column 0") as caught:
        encoded(path, KMeans)
    assert "Take marks" not in caught.value.remedy


@settings(max_examples=12)
@given(
    cells=st.lists(
        st.sampled_from(["1", "2.5", "-3", "Berlin", "x y", "m/s", "0x1F", "7a"]), min_size=2, max_size=12
    ),
    other=st.sampled_from(["exclude", "first"]),
)
def test_a_column_of_numbers_and_words_is_mended_as_told(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str], other: str
) -> None:
    path = tmp_path_factory.mktemp("t") / "a.csv"
    frame = pd.DataFrame({"c": cells, "n": range(len(cells))})
    frame.to_csv(path, index=False)
    try:
        encoded(path, KMeans)
        return
    except InputError as error:
        remedy = error.remedy
    if other == "exclude" or "one_hot" not in remedy:
        (columns,) = re.findall(r"exclude=(\[.*?\])", remedy)
        assert encoded(path, KMeans, exclude=ast.literal_eval(columns))[0].shape == (len(cells), 1)
    if "one_hot" in remedy:
        one_hot = ast.literal_eval(re.search(r"one_hot=(\{.*?\]\})", remedy).group(1))
        features, _ = encoded(path, KMeans, one_hot=one_hot)
        assert (features[:, :-1].sum(axis=1) == 1).all()
        return
    assert "Correct such texts among the numbers of 'c'" in remedy or "Take marks" in remedy
    numbers = pd.to_numeric(frame["c"], errors="coerce")
    frame[numbers.notna()].to_csv(path, index=False)
    assert encoded(path, KMeans)[0][:, 0].tolist() == numbers.dropna().tolist()


@pytest.mark.parametrize("mark", sorted(STR_NA_VALUES))
def test_what_pandas_takes_for_a_gap_is_one(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"a,b\n{mark},2\n1,3\n")
    assert encoded(path, KMeans, fill={"a": 9})[0].tolist() == [[9, 2], [1, 3]]
    with pytest.raises(InputError, match=r"row 0, column 0 \('a'\)"):
        encoded(path, KMeans)


@pytest.mark.parametrize(
    ("body", "told", "mended"),
    [
        ("My report\n\na,b\n1,2\n3,4\n", "take the lines above the header off", "a,b\n1,2\n3,4\n"),
        ("// by x\na,b\n1,2\n3,4\n", "take the lines above the header off", "a,b\n1,2\n3,4\n"),
        ('"sep=,"\na,b\n1,2\n3,4\n', "take the lines above the header off", "a,b\n1,2\n3,4\n"),
        ("# by x\n# v2\na,b\n1,2\n3,4\n", "take the line off, and others", "a,b\n1,2\n3,4\n"),
        ("a,b\n1,2\n3,4\n(2 rows)\n", "not a row, such as a total, take it off", "a,b\n1,2\n3,4\n"),
        ("a,b\n1,2\n3,4\nTotal,6\n", "take their rows out of the file", "a,b\n1,2\n3,4\n"),
        ("a,b\n1,2\n\ufeffa,b\n3,4\n", "only the first header", "a,b\n1,2\n3,4\n"),
        ("1,2\n\ufeff3,4\n", "byte order mark stands inside the file", "1,2\n3,4\n"),
        ("a,b\n1,2\n3,'x,y'\n", "enclose them in double quotes", 'a,b\n1,2\n3,"5"\n'),
    ],
)
def test_lines_that_are_no_rows(tmp_path: Path, body: str, told: str, mended: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(body)
    with pytest.raises(InputError, match=r"row \d") as caught:
        encoded(path, KMeans)
    assert told in caught.value.remedy
    path.write_text(mended)
    assert encoded(path, KMeans)[0].shape == (2, 2)


def test_a_label_of_dates_is_not_told_to_be_classes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,y\n1,2024-01-31\n2,2024-02-01\n")
    with pytest.raises(InputError) as caught:
        encoded(path, LinearLearner, label="y")
    assert "Take numbers out of dates" in caught.value.remedy and "classes" not in caught.value.remedy


@pytest.mark.parametrize("value", ["1e400", "-1e999", "1e39"])
def test_a_number_beyond_every_float_is_no_infinity(tmp_path: Path, value: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"a,b\n1,2\n{value},3\n")
    with pytest.raises(
        InputError, match=r"row 1, column 0 \('a'\): -?1e\+\d+ is beyond float32".replace("1e", "1[eE]")
    ):
        encoded(path, KMeans)


@pytest.mark.parametrize("mark", ["\x01", "\x1f"])
def test_control_characters_separate_fields(tmp_path: Path, mark: str) -> None:
    """Hive's text files have the first, ASCII the second."""
    path = tmp_path / "a.csv"
    path.write_text(f"1{mark}2.5\n3{mark}4\n")
    assert encoded(path, KMeans, delimiter=mark)[0].tolist() == [[1, 2.5], [3, 4]]
    if mark == "\x01":
        with pytest.raises(InputError, match=r"separated by '.x01'") as caught:
            encoded(path, KMeans)
        assert r'delimiter="\x01"' in caught.value.remedy
