"""What the starter asks of Step Functions and Scheduler: settings by what trains, and failures by name."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from amazon_estimators.errors import ServiceError
from amazon_estimators.pipeline.announce import tell
from amazon_estimators.triggers.executions import Executions
from amazon_estimators.triggers.wakeups import Wakeups

MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:Digits"
SETTINGS = {
    "pipeline": "Stack/Digits",
    "job_name_prefix": "digits-1",
    "algorithm": "KMeans",
    "hyperparameters": {"k": "10"},
    "instance_count": 1,
    "channels": {"train": {"prefix": "input/train/"}},
}
DEFINITION: dict[str, Any] = {
    "States": {
        "Plan": {"Type": "Task", "Parameters": {"pipeline": SETTINGS}, "Retry": [{"MaxAttempts": 8}]},
        "Seal": {"Type": "Task", "Parameters": {"pipeline": SETTINGS}},
        "Train": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
            "Parameters": {
                "TrainingJobName.$": "$.name",
                "AlgorithmSpecification": {"TrainingImage": "image:1"},
                "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2},
            },
        },
    }
}


class States:
    """Step Functions as boto3 has it, with one definition."""

    class exceptions:
        class ExecutionAlreadyExists(ClientError):
            pass

        class ExecutionDoesNotExist(ClientError):
            pass

        class ResourceNotFoundException(ClientError):
            pass

    def __init__(self, definition: Any = None, fault: Exception | None = None) -> None:
        self.definition, self.fault = definition, fault

    def describe_state_machine(self, **_: Any) -> dict[str, Any]:
        self._fail()
        return {"definition": json.dumps(self.definition)}

    def describe_state_machine_for_execution(self, *, executionArn: str) -> dict[str, Any]:
        if executionArn.endswith(":before"):
            return {"definition": json.dumps(DEFINITION)}
        if executionArn.endswith(":unknown"):
            raise self.exceptions.ExecutionDoesNotExist({}, "DescribeStateMachineForExecution")
        return self.describe_state_machine()

    def _fail(self, **_: Any) -> Any:
        if self.fault:
            raise self.fault
        return {}

    start_execution = describe_execution = update_schedule = put_events = _fail

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Any:
        self._fail()
        yield {"executions": []}


def digest(change: Callable[[dict[str, Any]], None] = lambda definition: None) -> str:
    definition = copy.deepcopy(DEFINITION)
    change(definition["States"])
    return Executions(States(definition), MACHINE).settings()


CHANGES: dict[str, tuple[Callable[[Any], Any], bool]] = {
    "hyperparameter": (lambda s: s["Plan"]["Parameters"]["pipeline"]["hyperparameters"].update(k="12"), True),
    "channel": (lambda s: s["Plan"]["Parameters"]["pipeline"]["channels"].update(test={}), True),
    "instances": (lambda s: s["Train"]["Parameters"]["ResourceConfig"].update(InstanceCount=3), True),
    "image": (
        lambda s: s["Train"]["Parameters"]["AlgorithmSpecification"].update(TrainingImage="image:2"),
        True,
    ),
    "the pipeline's name": (
        lambda s: [s[name]["Parameters"]["pipeline"].update(pipeline="Other") for name in ("Plan", "Seal")],
        False,
    ),
    "prices": (
        lambda s: [s[name]["Parameters"]["pipeline"].update(prices=[]) for name in ("Plan", "Seal")],
        False,
    ),
    "where the job's name comes from": (
        lambda s: s["Train"]["Parameters"].update({"TrainingJobName.$": "$.other"}),
        False,
    ),
    "retries": (lambda s: s["Plan"].update(Retry=[]), False),
}


@pytest.mark.parametrize("what", CHANGES)
def test_settings_are_what_a_training_depends_on(what: str) -> None:
    change, counts = CHANGES[what]
    assert (digest(change) != digest()) == counts


def test_of_another_state_machine_all_of_it_counts() -> None:
    one, other = ({"States": {"A": {"Type": kind}}} for kind in ("Pass", "Succeed"))
    assert Executions(States(one), MACHINE).settings() != Executions(States(other), MACHINE).settings()


def test_the_settings_of_an_execution_are_those_of_its_definition() -> None:
    executions = Executions(States(DEFINITION), MACHINE)
    assert executions.settings_of("run") == executions.settings()
    assert executions.settings_of("unknown") is None


CALLS: dict[str, Callable[[Any], Any]] = {
    "StartExecution": lambda client: Executions(client, MACHINE).start("run", {}),
    "ListExecutions": lambda client: Executions(client, MACHINE).running(),
    "DescribeExecution": lambda client: Executions(client, MACHINE).status("run"),
    "DescribeStateMachine": lambda client: Executions(client, MACHINE).settings(),
    "DescribeStateMachineForExecution": lambda client: Executions(client, MACHINE).settings_of("run"),
    "UpdateSchedule": lambda client: Wakeups(client, group="g", role="r", queue="q", undelivered="u").set(
        "run", datetime(2026, 3, 1, tzinfo=UTC), {}
    ),
    "PutEvents": lambda client: tell(client, "Model Trained", {"pipeline": "run"}),
}
FAULTS = [
    *(
        ClientError({"Error": {"Code": code, "Message": code}}, "Call")
        for code in ("AccessDeniedException", "ThrottlingException", "InternalServerError")
    ),
    ConnectionClosedError(endpoint_url="https://states"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault)[:40])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_fails_for_good_is_named(call: str, fault: Exception) -> None:
    with pytest.raises(ServiceError) as raised:
        CALLS[call](States(DEFINITION, fault))
    text = str(raised.value)
    assert text.startswith(call)
    assert "run" in text or MACHINE in text


class Ended(States):
    """Step Functions with an execution that has ended."""

    def __init__(self, definition: Any, **described: Any) -> None:
        super().__init__(definition)
        noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.described = {"status": "SUCCEEDED", "startDate": noon, "stopDate": noon, **described}

    def describe_execution(self, **_: Any) -> dict[str, Any]:
        return self.described


OUTPUT = {"input": {}, "plan": {}, "job": {}, "announced": {"Error": "ServiceError"}}


def test_a_model_is_told_of_as_it_was_trained_whatever_was_deployed_since() -> None:
    later = copy.deepcopy(DEFINITION)
    for state in ("Plan", "Seal"):
        later["States"][state]["Parameters"]["pipeline"] |= {"algorithm": "PCA", "prefix": "new/"}
    untold = Executions(Ended(later, output=json.dumps(OUTPUT)), MACHINE).unannounced("before")
    assert untold is not None
    assert untold["pipeline"] == SETTINGS
    assert untold["execution"] == {
        "name": "before",
        "start_time": "2026-03-01T12:00:00.000+00:00",
        "stop_time": "2026-03-01T12:00:00.000+00:00",
        "state_machine": MACHINE,
        "redrive": 0,
    }


@pytest.mark.parametrize(
    "output", ["{}", "null", "[]", '"text"', None, json.dumps({**OUTPUT, "announced": 1})]
)
def test_what_tells_of_no_model_is_none(output: str | None) -> None:
    assert Executions(Ended(DEFINITION, output=output), MACHINE).unannounced("before") is None


def test_the_error_of_an_execution_is_what_a_function_raised() -> None:
    cause = json.dumps({"errorType": "InputError", "errorMessage": "row 7\nMend it."})
    executions = Executions(Ended(DEFINITION, status="FAILED", error="InputError", cause=cause), MACHINE)
    assert executions.failure("before") == ("InputError", "row 7\nMend it.")
    assert Executions(Ended(DEFINITION, status="FAILED"), MACHINE).failure("before") == ("Unknown", "")


def test_redrives_are_counted() -> None:
    assert Executions(Ended(DEFINITION, redriveCount=3), MACHINE).standing("before") == ("SUCCEEDED", 3)
    assert Executions(Ended(DEFINITION), MACHINE).standing("before") == ("SUCCEEDED", 0)
