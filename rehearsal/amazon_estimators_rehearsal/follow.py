"""What a state machine does, as it happens: its history and its Map Runs turned into a stream of events."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amazon_estimators.explain import text_of

ENDED = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})


@dataclass(frozen=True)
class Started:
    """An execution began, ``name`` being its name."""

    name: str


@dataclass(frozen=True)
class Entered:
    """A state was entered."""

    state: str


@dataclass(frozen=True)
class Exited:
    """A state was left after ``seconds``."""

    state: str
    seconds: float


@dataclass(frozen=True)
class Shards:
    """How many child executions of a Map Run are over, and of how many."""

    done: int
    failed: int
    total: int


@dataclass(frozen=True)
class Ended:
    """The execution is over. ``error`` and ``cause`` are empty if it succeeded."""

    status: str
    output: str
    error: str
    cause: str


Event = Started | Entered | Exited | Shards | Ended


class NoExecutionError(RuntimeError):
    """Nothing was started in time, or what was started did not end in time."""


def follow(
    states: Any, machine_arn: str, *, known: frozenset[str] = frozenset(), timeout: float = 600.0
) -> Iterator[Event]:
    """Wait for an execution that is not among the ``known`` ARNs, then tell its events until its end.

    ``states`` is a Step Functions client; ``timeout``, in seconds, is for the whole. Raises NoExecutionError.
    """
    deadline = time.monotonic() + timeout
    arn = _await_execution(states, machine_arn, known, min(deadline, time.monotonic() + 60))
    yield Started(arn.rpartition(":")[2])
    seen, entered, shards = 0, {}, None
    while True:
        status = states.describe_execution(executionArn=arn)
        events = _history(states, arn)
        for event in events[seen:]:
            if "stateEnteredEventDetails" in event:
                state = event["stateEnteredEventDetails"]["name"]
                entered[state] = event["timestamp"]
                yield Entered(state)
            elif "stateExitedEventDetails" in event:
                state = event["stateExitedEventDetails"]["name"]
                yield Exited(state, _seconds(entered.get(state), event["timestamp"]))
        seen = len(events)
        progress = _shards(states, arn)
        if progress and progress != shards:
            shards = progress
            yield progress
        if status["status"] in ENDED:
            yield Ended(
                status["status"],
                status.get("output", ""),
                status.get("error", ""),
                text_of(status.get("cause", "")),
            )
            return
        if time.monotonic() > deadline:
            raise NoExecutionError(f"The execution {arn} is still {status['status']} after {timeout:.0f} s.")
        time.sleep(0.2)


def executions(states: Any, machine_arn: str) -> frozenset[str]:
    """ARNs of all executions of a state machine."""
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=machine_arn)
    return frozenset(item["executionArn"] for page in pages for item in page["executions"])


def _await_execution(states: Any, machine_arn: str, known: frozenset[str], deadline: float) -> str:
    while time.monotonic() < deadline:
        new = executions(states, machine_arn) - known
        if new:
            return min(new)
        time.sleep(0.1)
    raise NoExecutionError(f"The upload started no execution of {machine_arn}.")


def _history(states: Any, arn: str) -> list[dict[str, Any]]:
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def _shards(states: Any, arn: str) -> Shards | None:
    for run in states.list_map_runs(executionArn=arn)["mapRuns"]:
        counts = states.describe_map_run(mapRunArn=run["mapRunArn"])["executionCounts"]
        failed = counts["failed"] + counts["timedOut"] + counts["aborted"]
        return Shards(counts["succeeded"] + failed, failed, counts["total"])
    return None


def _seconds(begin: datetime | None, end: datetime) -> float:
    return (end - begin).total_seconds() if begin else 0.0
