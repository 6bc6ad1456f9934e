"""``start``, ``logs`` and ``watch`` of a pipeline: what they send, and say without a training job."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from overviews import NEVER, TRAINED

from amazon_estimators.cli import main, pipeline, watch
from amazon_estimators.client import overview
from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators.client.training_job import Detached

ARN = "arn:aws:states:us-east-1:1:stateMachine:Digits"
VERSION = "0123456789abcdef01234567"
STARTED = datetime(2026, 1, 1, tzinfo=UTC)


class States:
    """Step Functions with one execution, whose history has no training job."""

    def __init__(self) -> None:
        self.started: list[dict[str, Any]] = []
        self.described: dict[str, Any] = {"status": "RUNNING"}
        self.history: list[dict[str, Any]] = []

    def start_execution(self, **request: Any) -> dict[str, str]:
        self.started.append(json.loads(request["input"]))
        return {"executionArn": f"{ARN.replace('stateMachine', 'execution')}:started"}

    def list_executions(self, **_: Any) -> dict[str, Any]:
        return {"executions": [{"executionArn": f"{ARN.replace('stateMachine', 'execution')}:newest"}]}

    def describe_execution(self, **_: Any) -> dict[str, Any]:
        return {"startDate": STARTED, **self.described}

    def list_map_runs(self, **_: Any) -> dict[str, Any]:
        return {"mapRuns": []}

    def get_paginator(self, _: str) -> Any:
        return SimpleNamespace(paginate=lambda **_: [{"events": self.history}])


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> States:
    double = States()
    session = SimpleNamespace(client=lambda service, **_: double, region_name="us-east-1")
    settings = {
        "pipeline": "Stack/Digits",
        "algorithm": "KMeans",
        "hyperparameters": {"k": "2"},
        "instance_type": "ml.m5.large",
        "instance_count": 1,
    }
    deployed = PipelineEstimator(ARN, settings, session=session)
    monkeypatch.setattr(pipeline, "find", lambda **_: deployed)
    monkeypatch.setattr(pipeline, "find_all", lambda **_: [deployed])
    monkeypatch.setattr(watch, "find_all", lambda **_: [deployed])
    return double


def test_start_sends_the_data_set_and_the_reason(states: States, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--data-set", VERSION, "--reason", "a new label"]
    assert main(["start", "--stack", "Digits", "k=3", *options]) == 0
    assert main(["start", "--stack", "Digits"]) == 0
    assert states.started == [
        {"hyperparameters": {"k": "3"}, "data_set": VERSION, "reason": "a new label"},
        {},
    ]
    assert "Started started" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "named"),
    [(["--data-set", "newest"], "data_set is 'newest'"), (["--reason", "x" * 1001], "reason is 'xxx")],
)
def test_start_refuses_what_plan_would(
    states: States, capsys: pytest.CaptureFixture[str], options: list[str], named: str
) -> None:
    assert main(["start", "--stack", "Digits", "--json", *options]) == 1
    error = json.loads(capsys.readouterr().out)
    assert error["error"] == "RequestError" and error["message"].startswith(named)
    assert not states.started


FAILED = {"status": "FAILED", "error": "InputError", "cause": "train/a.csv: line 7 has 3 fields\nDelete it."}
OUTCOMES = {
    "failed": (FAILED, "InputError", "newest FAILED: train/a.csv: line 7 has 3 fields"),
    "stopped": (
        {"status": "ABORTED", "cause": "Stopped by its user."},
        "TrainingJobError",
        "newest ABORTED: Stopped by its user.",
    ),
    "running": ({"status": "RUNNING"}, "RequestError", "no training job yet: it is in state Encode"),
    "succeeded": ({"status": "SUCCEEDED"}, "RequestError", "does not know the training job"),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_logs_say_why_there_is_no_training_job(
    states: States, capsys: pytest.CaptureFixture[str], outcome: str
) -> None:
    states.described, kind, message = OUTCOMES[outcome]
    entered = {"name": "Encode", "input": "{}"}
    states.history = [{"type": "MapStateEntered", "timestamp": STARTED, "stateEnteredEventDetails": entered}]
    assert main(["logs", "--stack", "Digits", "--json"]) == 1
    error = json.loads(capsys.readouterr().out)
    assert error["error"] == kind and message in error["message"]
    assert error["remedy"]


def test_watch_follows_the_newest_execution_of_one_pipeline(
    states: States, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slept: list[float] = []

    def end(seconds: float) -> None:
        slept.append(seconds)
        states.described = FAILED

    monkeypatch.setattr("time.sleep", end)
    assert main(["watch", "--stack", "Digits", "--interval", "3"]) == 1
    told = capsys.readouterr()
    assert "Execution failed" in told.out and "line 7 has 3 fields" in told.err
    assert slept == [3.0]


def test_a_detached_command_says_how_to_go_on(
    states: States, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    assert main(["watch", "--state-machine", ARN]) == 130
    assert "execution newest is still running" in capsys.readouterr().err
    assert issubclass(Detached, KeyboardInterrupt)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pipelines that are looked at four times, of which the third differs."""
    pipelines = [SimpleNamespace(session=None)] * 2
    monkeypatch.setattr(watch, "find_all", lambda **_: pipelines)
    answers = iter([[NEVER], [NEVER], [TRAINED], [TRAINED]])
    monkeypatch.setattr(overview, "overviews", lambda *_, **__: next(answers))
    left = iter(range(3))

    def sleep(_: float) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setenv("COLUMNS", "200")
    pipeline.output.cache_clear()


def test_watch_prints_a_table_for_each_change(looks: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch"]) == 130
    shown = capsys.readouterr().out
    assert (shown.count("Shop/Ratings"), shown.count("Shop/Churn")) == (1, 1)
    assert shown.index("Shop/Ratings") < shown.index("Shop/Churn")


def test_watch_refreshes_the_table_of_a_terminal(
    looks: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    pipeline.output.cache_clear()
    assert main(["watch", "--interval", "2"]) == 130
    shown = capsys.readouterr().out
    assert (shown.count("Shop/Ratings"), "every 2 s; Ctrl-C ends" in shown) == (2, True)
    pipeline.output.cache_clear()


def test_watch_looks_no_more_than_once_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--interval", "0.1"]) == 2
    assert "--interval" in capsys.readouterr().err
