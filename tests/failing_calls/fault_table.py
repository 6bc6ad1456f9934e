"""The table of calls and faults, and the page that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from math import inf
from pathlib import Path

import pytest
from clients import Clients
from fault_proxy import Call, Fault, FaultProxy
from outcomes import Cases, Outcome
from outside_steps import steps_outside
from steps import MACHINES, Step, steps_of_machines
from wired_account import WiredAccount

from amazon_estimators.pipeline import step_metrics
from amazon_estimators.serving import lifecycle
from quiet import no_logs

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
NAMES = {
    Fault.THROTTLED: "throttled",
    Fault.BROKEN: "500",
    Fault.DENIED: "access denied",
    Fault.MISSING: "not found",
    Fault.CUT: "cut",
    Fault.SILENT: "no answer",
}
MADE = "<!-- What follows is made by tests/failing_calls/write_faults_page.py. -->\n"


@dataclass(frozen=True)
class Row:
    """A call of a step, and what comes of each fault."""

    part: str
    step: str
    call: Call
    outcomes: Mapping[Fault, Outcome]


@dataclass(frozen=True)
class Table:
    """``rows`` of all calls, and the ``lasting`` outcome of each step whose first call fails for good."""

    rows: tuple[Row, ...]
    lasting: Mapping[tuple[str, str], Outcome]

    def page(self) -> str:
        """Return the page in Markdown: its introduction as it is, and the tables."""
        introduction = PAGE.read_text(encoding="utf-8").partition(MADE)[0]
        lines = [f"{introduction}{MADE}"]
        heads = ["Step", "Call", "About", *NAMES.values()]
        for part in dict.fromkeys(row.part for row in self.rows):
            lines += [f"## {part}\n", _line(heads), _line(["---"] * len(heads))]
            for row in self.rows:
                if row.part == part:
                    about = f"`{row.call.about}`" if row.call.about else ""
                    words = [row.outcomes[fault].word for fault in NAMES]
                    lines.append(_line([row.step, row.call.operation, about, *words]))
            lines.append("")
        lines += [
            "## If it lasts\n",
            "The first call of each step fails with 500 until all retries are used up.\n",
        ]
        lines += [_line(["Part", "Step", "Outcome"]), _line(["---"] * 3)]
        lines += [_line([*where, outcome.word]) for where, outcome in self.lasting.items()]
        return "\n".join(lines) + "\n"


@cache
def table() -> Table:
    """Run every case."""
    account = WiredAccount(MACHINES["train"])
    proxy = FaultProxy(account.answer)
    clients = Clients(proxy.endpoint)
    with proxy.running(), clients.used(), _quiet():
        steps = [*steps_of_machines(account, proxy), *steps_outside(account, proxy)]
        cases = Cases(account, proxy, clients)
        calls, lasting = [*_once(steps)], {}
        # Fault by fault: clients that are as patient as before need not be made again.
        outcomes = {fault: [cases.run(step, call, fault) for _, step, call in calls] for fault in Fault}
        for part, step, call in calls:
            if (part, step.name) not in lasting:
                lasting[part, step.name] = cases.run(step, call, Fault.BROKEN, inf)
    rows = (
        Row(part, step.name, call, {fault: outcomes[fault][number] for fault in Fault})
        for number, (part, step, call) in enumerate(calls)
    )
    return Table(tuple(rows), lasting)


def _once(steps: list[Step]) -> Iterator[tuple[str, Step, Call]]:
    """Yield each call of each step once, though several machines have the step."""
    seen = set()
    for step in steps:
        for call in step.calls:
            if (step.name, call) not in seen:
                seen.add((step.name, call))
                yield step.part, step, call


@contextmanager
def _quiet() -> Iterator[None]:
    """Log nothing, and wait for a stack's endpoint without pauses."""
    with no_logs(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifecycle.live, "__defaults__", (lambda seconds: None,))
        patch.setattr(step_metrics, "put", lambda line: None)
        yield


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
