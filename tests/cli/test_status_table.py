"""``status`` of all pipelines: one table, and the same as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from overviews import NEVER, TRAINED

from amazon_estimators.cli import main, pipeline
from amazon_estimators.cli.status_table import COLUMNS
from amazon_estimators.client import overview
from amazon_estimators.costs.reckoning import unknown
from amazon_estimators.errors import DamagedFileError


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    pipelines = [SimpleNamespace(session=None)] * 2
    monkeypatch.setattr(pipeline, "find_all", lambda **_: pipelines)
    monkeypatch.setattr(overview, "overviews", lambda *_, **__: iter([TRAINED, NEVER]))
    monkeypatch.setenv("COLUMNS", "200")


def test_all_pipelines_are_in_one_table(two: None, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline.output.cache_clear()
    assert main(["status"]) == 0
    shown = capsys.readouterr().out
    heading, churn, *_, ratings = shown.splitlines()
    assert heading.split() == " ".join(COLUMNS).split()
    assert churn.split() == [
        "Shop/Churn",
        "LinearLearner",
        *("FAILED", "2026-11-28", "03:00"),
        "churn-1",
        *("test:b", "=", "0.25"),
        *("2", "1"),
        *("12.35", "USD"),
    ]
    assert "train:a" not in shown and "test:c = 3" in shown and "…" in shown
    assert ratings.split() == [
        "Shop/Ratings",
        "FactorizationMachines",
        "never",
        "none",
        "yet",
        "-",
        "-",
        "unknown",
    ]


def test_the_name_of_a_pipeline_is_in_one_piece(
    two: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    pipeline.output.cache_clear()
    assert main(["status"]) == 0
    shown = capsys.readouterr().out
    assert "Shop/Churn" in shown and "Shop/Ratings" in shown


def test_a_damaged_record_is_told_in_its_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pipeline, "find_all", lambda **_: [SimpleNamespace(session=None)] * 2)
    damaged = replace(NEVER, damaged="s3://data/current_model.json was changed")
    monkeypatch.setattr(overview, "overviews", lambda *_, **__: iter([damaged, TRAINED]))
    monkeypatch.setenv("COLUMNS", "250")
    pipeline.output.cache_clear()
    assert main(["status"]) == 0
    _, ratings, churn, *_ = capsys.readouterr().out.splitlines()
    assert "damaged: s3://data/current_model.json was changed" in ratings
    assert "churn-1" in churn


def test_numbers_are_numbers_in_json(two: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json"]) == 0
    churn, ratings = json.loads(capsys.readouterr().out)
    assert churn["current"]["metrics"]["test:b"] == 0.25
    assert (churn["running"], churn["waiting"], churn["dead_letters"]) == (1, 2, 1)
    assert churn["last_started"] == "2026-11-28T03:00:00+00:00"
    assert (ratings["current"], ratings["waiting"]) == (None, None)
    assert (churn["month"]["amount"], churn["month"]["currency"]) == (12.346, "USD")
    assert (ratings["month"]["amount"], ratings["month"]["because"]) == (None, "nobody knows the price")


def client(**answers: Any) -> Any:
    return SimpleNamespace(**{name: lambda answer=answer, **_: answer for name, answer in answers.items()})


def test_a_pipeline_is_looked_at_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    started = datetime(2026, 1, 1, tzinfo=UTC)
    running = {"status": "RUNNING", "startDate": started}
    clients = {
        "stepfunctions": client(list_executions={"executions": [running]}),
        "sqs": client(
            get_queue_attributes={
                "Attributes": {
                    "ApproximateNumberOfMessages": "2",
                    "ApproximateNumberOfMessagesDelayed": "1",
                    "ApproximateNumberOfMessagesNotVisible": "0",
                }
            }
        ),
    }
    starter = {"state_machine": "arn:a", "queue_url": "q", "dead_letters": "d"}
    monkeypatch.setattr(overview, "client_of", lambda _, service: clients[service])
    monkeypatch.setattr(overview, "starters", lambda session: iter([starter]))
    monkeypatch.setattr(overview, "spent", lambda pipeline, table, since: unknown(pipeline.name))

    def damaged() -> None:
        raise DamagedFileError("s3://data/current_model.json was changed", remedy="Delete the object.")

    deployed = [
        SimpleNamespace(
            name=f"Shop/{name}",
            settings={"algorithm": "KMeans"},
            state_machine_arn=f"arn:{name}",
            model_in_use=model_in_use,
        )
        for name, model_in_use in (("a", lambda: None), ("b", damaged))
    ]
    with_trigger, without = overview.overviews(deployed)  # type: ignore[arg-type]
    assert (with_trigger.current, with_trigger.damaged) == (None, None)
    assert without.current is None, "a damaged record is told in its row, and the others are shown"
    assert without.damaged == "s3://data/current_model.json was changed\nDelete the object."
    assert with_trigger.month.because == "Shop/a"
    assert (with_trigger.waiting, with_trigger.dead_letters) == (3, 3)
    assert (with_trigger.running, with_trigger.last_status) == (1, "RUNNING")
    assert with_trigger.last_started == started
    assert (without.waiting, without.dead_letters) == (None, None)
