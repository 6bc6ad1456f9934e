"""``make rehearse ARGS=--full``: examples/screening.py deployed, and every part of its loop."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from amazon_estimators_rehearsal import cli
from amazon_estimators_rehearsal.whole_loop import APP, NEW, PARTS, patients

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.deployed


def test_the_whole_loop(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--full", "--app", str(REPOSITORY / APP)]) == 0
    told = capsys.readouterr().out
    parts = ["Tune", "Judge", "Register", "approve the registered model", "the endpoint appears"]
    parts += ["drifted ", "drift alarm →"]
    places = [told.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)
    rights = re.findall(
        r"^(endpoint|predictions) +(\d+) of 60 new patients told rightly$", told, re.MULTILINE
    )
    (_, by_endpoint), (_, in_batch) = rights
    assert by_endpoint == in_batch
    assert int(in_batch) >= 50
    assert re.search(r"^rejected +test:binary_f_beta is [\d.]+; must be at least 0.8", told, re.MULTILINE)


def test_no_row_is_both_learnt_from_and_scored() -> None:
    data = patients()
    numbers = [number for rows in (*PARTS.values(), NEW) for number in range(rows.start, rows.stop)]
    assert sorted(numbers) == [*range(len(data.malignant))]
    assert data.csv(slice(0, 1)).count("\n") == 2
