"""Run the emulator's process. Only this file touches MiniStack's private names, as of its pinned version.

MiniStack lacks SageMaker, and its Step Functions does not check the permissions of a state machine's role.
This module adds both: it registers our SageMaker as one more service, and checks the calls that a state
machine makes (Lambda, the Distributed Map, its item reader, training jobs) against the machine's role, as AWS
does. Where the emulator differs from AWS in a way that breaks a pipeline, a function here fixes it;
docs/limits.md lists them.

:mod:`server` starts it as ``python -m amazon_estimators_rehearsal.emulator FD``; FD is a listening socket. It
serves until its standard input closes, so it never outlives the process that started it.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import hashlib
import json
import logging
import os
import re
import signal
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime, responses, router
from ministack.services import cloudwatch, eventbridge, iam, lambda_svc, s3, stepfunctions, sts
from ministack.services.cloudformation import provisioners

from amazon_estimators_rehearsal.environment import ACCESS_KEY, ACCOUNT, REGION
from amazon_estimators_rehearsal.sagemaker.account import Credentials
from amazon_estimators_rehearsal.sagemaker.checks.request_schema import sdk
from amazon_estimators_rehearsal.sagemaker.integration import OPTIMISED, SDK, TaskFailedError, run_task
from amazon_estimators_rehearsal.sagemaker.invocations import endpoint_of
from amazon_estimators_rehearsal.sagemaker.service import SageMaker

logger = logging.getLogger("rehearsal")

_execution: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("execution", default=None)


class EmulatedAccount:
    """Implements :class:`sagemaker.account.Account` on the emulator."""

    account_id = ACCOUNT
    region = REGION

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def denial(
        self, access_key: str, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> str | None:
        service = action.partition(":")[0]
        result = iam_evaluator.enforce(access_key, action, service, REGION, resource, dict(context or {}))
        if result is None:
            return None
        if isinstance(result, iam_evaluator.AuthError):
            return f"{result.code}: {result.message}"
        explicit = result.decision == "Deny"
        return str(iam_actions.identity_denial_message(action, result.principal_arn, resource, explicit))

    def role_credentials(self, role_arn: str, service: str, source: str) -> Credentials:
        name = role_arn.rsplit("/", 1)[-1]
        role = iam._roles.get_scoped(ACCOUNT, None, name)
        if role is None or role["Arn"] != role_arn:
            raise LookupError(f"There is no role {role_arn}.")
        if not _trusts(role["AssumeRolePolicyDocument"], service, source, role_arn):
            raise LookupError(f"The trust policy of {role_arn} does not let {service} assume it.")
        session = re.sub(r"[^\w+=,.@-]", "-", source.rpartition(":")[2].rpartition("/")[2])[:64]
        digest = hashlib.sha256(f"{role_arn}:{session}:{time.time_ns()}".encode()).hexdigest()
        credentials = Credentials(f"ASIA{digest[:16].upper()}", digest[16:48], digest)
        sts.register_session(
            credentials.access_key_id,
            {
                "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
                "UserId": f"{name}:{session}",
                "SecretAccessKey": credentials.secret_access_key,
                "SessionToken": credentials.session_token,
            },
        )
        return credentials

    def alarming(self, names: Sequence[str]) -> list[str]:
        alarms = (cloudwatch._alarms.get_scoped(ACCOUNT, REGION, name) for name in names)
        return [alarm["AlarmName"] for alarm in alarms if alarm and alarm["StateValue"] == "ALARM"]

    def environment(self) -> Mapping[str, str]:
        return self._environment

    def publish(self, detail_type: str, detail: Mapping[str, Any], resource: str) -> None:
        entry = {
            "Source": "aws.sagemaker",
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
            "Resources": [resource],
        }
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)

    def client(self, service: str, credentials: Credentials) -> Any:
        """Return an SDK client that acts with a role's credentials through the emulator's endpoint."""
        return sdk().create_client(
            service,
            region_name=REGION,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
        )


def _trusts(policy: Any, service: str, source: str, role_arn: str) -> bool:
    """Return True if a trust policy lets a service assume the role. The emulator itself does not check."""
    regional = service.replace(".", f".{REGION}.", 1)  # the older spelling: states.us-east-1.amazonaws.com
    names = (service, regional)
    document = json.loads(policy) if isinstance(policy, str) else policy
    statements = document.get("Statement", [])
    named = [
        {**statement, "Principal": "*"}
        for statement in ([statements] if isinstance(statements, dict) else statements)
        if any(iam_evaluator._service_principal_matches(statement.get("Principal"), name) for name in names)
    ]
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=ACCOUNT,
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=REGION,
        service_context={"aws:sourceaccount": ACCOUNT, "aws:sourcearn": source},
    )
    return bool(iam_evaluator.evaluate_trust_policy({"Statement": named}, service, context))


def _record_denials() -> None:
    """Log every refusal with its reason. Clients often show less."""
    enforce = iam_evaluator.enforce

    @functools.wraps(enforce)
    def recorded(access_key: str, action: str, *rest: Any, **named: Any) -> Any:
        result = enforce(access_key, action, *rest, **named)
        if result is not None:
            resource = named.get("resource_arn") or (rest[2] if len(rest) > 2 else "*")
            reason = getattr(result, "reason", "") or getattr(result, "message", "")
            principal = getattr(result, "principal_arn", "") or access_key
            logger.warning("DENIED %s: %s on %s: %s", principal, action, resource, reason)
        return result

    iam_evaluator.enforce = recorded


def _register_sagemaker(account: EmulatedAccount) -> None:
    """Register our SageMaker with the emulator, behind its signature and permission checks."""
    service = SageMaker(account)
    action_of, resource_of = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    @functools.wraps(action_of)
    def actions(name: str, *request: Any) -> Any:
        if name == "sagemaker" and endpoint_of(request[1]):
            return "sagemaker:InvokeEndpoint"
        return action_of(name, *request)

    @functools.wraps(resource_of)
    def resources(name: str, *request: Any) -> Any:
        if name != "sagemaker":
            return resource_of(name, *request)
        _, path, headers, body = request[:4]
        if endpoint_of(path):
            return service.endpoint(path)
        return service.resource(_operation(headers), json.loads(body or b"{}"))

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        if endpoint_of(path):
            return await asyncio.to_thread(service.invoke, path, headers, body)
        caller = router.extract_access_key_id(headers, query)
        return await asyncio.to_thread(service.handle, _operation(headers), body, caller)

    iam_actions.extract_iam_action, iam_actions.extract_resource_arn = actions, resources
    iam_actions.SERVICE_TO_IAM_NAMESPACE["sagemaker"] = "sagemaker"
    iam_actions._DENIED_CODES["sagemaker"] = "AccessDeniedException"
    # Otherwise an endpoint's JSON answers would get the control plane's content type.
    responses._WIRE_CT_SUCCESS_OVERRIDE["sagemaker"] = "application/json"
    _provision_model_package_groups(service)
    # For a service it does not know, the router reads the models of all services: three seconds.
    router.SERVICE_PATTERNS["sagemaker"] = {"target_prefixes": ["SageMaker"]}
    app.SERVICE_REGISTRY["sagemaker"] = {"module": "sagemaker"}
    app.SERVICE_HANDLERS["sagemaker"] = handle
    app._loaded_modules["sagemaker"] = service


def _provision_model_package_groups(service: SageMaker) -> None:
    """Let CloudFormation make model package groups, the one kind of SageMaker's that templates have."""

    def call(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        status, _, body = service.handle(operation, json.dumps(request).encode(), ACCESS_KEY)
        answer: dict[str, Any] = json.loads(body)
        if status != 200:
            raise ValueError(f"{operation}: {answer['message']}")
        return answer

    def create(logical_id: str, properties: dict[str, Any], _: str) -> tuple[str, dict[str, str]]:
        arn = call("CreateModelPackageGroup", properties)["ModelPackageGroupArn"]
        return arn, {"ModelPackageGroupArn": arn}

    def delete(_: str, properties: dict[str, Any]) -> None:
        call("DeleteModelPackageGroup", {"ModelPackageGroupName": properties["ModelPackageGroupName"]})

    provisioners._RESOURCE_HANDLERS["AWS::SageMaker::ModelPackageGroup"] = {
        "create": create,
        "delete": delete,
    }


def _operation(headers: Mapping[str, str]) -> str:
    return headers.get("x-amz-target", "").rpartition(".")[2]


def _mend_permission_checks() -> None:
    """Check the same actions and resources as AWS where the emulator checks others.

    SQS batch calls need the permission of the single call, PutLogEvents is checked on the log stream, and a
    schedule's ARN names its own group.
    """
    action_of, resource_of = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    @functools.wraps(action_of)
    def actions(*arguments: Any) -> Any:
        action = action_of(*arguments)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    @functools.wraps(resource_of)
    def resources(name: str, *request: Any) -> Any:
        arn = str(resource_of(name, *request))
        _, _, headers, body, query = request[:5]
        if headers.get("x-amz-target", "").endswith(".PutLogEvents"):
            return f"{arn}:log-stream:{json.loads(body)['logStreamName']}"
        if name == "scheduler" and ":schedule/default/" in arn:
            group = (
                json.loads(body).get("GroupName") if body else iam_actions._query_param(query, "groupName")
            )
            return arn.replace(":schedule/default/", f":schedule/{group or 'default'}/")
        return arn

    iam_actions.extract_iam_action, iam_actions.extract_resource_arn = actions, resources


def _mend_versioned_ranges() -> None:
    """Honour ``Range`` in GETs that name a version. The emulator returns the whole object."""
    get_object = s3._get_object

    @functools.wraps(get_object)
    def ranged(bucket: str, key: str, headers: dict[str, str], query: Any = None) -> Any:
        if "range" not in headers or not s3._qp(query or {}, "versionId", ""):
            return get_object(bucket, key, headers, query)
        # The whole object's checksums do not match a part of it.
        whole = {
            name: value for name, value in headers.items() if name not in ("range", "x-amz-checksum-mode")
        }
        status, answered, body = get_object(bucket, key, whole, query)
        if status != 200:
            return status, answered, body
        place = s3._parse_range(headers["range"], len(body))
        if place is None:
            size = {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"}
            return 416, size, s3._xml_body(s3._range_error_xml(bucket, key))
        first, last = place
        part = body[first : last + 1]
        span = {"Content-Length": str(len(part)), "Content-Range": f"bytes {first}-{last}/{len(body)}"}
        return 206, {**answered, **span}, part

    s3._get_object = ranged


def _mend_error_types() -> None:
    """Name the exception in a function's error, as Lambda does. The emulator has one name for all."""
    execute = lambda_svc._execute_function_warm

    @functools.wraps(execute)
    def typed(*arguments: Any) -> Any:
        result = execute(*arguments)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
            first_line = re.escape(str(body["errorMessage"]).partition("\n")[0])
            raised = re.findall(
                rf"^(?:[a-z_]\w*\.)*([\w.]+): {first_line}$", result.get("log", ""), re.MULTILINE
            )
            body["errorType"] = raised[-1] if raised else body["errorType"]
        return result

    lambda_svc._execute_function_warm = typed


def _unpack_once() -> None:
    """Share a package's files, and the bytecode beside them, among all workers.

    The emulator unpacks the package for each worker, which takes most of a cold start. Sharing is safe: no
    function writes there, as on Lambda, where the directory is read-only.
    """
    unpacked: dict[str, Path] = {}
    lock = threading.Lock()

    class Package(zipfile.ZipFile):
        def extractall(self, path: Any = None, *_: Any, **__: Any) -> None:
            with lock:
                digest = hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()
                if digest not in unpacked:
                    directory = Path(tempfile.mkdtemp(prefix="unpacked-"))
                    super().extractall(directory)
                    unpacked[digest] = directory
            Path(path).rmdir()
            Path(path).symlink_to(unpacked[digest])

    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": Package})


def _accept_metric_math() -> None:
    """Accept alarms on metric math. The emulator cannot evaluate them, so they stay without data."""
    record = provisioners._cw_metric_alarm_record

    @functools.wraps(record)
    def accepted(name: str, properties: dict[str, Any]) -> Any:
        if properties.get("Metrics"):
            unknown = {
                "MetricName": name,
                "Namespace": "Rehearsal/NotEvaluated",
                "TreatMissingData": "missing",
            }
            properties = {**properties, **unknown, "Metrics": None}
        return record(name, properties)

    provisioners._cw_metric_alarm_record = accepted


def _enforce_state_machine_roles(account: EmulatedAccount) -> None:
    """Hold state machines to the permissions of their role, and add the SageMaker integrations."""

    error = stepfunctions._ExecutionError

    def role() -> Credentials:
        execution = _execution.get() or {}
        arn = execution["stateMachineArn"].split("/")[0]
        machine = stepfunctions._state_machines[arn]
        try:
            return account.role_credentials(machine["roleArn"], "states.amazonaws.com", arn)
        except LookupError as problem:
            raise error("States.Permissions", str(problem)) from problem

    def demand(failure: str, action: str, resource: str) -> None:
        denial = account.denial(role().access_key_id, action, resource)
        if denial:
            raise error(failure, denial)

    def in_execution(run: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(run)
        def wrapped(state: Any, data: Any, execution: Any, context: dict[str, Any]) -> Any:
            _execution.set(execution)
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
        credentials = role()
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


def _add_redrive() -> None:
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


async def _serve(listener: int) -> None:
    config = Config()
    config.bind = [f"fd://{listener}"]
    config.certfile, config.keyfile = os.environ["MINISTACK_SSL_CERT"], os.environ["MINISTACK_SSL_KEY"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    threading.Thread(target=_end_with_starter, daemon=True).start()
    await serve(app.app, config)


def _end_with_starter() -> None:
    """Exit at once when stdin closes, with all Lambda workers and training containers."""
    sys.stdin.buffer.read()
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)


def main() -> None:
    """Serve the emulator on the socket with file descriptor ``sys.argv[1]`` until stdin closes."""
    secrets = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    account = EmulatedAccount({name: value for name, value in os.environ.items() if name not in secrets})
    os.environ.pop("PYTHONPATH", None)  # otherwise Lambda functions find packages that their bundle lacks
    _record_denials()
    _mend_permission_checks()
    _mend_versioned_ranges()
    _mend_error_types()
    _unpack_once()
    _accept_metric_math()
    _register_sagemaker(account)
    _enforce_state_machine_roles(account)
    _add_redrive()
    asyncio.run(_serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
