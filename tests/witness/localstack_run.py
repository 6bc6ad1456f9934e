"""The second interpreter: LocalStack's, as its last free release has it, in this process.

Of LocalStack only the interpreter of the States Language is used. ``.venv/localstack`` has it and the few
packages that it imports; the modules below are for features that no state machine here has, and stand-ins are
imported in their place.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path as FilePath
from types import SimpleNamespace
from typing import Any

import pytest
from account import ACCOUNT, REGION
from execution import Execution
from tasks import TaskError
from traces import Path, Trace

DIRECTORY = FilePath(__file__).resolve().parents[2] / ".venv" / "localstack"
ABSENT = (
    *("jpype", "jpype.imports", "localstack.services.stepfunctions.packages"),  # JSONata, which runs in Java
    *("moto", "moto.batch", "moto.batch.utils"),  # the names of AWS Batch's statuses
    "localstack.services.stepfunctions.local_mocking.mock_config_file",  # LocalStack's own mocks
    "localstack.services.events.utils",  # EventBridge: one function, which follows
)
ROOT = "localstack.services.stepfunctions.asl"


class _Absent(types.ModuleType):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"SUCCEEDED": "SUCCEEDED", "FAILED": "FAILED"})


@cache
def load() -> Any:
    """Import the interpreter: its modules by their short names."""
    assert DIRECTORY.is_dir(), "run `make .venv/test.stamp`"
    if str(DIRECTORY) not in sys.path:
        sys.path.append(str(DIRECTORY))
    logging.getLogger("localstack").setLevel(logging.CRITICAL)
    for name in ABSENT:
        sys.modules.setdefault(name, _Absent(name))
    utils: Any = sys.modules["localstack.services.events.utils"]
    utils.to_json_str = lambda value, separators=(",", ":"): json.dumps(value, separators=separators)

    def module(name: str) -> Any:
        return __import__(f"{ROOT}.{name}", fromlist=["_"])

    names = module("component.common.error_name.states_error_name")
    types_of_errors = module("component.common.error_name.states_error_name_type").StatesErrorNameType
    paths = module("utils.json_path")
    paths.parse = cache(paths.parse)  # jsonpath_ng makes its parser's tables anew for each path
    execution, task = "component.state.state_execution", "component.state.state_execution.state_task"
    return SimpleNamespace(
        parser=module("parse.asl_parser").AmazonStateLanguageParser,
        environment=module("eval.environment").Environment,
        history=module("eval.event.event_manager").EventHistoryContext,
        details=module("eval.evaluation_details").AWSExecutionDetails,
        states=module("component.state.state"),
        state=module("component.state.state").CommonStateField,
        program=module("eval.program_state"),
        retrier=module("component.common.retry.retrier_decl"),
        jitter=module("component.common.retry.jitter_strategy_decl"),
        wait=module("component.state.state_wait.wait_function.wait_function").WaitFunction,
        functions=module(f"{task}.lambda_eval_utils"),
        sdk=module(f"{task}.service.state_task_service_aws_sdk").StateTaskServiceAwsSdk,
        optimised=module(f"{task}.service.state_task_service_unsupported").StateTaskServiceUnsupported,
        error_name=module("component.common.error_name.custom_error_name").CustomErrorName,
        states_error=lambda name: names.StatesErrorName(types_of_errors.from_name(name)),
        failure=module("component.common.error_name.failure_event"),
        event_detail=module("eval.event.event_detail").EventDetails,
        map=module(
            f"{execution}.state_map.iteration.distributed_iteration_component"
        ).DistributedIterationComponent,
        input_type=module(f"{execution}.state_map.item_reader.reader_config.input_type").InputTypeValue,
        execution_data=module("eval.states").ExecutionData,
        function=module(f"{task}.state_task_lambda").StateTaskLambda,
        reader=module(f"{execution}.state_map.item_reader.resource_eval.resource_eval_s3"),
    )


@cache
def _parsed(definition: str) -> Any:
    """Parse a definition, which takes seconds."""
    return load().parser.parse(definition)[0]


def run(execution: Execution, answer: Callable[[str, str, Any], Any], *, corrected: bool = True) -> Trace:
    """Run an execution.

    Args:
        execution: What is run.
        answer: Called for each task, with its state, resource and parameters.
        corrected: Fail a Map Run with a failed item, which LocalStack lets succeed, and keep the names of
            members in the answers of SDK integrations, which LocalStack writes in its own way.
    """
    parts, trace = load(), Trace()
    with _observed(parts, execution, trace, answer, corrected=corrected):
        program = _parsed(json.dumps(_without_json_lines(execution.base)))
        program.start_at.start_at_name = execution.definition["StartAt"]
        environment = parts.environment(
            aws_execution_details=parts.details(account=ACCOUNT, region=REGION, role_arn="arn:role"),
            execution_type="STANDARD",
            context={
                "Execution": {
                    "Id": execution.arn,
                    "Input": execution.input,
                    "Name": execution.name,
                    "RoleArn": "arn:role",
                    "StartTime": execution.start_time,
                    # LocalStack has no redrive, and leaves this out.
                    "RedriveCount": execution.redrives,
                },
                "StateMachine": {"Id": execution.machine_arn, "Name": "machine"},
            },
            event_history_context=parts.history.of_program_start(),
            cloud_watch_logging_session=None,
            activity_store={},
        )
        program.eval(environment)
    ended = environment.program_state()
    if isinstance(ended, parts.program.ProgramEnded):
        trace.status, trace.output = "SUCCEEDED", environment.states.get_input()
    else:
        assert isinstance(ended, parts.program.ProgramError), ended
        trace.status = "FAILED"
        trace.error, trace.cause = ended.error.get("error"), ended.error.get("cause")
    return trace


def _without_json_lines(value: Any) -> Any:
    """A definition whose Maps read JSON arrays. LocalStack cannot read JSON Lines."""
    if isinstance(value, dict):
        return {
            key: "JSON" if (key, item) == ("InputType", "JSONL") else _without_json_lines(item)
            for key, item in value.items()
        }
    return [_without_json_lines(item) for item in value] if isinstance(value, list) else value


@contextmanager
def _observed(
    parts: Any,
    execution: Execution,
    trace: Trace,
    answer: Callable[[str, str, Any], Any],
    *,
    corrected: bool,
) -> Iterator[None]:
    here = threading.local()
    parts_open_frame, parts_map_run = parts.environment.open_frame, parts.map._map_run

    def path_of(name: str, environment: Any) -> Path:
        parent = execution.parents.get(name)
        if parent is None:
            return None
        return parent, environment.states.context_object.context_object_data["Map"]["Item"]["Index"]

    def state(evaluate: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(self: Any, env: Any) -> None:
            path = path_of(self.name, env)
            observed = type(self).__name__ not in {"StateSucceed", "StateFail"}
            if observed:
                trace.add(path, began=self.name, input=env.states.get_input())
            here.path = env.path = path
            evaluate(self, env)
            running = isinstance(env.program_state(), parts.program.ProgramRunning)
            following = env.next_state_name if running else None
            if observed:
                trace.add(path, ended=self.name, output=env.states.get_input(), next=following)

        return wrapped

    def open_frame(environment: Any, *rest: Any) -> Any:
        frame = parts_open_frame(environment, *rest)
        frame.path = environment.path
        return frame

    def failure(environment: Any, error: str, cause: str) -> Exception:
        event = parts.failure.FailureEvent(
            env=environment,
            error_name=parts.states_error(error) if error.startswith("States.") else parts.error_name(error),
            event_type="TaskFailed",
            event_details=parts.event_detail(taskFailedEventDetails={"error": error, "cause": cause}),
        )
        raised: Exception = parts.failure.FailureEventException(event)
        return raised

    def called(environment: Any, resource: str, parameters: Any) -> Any:
        name = environment.next_state_name
        path, step = environment.path, {"task": name, "parameters": parameters}
        try:
            result = answer(name, resource, parameters)
        except TaskError as error:
            trace.add(path, **step, error=error.error, cause=error.cause)
            raise failure(environment, error.error, error.cause) from error
        trace.add(path, **step, result=result)
        return result

    def function(env: Any, parameters: Any, region: str, state_credentials: Any) -> None:
        payload = called(env, parameters["FunctionName"], json.loads(parameters["Payload"]))
        env.stack.append({"StatusCode": 200, "Payload": payload})

    def integration(self: Any, env: Any, normalised_parameters: Any, **_: Any) -> None:
        env.stack.append(called(env, self.resource.resource_arn, normalised_parameters))

    def reader(**_: Any) -> Any:
        def get_object(Bucket: str, Key: str) -> Any:
            items = json.dumps(execution.items(Bucket, Key)).encode()
            return {"Body": SimpleNamespace(read=lambda: items)}

        return SimpleNamespace(get_object=get_object)

    def map_run(self: Any, env: Any, eval_input: Any) -> None:
        parts_map_run(self, env=env, eval_input=eval_input)
        if eval_input.map_run_record.item_counter.failed.get():
            cause = "The specified tolerated failure threshold was exceeded"
            raise failure(env, "States.ExceedToleratedFailureThreshold", cause)

    def wait(seconds: float) -> None:
        trace.add(here.path, waited=float(seconds))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts.state, "_eval_body", state(parts.state._eval_body))
        patch.setattr(parts.environment, "open_frame", open_frame)
        entered = SimpleNamespace(isoformat=lambda: execution.start_time)
        clock = SimpleNamespace(datetime=SimpleNamespace(now=lambda tz: entered), UTC=None)
        patch.setattr(parts.states, "datetime", clock)
        patch.setattr(parts.functions, "execute_lambda_function_integration", function)
        if corrected:
            patch.setattr(parts.map, "_map_run", map_run)
            patch.setattr(parts.sdk, "_normalise_response", lambda self, response: None)
        for kind in (parts.sdk, parts.optimised):
            patch.setattr(kind, "_eval_service_task", integration)
            # The answer is the job's description already.
            patch.setattr(kind, "_is_integration_pattern", lambda self: False)
        patch.setattr(parts.reader, "boto_client_for", reader)
        patch.setattr(parts.retrier, "time", SimpleNamespace(sleep=wait))
        patch.setattr(parts.jitter, "random", SimpleNamespace(uniform=lambda least, most: most))
        patch.setattr(parts.wait, "_wait_interval", lambda self, env, wait_seconds: wait(wait_seconds))
        yield
