"""``inspect`` draws the profile of a RecordSet, and compares two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amazon_estimators.cli import main
from amazon_estimators.record_sets.keys import MANIFEST, PROFILE


def record_set(directory: Path, name: str, **columns: Any) -> Path:
    """Encode a table with the command line; return the directory of the RecordSet."""
    rows = zip(*columns.values(), strict=True)
    text = "\n".join([",".join(columns), *(",".join(f"{value:.7g}" for value in row) for row in rows)])
    (directory / f"{name}.csv").write_text(text + "\n", encoding="utf-8")
    assert main(["encode", str(directory / f"{name}.csv"), "--out", str(directory / name)]) == 0
    return directory / name


@pytest.fixture
def record_sets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Path, Path]:
    chance = np.random.default_rng(0)
    before, after = (
        record_set(
            tmp_path,
            name,
            age=chance.normal(40 + shift, 10, 2_000),
            year=chance.integers(2000, 2010, 2_000),
            version=np.full(2_000, 3),
        )
        for name, shift in (("before", 0), ("after", 8))
    )
    capsys.readouterr()
    return before, after


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("given", ["directory", "manifest"])
def test_the_profile_is_drawn_by_name_with_its_warnings(
    record_sets: tuple[Path, Path], capsys: pytest.CaptureFixture[str], given: str
) -> None:
    root = record_sets[0]
    assert main(["inspect", str(root if given == "directory" else root / MANIFEST)]) == 0
    shown = capsys.readouterr().out
    assert "Profile of 2,000 records" in shown
    age = next(line for line in shown.splitlines() if line.strip().startswith("age"))
    bars = age.split()[-1]
    assert len(bars) == 12
    assert max(bars) == "█"
    assert bars[0] < bars[5]
    assert "constant: feature 'version'." in shown


def test_the_profile_as_json_is_that_of_the_table(
    record_sets: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    profile = run(capsys, "inspect", record_sets[0], "--features", 2)["profile"]
    age, year = profile["features"]
    table = np.loadtxt(record_sets[0].with_suffix(".csv"), delimiter=",", skiprows=1)
    assert (age["feature"], year["feature"], profile["records"]) == ("age", "year", 2_000)
    assert age["std"] == pytest.approx(table[:, 0].std(), rel=1e-6)
    assert year["quantiles"]["0.5"] == np.quantile(table[:, 1], 0.5, method="inverted_cdf")
    assert len(profile["warnings"]) == 1


def test_features_that_moved_are_listed(
    record_sets: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = record_sets
    found = run(capsys, "inspect", after, "--against", before)
    assert (found["moved"], found["gone"], found["new"]) == (1, [], [])
    first = found["features"][0]
    assert (first["feature"], first["moved"]) == ("age", True)
    assert first["mean_shift"] == pytest.approx(0.8, abs=0.1)
    assert main(["inspect", str(after), "--against", str(before / MANIFEST)]) == 0
    shown = capsys.readouterr().out
    assert "1 of 3 features moved" in shown
    assert "age" in shown
    assert "year" not in shown


def test_columns_of_one_side_only_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = record_set(tmp_path, "a", x=[1, 2], y=[3.5, 4.5])
    after = record_set(tmp_path, "b", x=[1, 2], z=[3.5, 4.5])
    capsys.readouterr()
    assert main(["inspect", str(after), "--against", str(before)]) == 0
    shown = capsys.readouterr().out
    assert "only in the other: 'y'" in shown
    assert "only here: 'z'" in shown


def test_without_profile_the_records_are_shown_and_nothing_compares(
    record_sets: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = record_sets
    (before / PROFILE).unlink()
    facts = run(capsys, "inspect", before)
    assert facts["profile"] is None
    assert facts["records"] == 2_000
    assert main(["inspect", str(after), "--against", str(before), "--json"]) == 1
    error = json.loads(capsys.readouterr().out)
    assert error["error"] == "RecordSetError"
    assert f"{before} has no {PROFILE}" in error["message"]


def test_a_damaged_profile_is_refused_by_name(
    record_sets: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = record_sets[0] / PROFILE
    path.write_text(path.read_text().replace('"records": 2000', '"records": 2001'))
    assert main(["inspect", str(record_sets[0]), "--json"]) == 1
    error = json.loads(capsys.readouterr().out)
    assert error["error"] == "DamagedFileError"
    assert str(path) in error["message"]


def test_one_shard_has_no_profile_of_its_own(
    record_sets: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "inspect", next(record_sets[0].glob("*.pbr")))["profile"] is None


def test_against_takes_one_record_set(record_sets: tuple[Path, Path]) -> None:
    before, after = map(str, record_sets)
    assert main(["inspect", before, after, "--against", before]) == 2
