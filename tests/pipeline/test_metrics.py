"""The metrics of a pipeline: each line is in the embedded metric format, and is written once per event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.errors import ServiceError
from amazon_estimators.pipeline import announce as announcement
from amazon_estimators.pipeline.event_names import FAILED, RECOVERED, TRAINED
from amazon_estimators.pipeline.metrics import (
    BILLABLE_SECONDS,
    COST,
    COUNTS,
    EXECUTION_SECONDS,
    metric_line,
)

MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:Digits"
UNITS = {"Count", "Seconds", "None"}

details = st.fixed_dictionaries(
    {"state_machine": st.just(MACHINE)},
    optional={
        "pipeline": st.text(max_size=20),
        "seconds": st.integers(0, 10**6),
        "cost": st.none() | st.fixed_dictionaries({"amount": st.none() | st.floats(0, 10**6)}),
        "billable_seconds": st.none() | st.integers(0, 10**6),
        "error": st.none() | st.sampled_from(["InputError", "Execution.ABORTED"]),
        "metrics": st.dictionaries(
            st.from_regex(r"[a-z]+:[a-z_]+", fullmatch=True), st.floats(), max_size=120
        ),
    },
)


@given(told=st.sampled_from(sorted(COUNTS)), detail=details)
def test_every_line_is_one_that_cloudwatch_takes(told: str, detail: dict[str, Any]) -> None:
    """By the specification: at most 100 metrics, numbers at the root, dimensions that are texts there."""
    line = json.loads(json.dumps(metric_line(told, detail, now=1_700_000_000.5), allow_nan=False))
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert line["_aws"]["Timestamp"] == 1_700_000_000_500
    assert 1 <= len(directive["Metrics"]) <= 100
    for metric in directive["Metrics"]:
        assert isinstance(line[metric["Name"]], int | float)
        assert metric["Unit"] in UNITS
    for dimensions in directive["Dimensions"]:
        assert 1 <= len(dimensions) <= 30
        assert all(isinstance(line[name], str) and line[name] for name in dimensions)
    assert line[COUNTS[told]] == 1


@pytest.mark.parametrize("cost", [None, {"amount": None, "currency": None, "because": "nobody knows"}])
def test_an_unknown_cost_is_no_metric(cost: dict[str, Any] | None) -> None:
    line = metric_line(TRAINED, {"state_machine": MACHINE, "cost": cost}, now=0)
    assert line is not None and COST not in line


def test_an_event_that_is_no_outcome_is_not_counted() -> None:
    assert metric_line(RECOVERED, {"state_machine": MACHINE}, now=0) is None


class Bus:
    """An event bus that refuses the first ``refusals`` events."""

    def __init__(self, refusals: int) -> None:
        self._refusals = refusals

    def put_events(self, *, Entries: list[dict[str, str]]) -> dict[str, Any]:
        self._refusals -= 1
        failed = self._refusals >= 0
        entry = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"} if failed else {}
        return {"FailedEntryCount": int(failed), "Entries": [entry]}


def test_an_event_is_counted_once_however_often_it_was_sent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcement.time, "sleep", lambda seconds: None)
    announcement.tell(Bus(2), TRAINED, {"state_machine": MACHINE, "metrics": {"test:msd": 0.25}})
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["ModelsTrained"] == 1
    assert json.loads(line)["test:msd"] == 0.25


def test_an_event_that_nobody_heard_is_not_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcement.time, "sleep", lambda seconds: None)
    with pytest.raises(ServiceError):
        announcement.tell(Bus(99), FAILED, {"state_machine": MACHINE})
    assert capsys.readouterr().out == ""


def test_no_metric_of_an_algorithm_has_a_name_of_ours() -> None:
    names = {metric.name for algorithm in ALGORITHMS.values() for metric in algorithm.metrics}
    assert len(names) > 10
    assert not names & {*COUNTS.values(), EXECUTION_SECONDS, BILLABLE_SECONDS, COST}
    assert all(":" in name for name in names)
