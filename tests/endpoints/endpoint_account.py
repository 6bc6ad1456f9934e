"""Deployed pipelines and their endpoints, as seen from outside."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import numpy as np

from amazon_estimators.pipeline.current_model import (
    SCHEMA,
    CurrentModel,
    current_model_values,
    read_current_model,
)
from amazon_estimators.pipeline.keys import current_model_key
from amazon_estimators.storage.documents import put_document
from amazon_estimators_rehearsal.platform import Platform
from denials import denied

SECONDS = 240
RNG = np.random.default_rng(3)


def points(center: float, *, labelled: bool = False) -> bytes:
    """Return CSV of forty points around two centers, with the number of the center in front if labelled."""
    rows = np.concatenate([RNG.normal(center, 0.1, (20, 3)), RNG.normal(-center, 0.1, (20, 3))])
    if labelled:
        rows = np.column_stack([np.repeat([0, 1], 20), rows])
    return "\n".join(",".join(f"{one:.4f}" for one in row) for row in rows).encode()


@dataclass
class EndpointAccount:
    """The account. ``outputs`` are the stack's; pipelines and endpoints go by their ids in the app."""

    platform: Platform
    outputs: dict[str, str]
    events: list[dict[str, Any]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return self.platform.client(service)

    def train(self, pipeline: str, center: float) -> dict[str, Any]:
        """Train on points around ``center`` and its opposite: Model Trained's detail."""
        self.client("s3").put_object(
            Bucket=self.outputs[f"{pipeline}Data"],
            Key="input/train/rows.csv",
            Body=points(center, labelled=pipeline == "Kinds"),
        )
        ended = self.run(pipeline)
        assert ended["status"] == "SUCCEEDED", (ended, self.platform.problems())
        return self.told("Model Trained", execution=ended["name"])

    def use(self, **changes: Any) -> CurrentModel:
        """Put another model in the place of Points' model in use: a copy of it, but for ``changes``."""
        s3, data, models = self.client("s3"), self.outputs["PointsData"], self.outputs["PointsModels"]
        current = read_current_model(s3, data, "")
        assert current is not None
        key = f"models/{uuid4().hex}/output/model.tar.gz"
        body = changes.pop("body", None)
        if body is None:
            bucket, _, source = current.model.removeprefix("s3://").partition("/")
            body = s3.get_object(Bucket=bucket, Key=source)["Body"].read()
        s3.put_object(Bucket=models, Key=key, Body=body)
        other = replace(current, model=f"s3://{models}/{key}", **changes)
        self.put_current(other)
        return other

    def put_current(self, model: CurrentModel) -> None:
        values = {**current_model_values(model), "at": "2026-01-01T00:00:00Z"}
        put_document(self.client("s3"), self.outputs["PointsData"], current_model_key(""), SCHEMA, values)

    def run(self, machine: str) -> dict[str, Any]:
        """Run a state machine: the execution's description once it has ended."""
        arn: str = self.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs[f"{machine}Machine"], input="{}"
        )["executionArn"]
        return self.end(arn)

    def redrive(self, execution: dict[str, Any]) -> dict[str, Any]:
        self.client("stepfunctions").redrive_execution(executionArn=execution["executionArn"])
        time.sleep(0.5)
        return self.end(execution["executionArn"])

    def end(self, arn: str) -> dict[str, Any]:
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

    def told(self, detail_type: str, **about: Any) -> dict[str, Any]:
        """The detail of an event that has the members ``about``; waits for it."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for event in self.events:
                if event["detail-type"] == detail_type and about.items() <= event["detail"].items():
                    return dict(event["detail"])
            answer = self.client("sqs").receive_message(
                QueueUrl=self.outputs["ToldQueue"], MaxNumberOfMessages=10
            )
            self.events += [json.loads(message["Body"]) for message in answer.get("Messages", [])]
            time.sleep(0.2)
        problems = "\n".join(self.platform.problems())
        raise AssertionError(f"no {detail_type} of {about}; there are {self.events}\n{problems}")

    def idle(self) -> None:
        """Wait until no deployment runs."""

        def running() -> list[Any]:
            return [
                execution
                for name in ("Online", "Cheap", "Many", "Single")
                for execution in self.client("stepfunctions").list_executions(
                    stateMachineArn=self.outputs[f"{name}Machine"], statusFilter="RUNNING"
                )["executions"]
            ]

        self.until(running, lambda found: not found)

    def described(self, endpoint: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client("sagemaker").describe_endpoint(
            EndpointName=self.outputs[f"{endpoint}Endpoint"]
        )
        del found["ResponseMetadata"]
        return found

    def names(self, endpoint: str) -> tuple[list[str], list[str]]:
        """The configurations and models of an endpoint."""
        client, name = self.client("sagemaker"), self.outputs[f"{endpoint}Endpoint"]
        configs = client.list_endpoint_configs(NameContains=name, MaxResults=100)["EndpointConfigs"]
        models = client.list_models(NameContains=name, MaxResults=100)["Models"]
        return [one["EndpointConfigName"] for one in configs], [one["ModelName"] for one in models]

    def ask(self, endpoint: str, row: str, **more: Any) -> dict[str, Any]:
        """An endpoint's answer about one point."""
        answer = self.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.outputs[f"{endpoint}Endpoint"],
            Body=row.encode(),
            ContentType="text/csv",
            Accept="application/json",
            **more,
        )
        (prediction,) = json.loads(answer["Body"].read())["predictions"]
        return dict(prediction)

    def denied(self, role: str, action: str) -> AbstractContextManager[None]:
        """A role without an action, for the time of the block."""
        return denied(self.client, self.outputs[role], action)
