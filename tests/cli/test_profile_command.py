"""profile: a suggestion that encodes, whatever the table holds; the label is only asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_estimators.algorithms import KMeans, LinearLearner
from amazon_estimators.cli.app import run
from amazon_estimators.client.suggested_source import suggested
from amazon_estimators.client.table_survey import survey
from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.sources import Source
from sources.encoded import encoded

ROWS = 400


def customers() -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": range(ROWS),
            "name": [f"person {row}" for row in range(ROWS)],
            "city": [None if row % 100 == 0 else ("Rome", "Oslo")[row % 2] for row in range(ROWS)],
            "age": np.where(random.random(ROWS) < 0.3, np.nan, random.integers(18, 80, ROWS)),
            "income": random.normal(45_000, 9_000, ROWS),
            "share": random.random(ROWS),
            "user_id": random.integers(0, 100, ROWS),
            "since": pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d"),
            "version": 1,
            "churned": random.integers(0, 2, ROWS),
        }
    )


@pytest.fixture(params=["csv", "parquet"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"customers.{request.param}"
    if request.param == "csv":
        customers().to_csv(path, index=False)
    else:
        customers().to_parquet(path, index=False)
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["profile", *arguments, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_each_kind_of_column_gets_its_rule(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = told(capsys, str(table), "--label", "churned")
    source = answer["source"]
    assert source["label"] == "churned"
    assert source["one_hot"] == [["city", ["Oslo", "Rome"]]]
    assert source["drop_incomplete"] is True  # four rows have no city
    assert [column for column, _ in source["fill"]] == ["age"]  # a third of them has no age
    assert source["hashed"] == [["user_id", 1024]]
    assert [column for column, _ in source["scale"]] == ["age", "income", "share"]
    assert sorted(source["exclude"]) == ["id", "name", "since", "version"]
    assert answer["complete"] and answer["rows"] == ROWS
    x, y = encoded(table, LinearLearner, **Source.from_dict(source).to_dict())
    assert len(x) == len(y) == ROWS - 4
    assert np.isfinite(x).all()


def test_a_label_is_only_asked_for(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = told(capsys, str(table))
    assert "label" not in answer["source"]
    assert answer["label_candidates"] == ["churned: 2 different numbers"]
    assert run(["profile", str(table)]) == 0
    printed = capsys.readouterr().out
    assert "the label? churned" in printed
    code = printed[printed.index("Source(") :]
    assert encoded(table, KMeans, **eval(code, {"Source": Source}).to_dict())[1] is None


def test_part_of_a_table_leaves_room_for_other_words(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = told(capsys, str(table), "--rows", "10")
    if table.suffix == ".csv" or answer["complete"]:
        return  # read in one block
    assert answer["source"]["unknown"] == "other"


def test_words_among_numbers_are_told_not_hashed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["broken" if row % 50 == 7 else str(row / 8) for row in range(ROWS)]
    (tmp_path / "a.csv").write_text(
        "sensor,x\n" + "".join(f"{value},{at % 7}\n" for at, value in enumerate(rows))
    )
    answer = told(capsys, str(tmp_path / "a.csv"))
    assert answer["source"] == {"exclude": ["sensor"]}
    assert "8 of its 400 values are words, first 'broken'" in answer["reasons"][0]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.libsvm", "1 1:2\n", "format 'libsvm' has no columns to profile"),
        ("a.csv", "a,b\n", "no rows"),
        ("none.csv", None, "there is no file"),
    ],
)
def test_what_has_no_columns_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    assert run(["profile", str(tmp_path / name), "--json"]) == 1
    assert message in json.loads(capsys.readouterr().out)["message"]


WORDS = st.sampled_from(["Rome", "Oslo", 'say "yes"', "a,b", "7", "7.0", "NA", "2024-01-02"])
COLUMN = st.sampled_from(
    [
        st.floats(-1e9, 1e9, width=32),
        st.integers(-5, 5),
        WORDS,
        st.none(),
        st.integers(0, 10**9),
        st.text("abc", min_size=1, max_size=6),
        WORDS | st.floats(0, 1),
    ]
)


@settings(max_examples=60)
@given(data=st.data(), kind=st.sampled_from(["csv", "parquet"]))
def test_whatever_a_table_holds_the_suggestion_encodes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, kind: str
) -> None:
    rows = data.draw(st.integers(2, 40))
    names = data.draw(
        st.lists(st.sampled_from(["id", "city", "age", "user_id", "x", "y"]), min_size=1, unique=True)
    )
    frame = pd.DataFrame(
        {
            name: pd.Series(
                data.draw(st.lists(st.none() | data.draw(COLUMN), min_size=rows, max_size=rows)), dtype=object
            )
            for name in names
        }
    )
    path = tmp_path_factory.mktemp("table") / f"a.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    else:
        mixed = [name for name in frame if frame[name].map(type).nunique() > 1]
        frame.astype(dict.fromkeys(mixed, "string")).to_parquet(path, index=False)
    given_source = Source(header="present") if kind == "csv" else Source()
    try:
        source = Source(**suggested(survey([path], given_source), given_source).options)
        x, _ = encoded(path, KMeans, **source.to_dict())
    except AmazonEstimatorsError as error:
        # Nothing may be left of a table: no column that tells a model anything, or no row without a gap.
        assert "no feature column" in error.message or "0 of " in error.message, error
    else:
        assert np.isfinite(x).all()
