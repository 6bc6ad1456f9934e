"""The page "From a model to an answer", the parts that need an account: its programs run in the rehearsal."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from serving_account import CASES, LABELS, ROWS, ServingAccount

from amazon_estimators import ALGORITHMS, LinearLearner
from amazon_estimators.client import waiting
from amazon_estimators.inference import write_request
from amazon_estimators.inference.models import LOCAL_MODELS
from amazon_estimators.inference.models.topics import TopicTable

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "predictions.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")}


def surroundings(serving: ServingAccount, section: str) -> dict[str, Any]:
    """What the page says that there is: a trained estimator, rows, and where things lie."""
    if section == "Tuning":
        estimator = serving.estimator(LinearLearner(predictor_type="binary_classifier"))
        train = estimator.record_set(ROWS, LABELS)
        validation = estimator.record_set(ROWS, LABELS, channel="validation")
        return {"estimator": estimator, "train": train, "validation": validation}
    models, points = serving.place() + "/", serving.place() + "/points.csv"
    serving.put(models + "monday.tar.gz", serving.get(serving.trained("LinearLearner").model_data))
    serving.put(points, write_request(ALGORITHMS["KMeans"], ROWS, "text/csv").body)
    return {
        "estimator": serving.trained("KMeans"),
        "X": ROWS,
        "role": serving.role,
        "models": models,
        "points": points,
        "outputs": serving.place(),
    }


@pytest.mark.parametrize(("section", "told"), [("In real time", 4), ("In batch", 3), ("Tuning", 1)])
def test_the_programs_of_a_section_run(
    serving: ServingAccount, monkeypatch: pytest.MonkeyPatch, section: str, told: int
) -> None:
    """Expressions on a line of their own have the value that their comment tells."""
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.1)
    names = surroundings(serving, section)
    endpoints = serving.endpoints()
    shown = 0
    for program in re.findall(r"```python\n(.*?)```", SECTIONS[section], re.DOTALL):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(program, names)
        for code, value in re.findall(r"^([\w.*\[\]()':\"]+) +# (.*)$", program, re.MULTILINE):
            found = repr(eval(code, names)) if not code.startswith("Predictor(") else value
            assert found.startswith(value.partition("…")[0]), f"{code} is {found}"
            shown += 1
    assert shown >= told
    assert serving.endpoints() == endpoints


def hosting() -> list[str]:
    """The rows of the table of hosting, from the algorithms' own facts."""
    rows = []
    for name in CASES:
        facts = ALGORITHMS[name].inference
        local = LOCAL_MODELS.get(name)
        offline = "no" if local is None else "topics" if issubclass(local, TopicTable) else "yes"
        serverless = "with a warning" if facts.serverless_caution else "yes"
        several = "yes" if facts.multi_model else "no"
        rows.append(f"| {name} | yes | {serverless} | {several} | yes | {offline} |")
    return rows


def test_the_table_of_hosting_is_that_of_the_code() -> None:
    assert "\n".join(hosting()) in PAGE
