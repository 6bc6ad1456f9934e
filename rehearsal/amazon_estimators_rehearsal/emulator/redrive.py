"""Add RedriveExecution, which the emulator lacks."""

from __future__ import annotations

import contextvars
import json
import threading
from typing import Any

from ministack.services import stepfunctions


def add_redrive() -> None:
    """Add RedriveExecution, which the emulator lacks: it runs the failed state again with the same input.

    It runs all items of a Map Run again; AWS runs only those that did not succeed.
    """
    handle_request, executions = stepfunctions.handle_request, stepfunctions._executions

    def redrive(arn: str) -> Any:
        ended = executions.get(arn)
        if ended is None:
            return stepfunctions.error_response_json("ExecutionDoesNotExist", f"There is no {arn}", 400)
        if ended["status"] not in {"FAILED", "ABORTED", "TIMED_OUT"}:
            reason = f"Execution is {ended['status']} and cannot be redriven"
            return stepfunctions.error_response_json("ExecutionNotRedrivable", reason, 400)
        # A new record: parts of an aborted execution that still run see the old one, and stop.
        execution = {name: value for name, value in ended.items() if name not in {"error", "cause"}}
        count = ended.get("redriveCount", 0) + 1
        execution.update(
            status="RUNNING", stopDate=None, output=None, redriveCount=count, events=[*ended["events"]]
        )
        executions[arn] = execution
        redriven = {"executionRedrivenEventDetails": {"redriveCount": count}}
        event = stepfunctions._add_event(execution, "ExecutionRedriven", redriven)
        stepfunctions._emit_execution_status_event(execution)
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(go_on, execution), daemon=True).start()
        return stepfunctions.json_response({"redriveDate": event["timestamp"]})

    def go_on(execution: dict[str, Any]) -> None:
        machine = stepfunctions._state_machines[execution["stateMachineArn"]]
        details = "stateEnteredEventDetails"
        entered = [event[details] for event in execution["events"] if details in event]
        about = {
            "Id": execution["executionArn"],
            "Input": json.loads(execution["input"]),
            "Name": execution["name"],
            "StartTime": execution["startDate"],
            "RedriveCount": execution["redriveCount"],
        }
        context = {
            "QueryLanguage": "JSONPath",
            "Execution": about,
            "StateMachine": {"Id": execution["stateMachineArn"], "Name": machine["name"]},
            "variables": {},
        }
        states = json.loads(machine["definition"])["States"]
        try:
            output = stepfunctions._run_sub_machine(
                states, entered[-1]["name"], json.loads(entered[-1]["input"]), execution, context
            )
        except stepfunctions._ExecutionError as failure:
            stepfunctions._fail_execution(execution, failure.error, failure.cause)
            return
        text, ended = json.dumps(output), stepfunctions.now_iso()
        execution.update(status="SUCCEEDED", output=text, stopDate=ended)
        succeeded = {"executionSucceededEventDetails": {"output": text}}
        stepfunctions._add_event(execution, "ExecutionSucceeded", succeeded)
        stepfunctions._emit_execution_status_event(execution)

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        if headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            return stepfunctions._finalize_response(redrive(json.loads(body)["executionArn"]))
        return await handle_request(method, path, headers, body, query)

    stepfunctions.handle_request = handle
