"""Structured logs: one JSON line when a step starts, one when it ends, and one for each retry of a request.

Where a function's log format is JSON, Lambda's own handler writes a record's extra fields as members too.
Where there is no such handler, as in the rehearsal, the one below writes the same line. The level is the
function's ``ApplicationLogLevel``, which Lambda hands on in ``AWS_LAMBDA_LOG_LEVEL``.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

LOGGER = logging.getLogger("amazon_estimators")
LEVEL = "AWS_LAMBDA_LOG_LEVEL"
TRACE = 5
"""Lambda knows this level; Python does not."""

_step: dict[str, Any] = {}
"""The fields of the step under way. A Lambda process runs one invocation at a time, in several threads."""
_facts: dict[str, Any] = {}


def logged(step: str) -> Callable[[Handler], Handler]:
    """Log the start and the end of every call of a Lambda handler.

    Both lines name the step, and the pipeline, the execution and the shard as far as the event does. The last
    one adds the seconds, the peak memory of the process so far in MB, and what the step told :func:`note`.

    Args:
        step: The name of the state, such as ``"Encode"``.
    """
    _configure()

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def wrapped(event: dict[str, Any], context: Any) -> dict[str, Any]:
            _step.clear()
            _step.update(step=step, **_about(event))
            _facts.clear()
            start = time.perf_counter()
            LOGGER.info("step started", extra=_step)
            try:
                result = handler(event, context)
            except Exception as error:
                LOGGER.error("step failed", extra=_end(start) | {"error": type(error).__name__})
                raise
            LOGGER.info("step ended", extra=_end(start))
            return result

        return wrapped

    return decorate


def note(**facts: Any) -> None:
    """Add facts, such as ``records=1797``, to the line that the step under way ends with."""
    _facts.update(facts)


def noted() -> Mapping[str, Any]:
    """Return the facts that the step under way has noted."""
    return dict(_facts)


def retrying(operation: str, attempt: int, cause: str, **where: Any) -> None:
    """Log that a request is sent once more.

    Args:
        operation: The API's name of it, such as ``"GetObject"``.
        attempt: The number of the attempt that begins, 2 for the first retry.
        cause: Why the attempt before failed: an error code or class.
        where: What was asked for, such as ``key="input/a.csv"``.
    """
    fields = {**_step, "operation": operation, "attempt": attempt, "cause": cause, **where}
    LOGGER.warning("retrying", extra=fields)


def _about(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an event says about the work it asks for."""
    pipeline, execution = event.get("pipeline"), event.get("execution")
    fields = {
        "pipeline": pipeline.get("pipeline") if isinstance(pipeline, Mapping) else pipeline,
        "execution": execution.get("name") if isinstance(execution, Mapping) else execution,
        "redrive": execution.get("redrive") if isinstance(execution, Mapping) else None,
        "shard": event.get("shard"),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _end(start: float) -> dict[str, Any]:
    return {
        **_step,
        **_facts,
        "seconds": round(time.perf_counter() - start, 3),
        "peak_memory_mb": _peak_memory(),
    }


def _peak_memory() -> int:
    """Return the most memory that this process has held, in MB of 1,000,000 bytes."""
    import resource  # noqa: PLC0415 - Windows has no such module, and runs no step

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6)


def _configure() -> None:
    """Set the level, and write to standard error unless Lambda has set up its own handler."""
    names = {**logging.getLevelNamesMapping(), "TRACE": TRACE}
    LOGGER.setLevel(names.get(os.environ.get(LEVEL, "").upper(), logging.INFO))
    if not logging.getLogger().handlers and not LOGGER.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_JsonFormatter())
        LOGGER.addHandler(handler)


class _JsonFormatter(logging.Formatter):
    """Writes a record as Lambda does: its own members first, then the extra fields."""

    _OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: value for name, value in vars(record).items() if name not in self._OWN}
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            **extra,
        }
        return json.dumps(line, default=str)
