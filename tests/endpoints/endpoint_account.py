"""A deployed pipeline and its endpoint, as seen from outside."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from amazon_estimators_rehearsal.platform import Platform

SECONDS = 240
RNG = np.random.default_rng(3)


def points(center: float) -> bytes:
    """Return CSV of forty points around two centers."""
    rows = np.concatenate([RNG.normal(center, 0.1, (20, 3)), RNG.normal(-center, 0.1, (20, 3))])
    return "\n".join(",".join(f"{one:.4f}" for one in row) for row in rows).encode()


@dataclass
class EndpointAccount:
    """The account. ``outputs`` are the stack's."""

    platform: Platform
    outputs: dict[str, str]
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return self.outputs["Endpoint"]

    def client(self, service: str) -> Any:
        return self.platform.client(service)

    def train(self, center: float) -> dict[str, Any]:
        """Train on points around ``center`` and its opposite: Model Trained's detail."""
        self.client("s3").put_object(
            Bucket=self.outputs["Bucket"], Key="input/train/rows.csv", Body=points(center)
        )
        arn = self.start("Machine")
        ended = self.end(arn)
        assert ended["status"] == "SUCCEEDED", (ended, self.platform.problems())
        return self.told("Model Trained", lambda detail: detail["execution"] == ended["name"])

    def start(self, machine: str) -> str:
        arn: str = self.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs[machine], input="{}"
        )["executionArn"]
        return arn

    def end(self, arn: str) -> dict[str, Any]:
        """The execution's description once it has ended."""
        described = self.until(
            lambda: self.client("stepfunctions").describe_execution(executionArn=arn),
            lambda found: found["status"] != "RUNNING",
        )
        return dict(described)

    def until(self, look: Callable[[], Any], done: Callable[[Any], bool]) -> Any:
        """Look until done: the last look."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            found = look()
            if done(found):
                return found
            time.sleep(0.2)
        raise AssertionError(f"not done: {found}\n" + "\n".join(self.platform.problems()))

    def told(self, detail_type: str, about: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The detail of an event; waits for it."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for event in self.events:
                if event["detail-type"] == detail_type and about(event["detail"]):
                    return dict(event["detail"])
            answer = self.client("sqs").receive_message(
                QueueUrl=self.outputs["ToldQueue"], MaxNumberOfMessages=10
            )
            self.events += [json.loads(message["Body"]) for message in answer.get("Messages", [])]
            time.sleep(0.2)
        problems = "\n".join(self.platform.problems())
        raise AssertionError(f"no such {detail_type}; there are {self.events}\n{problems}")

    def idle(self) -> None:
        """Wait until no deployment runs."""
        self.until(lambda: self.executions("RUNNING"), lambda running: not running)

    def executions(self, status: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.client("stepfunctions").list_executions(
            stateMachineArn=self.outputs["Deploying"], statusFilter=status
        )["executions"]
        return listed

    def described(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("sagemaker").describe_endpoint(EndpointName=self.endpoint)
        return found

    def ask(self, row: str) -> dict[str, Any]:
        """The endpoint's answer about one point."""
        answer = self.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.endpoint, Body=row.encode(), ContentType="text/csv", Accept="application/json"
        )
        (prediction,) = json.loads(answer["Body"].read())["predictions"]
        return dict(prediction)

    @contextmanager
    def denied(self, role: str, action: str) -> Iterator[None]:
        """A role without an action, for the time of the block."""
        iam = self.client("iam")
        statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=role, PolicyName="Denied", PolicyDocument=document)
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName="Denied")
