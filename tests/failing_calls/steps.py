"""Every invocation of the library's functions and every call of its state machines, ready to be repeated.

The machines run once without a fault. What each task got, and the account before and after it, is kept.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import emulator_run
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from execution import Execution
from fault_proxy import Call, FaultProxy
from faults import LOST
from machines import buckets
from scenario import rows
from tasks import TaskError, Tasks
from traces import Trace
from wired_account import WiredAccount

from amazon_estimators.verification.recorded import Recorded
from amazon_estimators_rehearsal.sagemaker.integration import (
    JOBS,
    OPTIMISED,
    SDK,
    SYNC,
    TaskFailedError,
    _call,
    _method,
    to_states_json,
)

MACHINES = Recorded.load().definitions


@dataclass(frozen=True)
class Step:
    """One task, or one invocation outside a state machine.

    Attributes:
        part: What it belongs to, for the table.
        name: The state or the function.
        run: Does it; ``run(n)`` is the n-th redrive or delivery. Returns None, or the error and its text.
        before: The account before it.
        after: What the account holds after it.
        calls: What it calls, and how often.
    """

    part: str
    name: str
    run: Callable[[int], tuple[str, str] | None]
    before: bytes
    after: Mapping[str, Any]
    calls: Mapping[Call, int]


@dataclass
class Called:
    """A task as it was called in a machine's run."""

    state: str
    parameters: Any
    before: bytes
    after: Mapping[str, Any]
    calls: Mapping[Call, int]


@dataclass
class WiredTasks(Tasks):
    """Tasks whose integrations call SageMaker over HTTP too. ``called`` are all of them, in order."""

    proxy: FaultProxy | None = None
    called: list[Called] = field(default_factory=list)
    raised: BaseException | None = None
    _one_by_one: Any = field(default_factory=threading.Lock)

    def make(self, state: str, resource: str, parameters: Any) -> Any:
        assert self.proxy is not None and isinstance(self.account, WiredAccount)
        with self._one_by_one:
            before = self.account.snapshot()
            self.proxy.clear()
            outcome = super().make(state, resource, parameters)
            calls = Counter(self.proxy.calls)
            self.called.append(Called(state, parameters, before, self.account.content(), calls))
        return outcome

    def repeat(self, state: str, resource: str, parameters: Any) -> Any:
        """Call a task without keeping what it does."""
        return super().make(state, resource, parameters)

    def _call(self, state: str, resource: str, parameters: Any) -> Any:
        try:
            return super()._call(state, resource, parameters)
        except TaskError as error:
            self.raised = error.__cause__
            raise

    def _integration(self, resource: str, parameters: dict[str, Any]) -> Any:
        """Call as Step Functions does: by an SDK, with the retries that every SDK of AWS has by default."""
        # The definitions' ARNs are made up.
        retries = {"mode": "standard", "total_max_attempts": 3}
        client = boto3.client("sagemaker", config=Config(retries=retries, parameter_validation=False))
        sdk = resource.startswith(SDK)
        action = resource.removeprefix(SDK if sdk else OPTIMISED).removesuffix(SYNC)
        other = "SageMakerException" if sdk else "AmazonSageMakerException"
        try:
            answer = _call(_method(client, action), other=other, **parameters)
        except TaskFailedError as error:
            raise TaskError(error.error, error.cause) from error
        except BotoCoreError as error:
            raise TaskError("SageMaker.SdkClientException", str(error)) from error
        if action not in JOBS or not resource.endswith(SYNC):
            return to_states_json(answer)
        # That it waits for the job is Step Functions' own affair.
        job = JOBS[action]
        known = {"TrainingJob": "jobs", "HyperParameterTuningJob": "tuned", "TransformJob": "transformed"}
        return getattr(self.account.sagemaker, known[job.noun])[parameters[job.name_member]]


def steps_of_machines(account: WiredAccount, proxy: FaultProxy) -> Iterator[Step]:
    """Run the machines, one after another in one account, and yield their tasks."""
    for machine in MACHINES:
        for bucket in buckets(MACHINES[machine]):
            account.make_bucket(bucket)
            for key in ("input/train", "input/test", "scores/input", "batch/input"):
                if "data" in bucket:
                    account.put(bucket, f"{key}/rows.csv", rows(count=8))
    failing: dict[str, Any] = {"hyperparameters": {"k": "-1"}}
    for machine, part, asked, lost in (
        ("all", "Training", {}, ""),
        ("registration", "Training", {}, ""),
        ("train", "Training", {"reason": "again"}, ""),
        ("all", "Training", {}, "Tune"),
        ("train", "Training", {}, "Train"),
        ("train", "A failed training", failing, ""),
        ("scores", "Predictions by functions", {}, ""),
        ("transform", "Predictions by a transform job", {}, ""),
        ("transform", "Predictions by a transform job", {}, "Transform"),
        ("scaled", "Endpoint", {}, ""),
    ):
        tasks = WiredTasks(account, proxy=proxy, faults={lost: [LOST]})
        name = f"run{machine}{len(asked) or ''}{lost.lower()}"
        execution = Execution(MACHINES[machine], asked, tasks.items, name=name)
        execution.first_input = asked
        trace = emulator_run.run(execution, tasks.make)
        assert (trace.status == "FAILED") == (asked == failing), (machine, trace.error, trace.cause)
        for called in tasks.called:
            if called.calls:
                run = _repeat(execution, tasks, called.state, _input_of(trace, called))
                yield Step(part, called.state, run, called.before, called.after, called.calls)


def _input_of(trace: Trace, called: Called) -> Any:
    """The input of the state whose task was called so."""
    for steps in trace.steps.values():
        data: Any = None
        for step in steps:
            data = step["input"] if "began" in step else data
            if step.get("task") == called.state and step["parameters"] == called.parameters:
                return data
    raise AssertionError(called.state)


def _repeat(
    execution: Execution, tasks: WiredTasks, name: str, data: Any
) -> Callable[[int], tuple[str, str] | None]:
    """Return what runs one state, with its own retries and with what catches its errors."""
    definition = _alone(execution.base["States"], name)

    def run(redrives: int) -> tuple[str, str] | None:
        tasks.raised = None
        one = Execution(definition, data, tasks.items, name=execution.name, redrives=redrives)
        one.first_input = execution.first_input
        trace = emulator_run.run(one, tasks.repeat)
        failed = [step for step in _tasks(trace) if step["task"] == name and "error" in step]
        if not failed or (trace.status == "SUCCEEDED" and "result" in _tasks(trace)[-1]):
            return None
        error, cause = failed[-1]["error"], failed[-1]["cause"]
        if trace.status == "SUCCEEDED":
            return GOES_ON, f"{error}: {cause}"
        is_ours = tasks.raised is not None and type(tasks.raised).__name__ == error
        return str(error), str(tasks.raised) if is_ours else str(cause)

    return run


GOES_ON = "without it"


def _tasks(trace: Trace) -> list[dict[str, Any]]:
    return [step for step in trace.steps[None] if "task" in step]


def _alone(states: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a machine that ends where the state is left, and fails where its failure is explained."""
    known = {key: state for key, state in states.items() if state["Type"] != "Map"}
    for state in states.values():
        known |= state.get("ItemProcessor", {}).get("States", {})
    state = known[name]
    ends: dict[str, Any] = {state["Next"]: {"Type": "Succeed"}} if "Next" in state else {}
    for caught in known:
        if caught.startswith(("Explain", "IsCapacity")) and caught not in ends and caught != name:
            ends[caught] = {"Type": "Fail", "Error": "Caught"}
    return {"StartAt": name, "States": {**known, **ends}}
