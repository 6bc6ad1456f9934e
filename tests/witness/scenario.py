"""What an execution is that both interpreters run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from account import Account
from tasks import TaskError

SUCCEEDED = "SUCCEEDED"


def rows(seed: int = 1, count: int = 40) -> bytes:
    values = np.random.default_rng(seed).normal(size=(count, 2))
    return "\n".join(",".join(f"{value:.3f}" for value in row) for row in values).encode()


Faults = list[TaskError | None]


@dataclass(frozen=True)
class Scenario:
    """One execution.

    Attributes:
        machine: The state machine.
        ends: ``SUCCEEDED``, or the error that it fails with.
        through: States that it passes, in this order, among others.
        faults: What the calls of a state fail with; None lets one through.
        input: The execution's input.
        data: The channels that have data.
        damaged: The training data have a row of another length.
        before: Machines that have run before, without faults, in the same account.
        account: Changes the account before the execution.
        redriven: The execution failed before, with these faults, and is redriven from the state it ended in.
    """

    machine: str
    ends: str = SUCCEEDED
    through: Sequence[str] = ()
    faults: Mapping[str, Faults] = field(default_factory=dict)
    input: Mapping[str, Any] = field(default_factory=dict)
    data: Sequence[str] = ("train", "test")
    damaged: bool = False
    before: Sequence[str] = ()
    account: Callable[[Account], Any] = lambda account: None
    redriven: Mapping[str, Faults] | None = None
