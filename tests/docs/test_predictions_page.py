"""The page "From a model to an answer" holds: its programs run, its tables are those of the code."""

from __future__ import annotations

import json
import re
import shutil
import warnings
from pathlib import Path

import pytest

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.inference import ModelWarning
from amazon_estimators.inference.models import LOCAL_MODELS
from inference.files import archive

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "predictions.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")}
PROGRAMS = [
    program
    for section in ("Without SageMaker", "Requests and responses")
    for program in re.findall(r"```python\n(.*?)```", SECTIONS[section], re.DOTALL)
]
"""Those that need no account; tests/serving/test_page_online.py runs the others."""
SHORT = {
    "application/x-recordio-protobuf": "RecordIO",
    "text/csv": "CSV",
    "application/json": "JSON",
    "application/jsonlines": "JSON Lines",
}
ROWS = {
    "vector": "features",
    "token_pair": "two lists of token ids",
    "entity_pair": "an entity, an IPv4 address",
}


def formats() -> list[str]:
    """The rows of the table of formats, from the algorithms' own facts."""
    lines = []
    for name in sorted(ALGORITHMS):
        facts = ALGORITHMS[name].inference
        fields = ", ".join(f"*`{one.name}`*" if one.optional else f"`{one.name}`" for one in facts.fields)
        accepts, returns = (
            ", ".join(SHORT[one] for one in kinds) for kinds in (facts.accepts, facts.returns)
        )
        lines.append(
            f"| {name} | {ROWS[facts.rows]} | {accepts} | {returns} | `{facts.list_key}` | {fields} |"
        )
    return lines


def test_the_table_of_formats_is_that_of_the_code() -> None:
    assert "\n".join(formats()) in PAGE


def test_the_table_of_models_is_that_of_the_code() -> None:
    table = dict(re.findall(r"^\| ([A-Za-z, 0-9]+) \| (.*?) \|", SECTIONS["Without SageMaker"], re.MULTILINE))
    read = {
        name for names, text in table.items() if not text.startswith("no: ") for name in names.split(", ")
    }
    assert {*LOCAL_MODELS} <= read
    for names, text in table.items():
        if text.startswith("no: "):
            assert not {*names.split(", ")} & {*LOCAL_MODELS}


def test_the_programs_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, as a reader runs them; expressions have the value that their comment tells."""
    shutil.copy(archive("kmeans"), tmp_path / "model.tar.gz")
    shutil.copy(archive("linear_binary_classifier"), tmp_path / "linear.tar.gz")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    told = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)
        for line in "".join(PROGRAMS).splitlines():
            code, _, value = (part.strip() for part in line.partition("  # "))
            if value and not re.match(r"\w+ =", code):
                shown = repr(eval(code.removeprefix("print"), names))
                assert shown.startswith(value.partition("…")[0]), f"{code} is {shown}"
                told.append(code)
            else:
                exec(code, names)
    assert len(told) == 5
    assert names["model"].predictor_type == "binary_classifier"  # type: ignore[attr-defined]


def test_the_speed_is_that_of_the_benchmark() -> None:
    results = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "prediction.json"
    ratios = [one["of_product"] for one in json.loads(results.read_text())["cases"].values()]
    low, high = map(float, re.findall(r"predict at ([0-9.]+) to ([0-9.]+) times", PAGE)[0])
    assert low <= min(ratios)
    assert max(ratios) <= high + 0.05


def test_the_speed_of_small_models_is_that_of_the_benchmark() -> None:
    results = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "prediction_small.json"
    cases = json.loads(results.read_text())["cases"]
    one = [case for name, case in cases.items() if name.endswith(" 1 rows")]
    many = [case for name, case in cases.items() if name.endswith(" 10000 rows")]
    measured = {
        r"One row takes ([0-9.]+) to ([0-9.]+) µs": [case["predict_us"] for case in one],
        r"without a check, takes ([0-9.]+) to ([0-9.]+) µs": [case["plain_us"] for case in one],
        r"rows run at ([0-9.]+) to ([0-9.]+) times": [case["of_plain"] for case in many],
        r"itself reaches ([0-9.]+) to ([0-9.]+) times": [
            case["product_us"] / case["plain_us"] for case in many
        ],
    }
    for sentence, values in measured.items():
        low, high = map(float, re.findall(sentence, PAGE)[0])
        assert abs(low - min(values)) <= 0.15 * low + 0.005, sentence
        assert abs(high - max(values)) <= 0.15 * high, sentence
