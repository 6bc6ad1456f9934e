"""The recorded steps: states of executions that two interpreters ran alike, and what their tasks answered."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

FILE = "recorded.json.gz"
"""Written by ``tests/witness/record.py``."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One state that ran, or one call of its task that failed and was retried.

    Attributes:
        machine: The state machine.
        execution: What happened in the execution, in a few words.
        state: The state.
        input: The state's input.
        status: How the step ended, as TestState names it: SUCCEEDED, RETRIABLE, CAUGHT_ERROR or FAILED.
        context: The context object; None for a state that calls nothing.
        result: What the task answered, in a list of one; None if it failed or there is no task.
        error, cause: How the task failed.
        retries: The retries before, by the same retrier.
        parameters: What the task was called with, in a list of one.
        wait: The most seconds before the retry.
        output: The state's output, in a list of one.
        next: The next state; None at the end.
    """

    machine: str
    execution: str
    state: str
    input: Any
    status: str
    context: Mapping[str, Any] | None = None
    result: list[Any] | None = None
    error: str | None = None
    cause: str | None = None
    retries: int = 0
    parameters: list[Any] | None = None
    wait: float | None = None
    output: list[Any] | None = None
    next: str | None = None


@dataclass(frozen=True)
class Recorded:
    """Definitions by machine, and steps of their executions."""

    definitions: Mapping[str, Any]
    steps: list[Step]

    @classmethod
    def load(cls) -> Recorded:
        """Read the package's file."""
        body = files("amazon_estimators.verification").joinpath(FILE).read_bytes()
        values = json.loads(gzip.decompress(body))
        return cls(values["definitions"], [Step(**step) for step in values["steps"]])

    def to_bytes(self) -> bytes:
        """Return the file's content, the same bytes for the same steps."""
        steps = [
            {key: value for key, value in asdict(step).items() if value is not None} for step in self.steps
        ]
        values = {"definitions": self.definitions, "steps": steps}
        return gzip.compress(json.dumps(values, separators=(",", ":")).encode(), mtime=0)

    @cached_property
    def definition_texts(self) -> dict[str, str]:
        """The definitions as the API takes them."""
        return {
            name: json.dumps(definition, separators=(",", ":"))
            for name, definition in self.definitions.items()
        }
