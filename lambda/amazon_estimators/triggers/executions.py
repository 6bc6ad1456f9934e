"""The executions of a state machine: start one by name, list those that run, and read results and
settings."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from amazon_estimators.pipeline.announce import utc_text
from amazon_estimators.pipeline.explain import text_of
from amazon_estimators.storage.faults import naming

RUNNING = "RUNNING"
NEVER_STARTED = "NEVER_STARTED"
SETTINGS = ({"algorithm", "hyperparameters", "channels"}, {"algorithm", "trained", "channels"})
"""Keys that identify the settings of a pipeline that trains, and of one that predicts, in the definition of
its state machine."""
ANNOUNCEABLE = ({"input", "plan", "job", "announced"}, {"input", "plan", "predictions", "announced"})
"""Members of an execution's output that can be announced."""
MOST_LISTED = 1_000
"""Executions that :meth:`Executions.newest` looks at: those that people started stand among them."""
NAMES = {"pipeline", "job_name_prefix", "prices"}
"""Settings that do not change a training."""
JOB = re.compile(r":sagemaker:create(TrainingJob|HyperParameterTuningJob|TransformJob)\b")


class Executions:
    """The executions of a state machine. ``client`` is a boto3 client of Step Functions, ``state_machine`` an
    ARN."""

    def __init__(self, client: Any, state_machine: str) -> None:
        self._client = client
        self._state_machine = state_machine

    def start(self, name: str, execution_input: Mapping[str, Any]) -> None:
        """Start an execution, unless an earlier attempt of this very call has started it."""
        with naming("StartExecution", f"{self._state_machine}, {name}"):
            try:
                self._client.start_execution(
                    stateMachineArn=self._state_machine, name=name, input=json.dumps(execution_input)
                )
            except self._client.exceptions.ExecutionAlreadyExists:
                return

    def running(self) -> dict[str, int]:
        """Return the running executions with the number of their redrives, according to Step Functions' list,
        which may lag behind."""
        return {name: _redrives(execution) for name, execution in self._listed(statusFilter=RUNNING)}

    def newest(self) -> Iterator[tuple[str, str, str]]:
        """Yield (name, status, start time) of the executions of late, newest first."""
        for name, execution in islice(self._listed(), MOST_LISTED):
            yield name, str(execution["status"]), utc_text(execution["startDate"])

    def status(self, name: str) -> str:
        """Return RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, or NEVER_STARTED."""
        return self.standing(name)[0]

    def standing(self, name: str) -> tuple[str, int]:
        """Return the :meth:`status` of an execution, and how often it was redriven."""
        described = self._described(name)
        return (str(described["status"]), _redrives(described)) if described else (NEVER_STARTED, 0)

    def failure(self, name: str) -> tuple[str, str]:
        """Return error and cause of an execution that failed."""
        described = self._described(name) or {}
        return str(described.get("error") or "Unknown"), text_of(described.get("cause") or "")

    def unannounced(self, name: str) -> dict[str, Any] | None:
        """Return the event of the Announce step of an execution that failed to announce its model, or
        None."""
        described = self._described(name) or {}
        output = json.loads(described.get("output") or "{}")
        if not isinstance(output, dict) or not _holds(output, ANNOUNCEABLE):
            return None
        announced = output["announced"]
        if not isinstance(announced, dict) or "Error" not in announced:
            return None
        # By its own definition: a deployment may have changed the pipeline since.
        definition = self._definition_of(name)
        pipeline = next((value for value in _objects(definition) if _holds(value, SETTINGS)), None)
        if pipeline is None:
            return None
        started, stopped = (utc_text(described[date]) for date in ("startDate", "stopDate"))
        about = {
            "name": name,
            "start_time": started,
            "stop_time": stopped,
            "redrive": _redrives(described),
        }
        execution = {**about, "state_machine": self._state_machine}
        parts = (
            "input",
            "plan",
            "job",
            "report",
            "verdict",
            "package",
            "tuned",
            "model",
            "transform",
            "predictions",
        )
        state = {part: output[part] for part in parts if part in output}
        state["warnings"] = output.get("request", {}).get("warnings", [])
        return {"pipeline": pipeline, "execution": execution, **state}

    def settings(self) -> str:
        """Return 8 hexadecimal digits that identify everything a training depends on besides its data.

        It is a digest of the pipeline's settings and the training job's request in the deployed definition;
        in a state machine without them, of the whole definition.
        """
        return _digest(self._definition())

    def settings_of(self, name: str) -> str | None:
        """Return the settings that an execution runs with, as :meth:`settings` names them.

        For some seconds after a deployment, DescribeStateMachine may show the new definition while executions
        still start with the previous one. Returns None for an execution that Step Functions does not know.
        """
        definition = self._definition_of(name)
        return None if definition is None else _digest(definition)

    def _definition_of(self, name: str) -> Any:
        """Return the definition that an execution runs; None of one that Step Functions does not know."""
        arn = self._arn(name)
        with naming("DescribeStateMachineForExecution", arn):
            try:
                described = self._client.describe_state_machine_for_execution(executionArn=arn)
            except self._client.exceptions.ExecutionDoesNotExist:
                return None
        return json.loads(described["definition"])

    def _arn(self, name: str) -> str:
        return f"{self._state_machine.replace(':stateMachine:', ':execution:')}:{name}"

    def _definition(self) -> Any:
        with naming("DescribeStateMachine", self._state_machine):
            described = self._client.describe_state_machine(stateMachineArn=self._state_machine)
        return json.loads(described["definition"])

    def _listed(self, **only: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        pages = iter(
            self._client.get_paginator("list_executions").paginate(
                stateMachineArn=self._state_machine, **only
            )
        )
        while True:
            with naming("ListExecutions", self._state_machine):
                page = next(pages, None)
            if page is None:
                return
            for execution in page["executions"]:
                yield execution["name"], execution

    def _described(self, name: str) -> Mapping[str, Any] | None:
        arn = self._arn(name)
        with naming("DescribeExecution", arn):
            try:
                described: Mapping[str, Any] = self._client.describe_execution(executionArn=arn)
            except self._client.exceptions.ExecutionDoesNotExist:
                return None
        return described


def _redrives(execution: Mapping[str, Any]) -> int:
    return int(execution.get("redriveCount") or 0)


def _holds(value: Mapping[str, Any], kinds: Iterable[set[str]]) -> bool:
    """Return True if a mapping has all keys of one of ``kinds``."""
    return any(set(value) >= kind for kind in kinds)


def _digest(definition: Any) -> str:
    content = list(_settings_in(definition)) or [definition]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]


def _settings_in(definition: Any) -> Iterator[Any]:
    """Yield the pipeline's settings, once for all states that receive them, and the jobs' requests."""
    seen = set()
    for value in _objects(definition):
        if _holds(value, SETTINGS):
            found = {name: setting for name, setting in value.items() if name not in NAMES}
        elif JOB.search(str(value.get("Resource"))):
            request = value.get("Parameters") or {}
            found = {name: setting for name, setting in request.items() if not name.endswith(".$")}
        else:
            continue
        text = json.dumps(found, sort_keys=True)
        if text not in seen:
            seen.add(text)
            yield found


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _objects(inner)
