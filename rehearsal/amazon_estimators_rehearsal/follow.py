"""Follow an execution live: turn its history and its Map Runs into a stream of events."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amazon_estimators.client.execution import shard_counts
from amazon_estimators.pipeline.explain import text_of

ENDED = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})


@dataclass(frozen=True)
class Started:
    """The execution ``name`` has started."""

    name: str


@dataclass(frozen=True)
class Entered:
    """The execution has entered a state."""

    state: str


@dataclass(frozen=True)
class Exited:
    """The execution has left a state after ``seconds``. ``error`` names its failure, or is empty.

    A failure that the state machine catches counts too: the state did not do its work.
    """

    state: str
    seconds: float
    error: str = ""


@dataclass(frozen=True)
class Shards:
    """Progress of a Map Run: child executions that have ended, those that failed, and their total."""

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
    """Raised if no execution started in time, or if it did not end in time."""


def follow(
    states: Any, machine_arn: str, *, known: frozenset[str] = frozenset(), timeout: float = 600.0
) -> Iterator[Event]:
    """Wait for an execution that is not among the ``known`` ARNs, then yield its events until it ends.

    Args:
        states: A Step Functions client.
        machine_arn: The state machine.
        known: ARNs of executions to ignore.
        timeout: Seconds for the start and the execution together.

    Raises:
        NoExecutionError: No execution started in time, or it did not end in time.
    """
    deadline = time.monotonic() + timeout
    arn = _await_execution(states, machine_arn, known, min(deadline, time.monotonic() + 60))
    yield Started(arn.rpartition(":")[2])
    told = _Told(states, arn)
    while True:
        status = states.describe_execution(executionArn=arn)
        yield from told.news()
        if status["status"] in ENDED:
            yield from told.left_open(status["status"])
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


class _Told:
    """Remembers which events of an execution have been reported, so that each is reported once."""

    def __init__(self, states: Any, arn: str) -> None:
        self._states, self._arn = states, arn
        self._events: list[dict[str, Any]] = []
        self._entered: dict[str, dict[str, Any]] = {}
        self._error = ""
        self._shards: Shards | None = None

    def news(self) -> Iterator[Event]:
        """Yield the events since the last call."""
        seen, self._events = len(self._events), _history(self._states, self._arn)
        for event in self._events[seen:]:
            if "stateEnteredEventDetails" in event:
                state = event["stateEnteredEventDetails"]["name"]
                self._entered[state], self._error = event, ""
                yield Entered(state)
            elif "stateExitedEventDetails" in event:
                state = event["stateExitedEventDetails"]["name"]
                yield from self._progress()
                begin = self._entered.pop(state)
                yield Exited(state, _seconds(begin, event), self._error or _caught(begin, event))
            else:
                self._error = _error_after(event, self._error)
        yield from self._progress()

    def left_open(self, status: str) -> Iterator[Event]:
        """Yield an exit for each state that was still open when the execution ended with ``status``."""
        for state, begin in reversed(self._entered.items()):
            yield Exited(state, _seconds(begin, self._events[-1]), self._error or status)

    def _progress(self) -> Iterator[Event]:
        """Yield the progress of the running Map, if there is one and it has advanced."""
        if any(event["type"] == "MapStateEntered" for event in self._entered.values()):
            shards = _shards(self._states, self._arn)
            if shards and shards != self._shards:
                self._shards = shards
                yield shards


def executions(states: Any, machine_arn: str) -> frozenset[str]:
    """Return the ARNs of all executions of a state machine."""
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
    counts = shard_counts(states, arn)
    if counts is None:
        return None
    failed = counts["failed"] + counts["timedOut"] + counts["aborted"]
    return Shards(counts["succeeded"] + failed, failed, counts["total"])


def _error_after(event: Mapping[str, Any], before: str) -> str:
    """Return the current state's error after ``event``: a failed attempt sets it, a new attempt clears it."""
    kind = event["type"]
    if kind.endswith(("Failed", "TimedOut", "Aborted")):
        details = [value for name, value in event.items() if name.endswith("EventDetails")]
        return next((str(detail["error"]) for detail in details if detail.get("error")), str(kind))
    return "" if kind.endswith(("Scheduled", "Started", "Redriven", "Succeeded")) else before


def _caught(entered: Mapping[str, Any], exited: Mapping[str, Any]) -> str:
    """Return the error that a Catch put into a state's output: a Map's error has no event in the emulator."""
    before, after = entered["stateEnteredEventDetails"], exited["stateExitedEventDetails"]
    known = _objects(before.get("input"))
    new = [item for item in _objects(after.get("output")) if item not in known]
    return next((str(item["Error"]) for item in new if item.keys() == {"Error", "Cause"}), "")


def _objects(text: str | None) -> list[dict[str, Any]]:
    """Return a state's input or output and its direct members that are JSON objects."""
    whole = json.loads(text or "{}")
    parts = whole.values() if isinstance(whole, dict) else ()
    return [item for item in (whole, *parts) if isinstance(item, dict)]


def _seconds(begin: Mapping[str, Any], end: Mapping[str, Any]) -> float:
    return float((end["timestamp"] - begin["timestamp"]).total_seconds())
