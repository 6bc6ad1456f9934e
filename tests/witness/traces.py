"""What an interpreter did in an execution, in a form that two interpreters can be compared in."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str, int] | None
"""Map state and item of a child execution; None for the execution itself."""


@dataclass
class Trace:
    """One execution.

    Attributes:
        steps: What happened, in order, in the execution (None) and in each child execution. A step is a
            state that began, with its input; a task that was called, with its parameters and its result or
            error; a wait, with the most seconds it may last; a state that ended, with output and next state.
        status, output, error, cause: How it ended.
    """

    steps: dict[Path, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    status: str = ""
    output: Any = None
    error: str | None = None
    cause: str | None = None

    def add(self, path: Path, **step: Any) -> None:
        self.steps[path].append(copy.deepcopy(step))

    def states(self) -> list[str]:
        """The states of the execution itself, in the order in which they began."""
        return [step["began"] for step in self.steps[None] if "began" in step]


def differences(first: Any, second: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield (where, first, second) of all fields that are not the same."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in sorted({*first, *second}, key=str):
            if key in first and key in second:
                yield from differences(first[key], second[key], f"{where}/{key}")
            else:
                yield f"{where}/{key}", first.get(key, ...), second.get(key, ...)
    elif isinstance(first, list) and isinstance(second, list):
        for number, (left, right) in enumerate(zip(first, second, strict=False)):
            yield from differences(left, right, f"{where}/{number}")
        if len(first) != len(second):
            yield f"{where}/length", len(first), len(second)
    elif first != second or type(first) is not type(second):
        yield where, first, second


def as_values(trace: Trace) -> dict[str, Any]:
    """A trace as plain values."""
    steps = {f"{path[0]}[{path[1]}]" if path else "": each for path, each in trace.steps.items() if each}
    return {
        "steps": steps,
        "status": trace.status,
        "output": trace.output,
        "error": trace.error,
        "cause": trace.cause,
    }
