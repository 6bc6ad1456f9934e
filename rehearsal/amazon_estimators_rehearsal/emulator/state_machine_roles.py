"""Hold state machines to the permissions of their role, as AWS does, and add the SageMaker integrations."""

from __future__ import annotations

import contextvars
import functools
import json
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc, stepfunctions

from amazon_estimators_rehearsal.emulator.account import EmulatedAccount
from amazon_estimators_rehearsal.emulator.encrypted_objects import key_of_object
from amazon_estimators_rehearsal.emulator.encrypted_resources import (
    MACHINE_ACTIONS,
    key_of_machine,
    machine_context,
)
from amazon_estimators_rehearsal.emulator.key_use import DECRYPT, KeyUse
from amazon_estimators_rehearsal.sagemaker.account import Credentials
from amazon_estimators_rehearsal.sagemaker.forked import load_libraries
from amazon_estimators_rehearsal.sagemaker.integration import OPTIMISED, SDK, TaskFailedError, run_task

_execution: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("execution", default=None)


class _Roles:
    """Asks for permissions of the role of the state machine that runs in this thread."""

    def __init__(self, account: EmulatedAccount, keys: KeyUse) -> None:
        self._account, self._keys = account, keys

    def credentials(self) -> Credentials:
        execution = _execution.get() or {}
        arn = execution["stateMachineArn"].split("/")[0]
        machine = stepfunctions._state_machines[arn]
        try:
            return self._account.role_credentials(machine["roleArn"], "states.amazonaws.com", arn)
        except LookupError as problem:
            raise stepfunctions._ExecutionError("States.Permissions", str(problem)) from problem

    def demand(self, failure: str, action: str, resource: str) -> None:
        denial = self._account.denial(self.credentials().access_key_id, action, resource)
        if denial:
            raise stepfunctions._ExecutionError(failure, denial)

    def demand_key(self, failure: str, key: str, *actions: str, via: str, context: dict[str, str]) -> None:
        caller = self.credentials().access_key_id
        denial = self._keys.denial(caller, actions, key, via=via, context=context)
        if denial:
            raise stepfunctions._ExecutionError(failure, denial)


def enforce_state_machine_roles(account: EmulatedAccount, keys: KeyUse) -> None:
    """Hold state machines to the permissions of their role, and add the SageMaker integrations."""

    error, roles = stepfunctions._ExecutionError, _Roles(account, keys)
    demand, demand_key = roles.demand, roles.demand_key

    def in_execution(run: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(run)
        def wrapped(state: Any, data: Any, execution: Any, context: dict[str, Any]) -> Any:
            _execution.set(execution)
            arn = execution["stateMachineArn"].split("/")[0]
            if key := key_of_machine(arn):
                demand_key(
                    "States.Permissions", key, *MACHINE_ACTIONS, via="states", context=machine_context(arn)
                )
            if OPTIMISED in stepfunctions._state_machines[arn]["definition"]:
                load_libraries(account.environment())
            context["Execution"].setdefault("RedriveCount", 0)
            if "redriveCount" not in execution:
                return run(state, data, execution, context)
            # The emulator's loop records each state's start and end; a redriven execution runs outside it.
            name, kind = context["State"]["Name"], state["Type"]
            _note_state(execution, f"{kind}StateEntered", name, input=json.dumps(data))
            output, following = run(state, data, execution, context)
            _note_state(execution, f"{kind}StateExited", name, output=json.dumps(output))
            return output, following

        return wrapped

    def sagemaker_task(resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
        execution = _execution.get() or {}
        credentials = roles.credentials()
        try:
            return run_task(
                account.client("sagemaker", credentials),
                account,
                credentials,
                resource,
                parameters,
                running=lambda: execution.get("status") == "RUNNING",
            )
        except TaskFailedError as failure:
            raise error(failure.error, failure.cause) from failure

    call_lambda, read_items = stepfunctions._call_lambda, stepfunctions._read_map_items
    distributed_map = stepfunctions._run_distributed_map

    def checked_lambda(reference: Any, event: Any) -> Any:
        _, config, _ = lambda_svc._get_func_record_for_ref(reference)
        if config:
            demand("Lambda.AWSLambdaException", "lambda:InvokeFunction", config["FunctionArn"])
        return call_lambda(reference, event)

    def checked_items(reader: dict[str, Any], data: Any, context: Any) -> Any:
        template = reader.get("Parameters") or reader.get("Arguments") or {}
        place = stepfunctions._resolve_params_obj(template, data, context)
        arn = f"arn:aws:s3:::{place.get('Bucket')}"
        if reader.get("Resource", "").endswith("s3:listObjectsV2"):
            demand("States.ItemReaderFailed", "s3:ListBucket", arn)
        else:
            demand("States.ItemReaderFailed", "s3:GetObject", f"{arn}/{place.get('Key')}")
            if encrypted := key_of_object(str(place.get("Bucket")), str(place.get("Key"))):
                key, source = encrypted
                demand_key("States.ItemReaderFailed", key, DECRYPT, via="s3", context={"aws:s3:arn": source})
        return read_items(reader, data, context)

    def checked_map(*arguments: Any) -> Any:
        execution = _execution.get() or {}
        demand("States.Permissions", "states:StartExecution", execution["stateMachineArn"])
        return distributed_map(*arguments)

    for name in ("_execute_task", "_execute_map", "_execute_parallel"):
        setattr(stepfunctions, name, in_execution(getattr(stepfunctions, name)))
    stepfunctions._call_lambda = checked_lambda
    stepfunctions._read_map_items = checked_items
    stepfunctions._run_distributed_map = checked_map
    for prefix in (OPTIMISED, SDK):
        stepfunctions._SERVICE_DISPATCH[prefix] = sagemaker_task


def _note_state(execution: dict[str, Any], kind: str, name: str, **data: str) -> None:
    details = "stateEnteredEventDetails" if kind.endswith("Entered") else "stateExitedEventDetails"
    stepfunctions._add_event(execution, kind, {details: {"name": name, **data}})
