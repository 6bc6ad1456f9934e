"""The executions of one state machine: start one by name, tell which run and how one ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

RUNNING = "RUNNING"
NEVER_STARTED = "NEVER_STARTED"


class Executions:
    """``client`` is boto3's of Step Functions, ``state_machine`` an ARN."""

    def __init__(self, client: Any, state_machine: str) -> None:
        self._client = client
        self._state_machine = state_machine

    def start(self, name: str, execution_input: Mapping[str, Any]) -> bool:
        """Start one, or find that it was started before: then False."""
        try:
            self._client.start_execution(
                stateMachineArn=self._state_machine, name=name, input=json.dumps(execution_input)
            )
        except self._client.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def running(self) -> set[str]:
        """Names of those that run, as far as Step Functions' list knows: it may lag behind."""
        pages = self._client.get_paginator("list_executions").paginate(
            stateMachineArn=self._state_machine, statusFilter=RUNNING
        )
        return {one["name"] for page in pages for one in page["executions"]}

    def status(self, name: str) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, or NEVER_STARTED."""
        arn = f"{self._state_machine.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            status: str = self._client.describe_execution(executionArn=arn)["status"]
        except self._client.exceptions.ExecutionDoesNotExist:
            return NEVER_STARTED
        return status
