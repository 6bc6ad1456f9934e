"""The first interpreter: the one of the emulator that the rehearsal deploys to, in this process."""

from __future__ import annotations

import contextvars
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from emulator_modules import set_request_region, stepfunctions
from execution import Execution
from tasks import TaskError
from traces import Path, Trace

KINDS = ("pass", "task", "choice", "wait", "map")
_at: contextvars.ContextVar[tuple[str, Path]] = contextvars.ContextVar("at")


def run(execution: Execution, answer: Callable[[str, str, Any], Any]) -> Trace:
    """Run an execution. ``answer`` is called for each task, with its state, resource and parameters."""
    trace = Trace()
    record: dict[str, Any] = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "status": "RUNNING",
        "startDate": execution.start_time,
        "input": json.dumps(execution.input),
        "events": [],
    }
    set_request_region(execution.region)
    stepfunctions._state_machines[execution.machine_arn] = {
        "name": "machine",
        "definition": json.dumps(execution.definition),
    }
    stepfunctions._executions[execution.arn] = record
    with _observed(execution, trace, answer):
        stepfunctions._run_execution(execution.arn)
    trace.status = record["status"]
    if trace.status == "SUCCEEDED":
        trace.output = json.loads(record["output"])
    else:
        trace.error, trace.cause = record["error"], record["cause"]
    return trace


@contextmanager
def _observed(execution: Execution, trace: Trace, answer: Callable[[str, str, Any], Any]) -> Iterator[None]:
    def place(context: dict[str, Any]) -> tuple[str, Path]:
        name = context["State"]["Name"]
        parent = execution.parents.get(name)
        return name, (parent, context["Map"]["Item"]["Index"]) if parent else None

    def state(run_state: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(definition: Any, data: Any, *rest: Any) -> Any:
            context = rest[-1]
            # What the rehearsal adds: emulator/state_machine_roles.py.
            context["Execution"].update(RedriveCount=execution.redrives, Input=execution.first_input)
            name, path = place(context)
            _at.set((name, path))
            trace.add(path, began=name, input=data)
            output, following = run_state(definition, data, *rest)
            trace.add(path, ended=name, output=output, next=following)
            return output, following

        return wrapped

    def task(resource: str, parameters: Any) -> Any:
        name, path = _at.get()
        step = {"task": name, "parameters": parameters}
        try:
            result = answer(name, resource, parameters)
        except TaskError as error:
            trace.add(path, **step, error=error.error, cause=error.cause)
            raise stepfunctions._ExecutionError(error.error, error.cause) from error
        trace.add(path, **step, result=result)
        return result

    def items(reader: Any, data: Any, context: Any) -> Any:
        place = stepfunctions._resolve_params_obj(reader["Parameters"], data, context)
        assert reader["ReaderConfig"]["InputType"] == "JSONL"
        return execution.items(place["Bucket"], place["Key"])

    with pytest.MonkeyPatch.context() as patch:
        for kind in KINDS:
            name = f"_execute_{kind}"
            patch.setattr(stepfunctions, name, state(getattr(stepfunctions, name)))
        patch.setattr(stepfunctions, "_invoke_resource", task)
        patch.setattr(stepfunctions, "_read_map_items", items)
        patch.setattr(stepfunctions, "_emit_execution_status_event", lambda record: None)
        patch.setattr(
            stepfunctions, "_scaled_sleep", lambda seconds: trace.add(_at.get()[1], waited=float(seconds))
        )
        patch.setattr(stepfunctions, "now_iso", lambda: execution.start_time)
        patch.setattr(stepfunctions, "time", SimpleNamespace(sleep=lambda seconds: None))
        yield
