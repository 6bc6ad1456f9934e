"""Run a scenario with one interpreter after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import emulator_run
import localstack_run
from account import Account, in_account
from execution import Execution
from machines import buckets
from scenario import Scenario, rows
from tasks import Tasks
from traces import Trace


def run_both(machines: Mapping[str, dict[str, Any]], scenario: Scenario) -> tuple[Trace, Trace]:
    """Run a scenario with both interpreters: the two traces."""
    _, first, second = run_prepared(machines, scenario)
    return first, second


def run_prepared(
    machines: Mapping[str, dict[str, Any]], scenario: Scenario
) -> tuple[Execution, Trace, Trace]:
    """Do the same, and return the execution too."""
    execution, tasks = prepare(machines, scenario)
    with in_account(tasks.account):
        first = emulator_run.run(execution, tasks.make)
        second = localstack_run.run(execution, tasks.replay)
    return execution, first, second


def prepare(machines: Mapping[str, dict[str, Any]], scenario: Scenario) -> tuple[Execution, Tasks]:
    """Put the account into the state that the scenario begins with."""
    account, definition = Account(), machines[scenario.machine]
    with in_account(account):
        for machine in {scenario.machine, *scenario.before}:
            for bucket in buckets(machines[machine]):
                account.make_bucket(bucket)
                for channel in scenario.data if "data" in bucket else ():
                    account.put(bucket, f"input/{channel}/rows.csv", rows())
                if scenario.damaged and "data" in bucket:
                    account.put(bucket, "input/train/rows.csv", rows() + b"\n1.0,2.0,3.0\n" + rows(2))
                if "data" in bucket:
                    for prefix in ("scores", "batch"):
                        account.put(bucket, f"{prefix}/input/rows.csv", rows(3))
        for number, machine in enumerate(scenario.before):
            trace = _run_first(account, machines[machine], name=f"before-{number}")
            assert trace.status == "SUCCEEDED", (machine, trace.error, trace.cause)
        scenario.account(account)
        tasks = Tasks(account, scenario.faults)
        execution = Execution(definition, dict(scenario.input), tasks.items)
        execution.first_input = execution.input
        if scenario.redriven is not None:
            failed = emulator_run.run(execution, Tasks(account, scenario.redriven).make)
            assert failed.status == "FAILED", failed.states()
            entered = [step for step in failed.steps[None] if "began" in step][-1]
            execution = replace(execution, input=entered["input"], start_at=entered["began"], redrives=1)
    return execution, tasks


def _run_first(account: Account, definition: dict[str, Any], *, name: str) -> Trace:
    tasks = Tasks(account)
    return emulator_run.run(Execution(definition, {}, tasks.items, name=name), tasks.make)
