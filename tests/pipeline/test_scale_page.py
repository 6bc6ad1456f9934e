"""docs/scale.md and its picture show the figures that were measured."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def scale() -> ModuleType:
    with pytest.MonkeyPatch.context() as path:
        path.syspath_prepend(ROOT / "benchmarks")
        return importlib.import_module("scale")


def test_the_page_and_the_picture_are_drawn_from_the_results(scale: ModuleType) -> None:
    result = json.loads(scale.RESULTS.read_text("utf-8"))
    page = scale.PAGE.read_text("utf-8")
    assert scale.with_figures(page, result) == page
    assert scale.draw(result) == scale.PICTURE.read_text("utf-8")
    assert scale.minute(result) == scale.MINUTE.read_text("utf-8")


def test_the_seconds_of_the_steps_add_up_to_the_estimate(scale: ModuleType) -> None:
    result = json.loads(scale.RESULTS.read_text("utf-8"))
    for kind in scale.KINDS:
        for size in scale.SIZES.values():
            steps = scale.seconds_of_steps(result, kind, size, 100)
            assert sum(steps.values()) == pytest.approx(60 * scale.estimate(result, kind, size, 100).minutes)


def test_what_was_measured_holds_the_bars(scale: ModuleType) -> None:
    result = json.loads(scale.RESULTS.read_text("utf-8"))
    steps = [run[step] for run in result["data"].values() for step in ("plan", "encode", "seal")]
    assert max(step["peak_mb"] for step in [*steps, *result["rates"].values()]) <= 350
    assert (result["count"]["objects"], result["count"]["shards"]) == (10_000, 10_000)
    assert result["count"]["plan"]["seconds"] < 20
    assert result["count"]["seal"]["seconds"] < 30
    assert max(result["count"]["payload_bytes"].values()) < 256 * 1024


def test_estimates_grow_with_the_data(scale: ModuleType) -> None:
    result = json.loads(scale.RESULTS.read_text("utf-8"))
    for kind in scale.KINDS:
        one, many = (scale.estimate(result, kind, size, 100) for size in (10_000, 1_000_000))
        assert 90 < many.shards / one.shards < 110
        assert 80 < many.dollars / one.dollars < 120
        assert scale.estimate(result, kind, 1_000_000, 1_000).minutes < many.minutes


def test_what_the_steps_after_training_add_is_on_the_page() -> None:
    result = json.loads((ROOT / "benchmarks" / "results" / "after_training.json").read_text("utf-8"))
    page = (ROOT / "docs" / "scale.md").read_text("utf-8")
    assert result["bytes of state"] <= result["bars"]["bytes"]
    for figure in (f"{result['bytes of state']:,} bytes", f"{result['seconds, functions warm']} seconds"):
        assert figure in page


def test_the_table_of_number_parsers_is_what_was_measured() -> None:
    with pytest.MonkeyPatch.context() as path:
        path.syspath_prepend(ROOT / "benchmarks")
        benchmark = importlib.import_module("number_parsers")
    result = json.loads(benchmark.RESULTS.read_text("utf-8"))
    page = benchmark.PAGE.read_text("utf-8")
    assert benchmark.with_table(page, result) == page


def test_no_parser_of_numbers_replaces_pyarrow() -> None:
    """If one does, the reader of CSV should take it."""
    result = json.loads((ROOT / "benchmarks" / "results" / "number_parsers.json").read_text("utf-8"))
    faults = ("numbers read wrong", "damage read in silence", "numbers refused or read otherwise")
    sound = [one for one in result["parsers"].values() if not any(one[fault] for fault in faults)]
    assert max(rate["of pyarrow's"] for one in sound for rate in one["rates"].values()) < 1.5
