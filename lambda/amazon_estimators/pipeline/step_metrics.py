"""Metrics of the steps of an execution: the time that each takes, and the data that it found and wrote."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any

from amazon_estimators.logs import Handler, noted
from amazon_estimators.pipeline.metrics import DIMENSION, embedded, put

STEP, STEP_SECONDS = "Step", "StepSeconds"
RECORDS, RECORD_BYTES, ROWS_DROPPED = "Records", "RecordBytes", "RowsDropped"
SHARDS_ENCODED, SHARDS_REUSED = "ShardsEncoded", "ShardsReused"
INPUT_OBJECTS, INPUT_BYTES = "InputObjects", "InputBytes"
FACTS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Plan": {
        "objects": (INPUT_OBJECTS, "Count"),
        "bytes": (INPUT_BYTES, "Bytes"),
        "shards_to_encode": (SHARDS_ENCODED, "Count"),
    },
    "Seal": {
        "records": (RECORDS, "Count"),
        "bytes": (RECORD_BYTES, "Bytes"),
        "dropped": (ROWS_DROPPED, "Count"),
    },
}
"""The metric and unit of what a step notes for its log, by step."""


def measured(step: str) -> Callable[[Handler], Handler]:
    """Write the metrics of every call of a Lambda handler that succeeds.

    Args:
        step: The name of the state, such as ``"Seal"``.
    """

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def wrapped(event: dict[str, Any], context: Any) -> dict[str, Any]:
            start = time.perf_counter()
            result = handler(event, context)
            seconds = time.perf_counter() - start
            for line in step_lines(step, event, noted(), seconds=seconds, now=time.time()):
                put(line)
            return result

        return wrapped

    return decorate


def step_lines(
    step: str, event: Mapping[str, Any], facts: Mapping[str, Any], *, seconds: float, now: float
) -> Iterator[dict[str, Any]]:
    """Yield the lines of a step that has ended: one by step, and one of the data if it notes any.

    Args:
        step: The name of the state.
        event: Its event. One that names no state machine, as of a call by hand, has no lines.
        facts: What it noted.
        seconds: The time it took.
        now: Seconds since 1970.

    Example:
        >>> event = {"execution": {"name": "one", "state_machine": "arn"}}
        >>> facts = {"shards": 5, "shards_to_encode": 2}
        >>> by_step, data = step_lines("Plan", event, facts, seconds=1.5, now=0)
        >>> by_step["StepSeconds"], by_step["Step"], data["ShardsEncoded"], data["ShardsReused"]
        (1.5, 'Plan', 2, 3)
    """
    execution, pipeline = event.get("execution") or {}, event.get("pipeline") or {}
    machine = execution.get("state_machine")
    if not machine:
        return
    line = {"pipeline": pipeline.get("pipeline"), "execution": execution.get("name"), DIMENSION: machine}
    times = {step: seconds}
    planned_at = (event.get("plan") or {}).get("planned_at")
    if step == "Seal" and planned_at:  # what lies between Plan and Seal is the Map that encodes
        times["Encode"] = now - seconds - planned_at
    for name, time_taken in times.items():
        yield embedded(
            {**line, STEP: name}, [[DIMENSION, STEP]], {STEP_SECONDS: (time_taken, "Seconds")}, now=now
        )
    values = {
        metric: (facts[name], unit) for name, (metric, unit) in FACTS.get(step, {}).items() if name in facts
    }
    if SHARDS_ENCODED in values:
        values[SHARDS_REUSED] = (facts["shards"] - facts["shards_to_encode"], "Count")
    if values:
        yield embedded(line, [[DIMENSION]], values, now=now)
