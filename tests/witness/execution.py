"""An execution that two interpreters run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from account import ACCOUNT, REGION


@dataclass
class Execution:
    """A definition and an input, with what the context object says of them.

    Attributes:
        definition: The state machine.
        input: What the first state gets.
        items: Reads a Map's items from a bucket and a key.
        name: The execution's name.
        redrives: The number of redrives before. A redriven execution begins at ``start_at``.
        start_at: The state to begin with; None for the definition's.
    """

    base: dict[str, Any]
    input: Any
    items: Callable[[str, str], list[Any]]
    name: str = "first"
    redrives: int = 0
    start_at: str | None = None
    first_input: Any = field(default_factory=dict)
    region: str = REGION
    start_time: str = "2026-11-28T10:00:00.000Z"

    @cached_property
    def definition(self) -> dict[str, Any]:
        return {**self.base, "StartAt": self.start_at or self.base["StartAt"]}

    @property
    def machine_arn(self) -> str:
        return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:machine"

    @property
    def arn(self) -> str:
        return f"arn:aws:states:{REGION}:{ACCOUNT}:execution:machine:{self.name}"

    @cached_property
    def parents(self) -> dict[str, str]:
        """The Map that each state inside one belongs to."""
        return {
            inner: name
            for name, state in self.definition["States"].items()
            for inner in state.get("ItemProcessor", {}).get("States", {})
        }
