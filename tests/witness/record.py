"""Record the steps that ``amazon-estimators verify --on-aws`` runs: ``python tests/witness/record.py``.

From the second interpreter's traces; each step is kept once for a machine, a state, how it ended and where it
led to. Needed again when a state machine changes.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path += [str(TESTS / name) for name in ("constructs", "endpoints")]

from execution import Execution  # noqa: E402
from machines import machines  # noqa: E402
from runs import run_prepared  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402
from traces import Trace  # noqa: E402

from amazon_estimators.verification.recorded import FILE, Recorded, Step  # noqa: E402
from amazon_estimators_rehearsal.environment import node_binary  # noqa: E402

PLACE = TESTS.parent / "lambda" / "amazon_estimators" / "verification" / FILE


def steps_of(machine: str, name: str, execution: Execution, trace: Trace) -> Iterator[Step]:
    """Yield the steps of an execution that TestState can run.

    Not its Wait states, which it would wait out, nor its Map states, nor Pass states that read the context
    object, which it takes beside a mock only.
    """
    states = execution.definition["States"]
    steps = trace.steps[None]
    attempts: list[dict[str, Any]] = []
    data: Any = None
    for number, step in enumerate(steps):
        if "began" in step:
            attempts, data = [], step["input"]
        elif "task" in step:
            waited = steps[number + 1].get("waited") if number + 1 < len(steps) else None
            attempts.append({**step, "wait": waited})
        if "ended" in step or ("task" in step and number + 1 == len(steps)):
            state = step.get("ended") or step["task"]
            about = {"machine": machine, "execution": name, "state": state, "input": data}
            yield from _of_state(about, execution, states[state], attempts, step)


def _of_state(
    about: dict[str, Any],
    execution: Execution,
    definition: Mapping[str, Any],
    attempts: list[dict[str, Any]],
    step: dict[str, Any],
) -> Iterator[Step]:
    kind = definition["Type"]
    end: dict[str, Any] = {"output": [step.get("output")], "next": step.get("next")}
    if kind in {"Pass", "Choice"} and "$$." not in json.dumps(definition):
        yield Step(**about, status="SUCCEEDED", **end)
    if kind != "Task":
        return
    used: Counter[str] = Counter()
    for number, attempt in enumerate(attempts):
        called = {**about, "context": context_of(execution, about["state"], number)}
        called["parameters"] = [attempt["parameters"]]
        if "error" not in attempt:
            yield Step(**called, status="SUCCEEDED", result=[attempt["result"]], **end)
            continue
        retrier = _retrier(definition, attempt["error"])
        called |= {"error": attempt["error"], "cause": attempt["cause"], "retries": used[retrier]}
        used[retrier] += 1
        if attempt["wait"] is not None:
            yield Step(**called, status="RETRIABLE", wait=attempt["wait"])
        elif "ended" in step:
            yield Step(**called, status="CAUGHT_ERROR", **end)
        else:
            yield Step(**called, status="FAILED")


def _retrier(definition: Mapping[str, Any], error: str) -> str:
    names = [retrier["ErrorEquals"] for retrier in definition.get("Retry", [])]
    return str(next((each for each in names if error in each or "States.ALL" in each), None))


def context_of(execution: Execution, state: str, retries: int) -> dict[str, Any]:
    """The context object."""
    return {
        "Execution": {
            "Id": execution.arn,
            "Input": execution.first_input,
            "Name": execution.name,
            "RoleArn": "arn:aws:iam::111122223333:role/machine",
            "StartTime": execution.start_time,
            "RedriveCount": execution.redrives,
        },
        "State": {"EnteredTime": execution.start_time, "Name": state, "RetryCount": retries},
        "StateMachine": {"Id": execution.machine_arn, "Name": "machine"},
    }


def record() -> Recorded:
    """Run all scenarios."""
    definitions = machines()
    kept: dict[tuple[Any, ...], Step] = {}
    for name, scenario in SCENARIOS.items():
        execution, _, trace = run_prepared(definitions, scenario)
        for step in steps_of(scenario.machine, name, execution, trace):
            context = step.context or {"Execution": {"RedriveCount": 0}}
            key = (step.machine, step.state, step.status, step.error, step.retries, step.next)
            kept.setdefault((*key, context["Execution"]["RedriveCount"]), step)
    return Recorded(definitions, [*kept.values()])


if __name__ == "__main__":
    os.environ["JSII_NODE"], os.environ["CDK_VALIDATION"] = str(node_binary()), "false"
    recorded = record()
    PLACE.write_bytes(recorded.to_bytes())
    sys.stderr.write(f"{len(recorded.steps)} steps, {PLACE.stat().st_size:,} bytes\n")
