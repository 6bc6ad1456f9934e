"""The deployed pipeline of these tests, as seen from outside."""

from __future__ import annotations

import csv
import io
import json
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from amazon_estimators.client.find_pipelines import find_pipeline
from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators_rehearsal.platform import Platform

SECONDS = 240
RNG = np.random.default_rng(3)
WEIGHT = np.array([1.0, -2.0, 0.5])


def table(rows: int, *, noise: float = 0.05) -> bytes:
    """Return CSV of a label, linear in three features, and these."""
    features = RNG.normal(size=(rows, 3))
    label = features @ WEIGHT + RNG.normal(scale=noise, size=rows)
    text = io.StringIO()
    csv.writer(text).writerows(np.column_stack([label, features]).round(5).tolist())
    return text.getvalue().encode()


@dataclass
class Account:
    """The deployed pipeline as seen from outside."""

    platform: Platform
    outputs: dict[str, str]
    events: list[dict[str, Any]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return self.platform.client(service)

    def put(self, channel: str, body: bytes) -> None:
        self.client("s3").put_object(
            Bucket=self.outputs["Bucket"], Key=f"input/{channel}/rows.csv", Body=body
        )

    def read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def start(self, name: str) -> str:
        arn: str = self.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["Machine"], name=name, input=json.dumps({"reason": f"to see {name}"})
        )["executionArn"]
        return arn

    def end(self, arn: str) -> dict[str, Any]:
        """The execution's description once it has ended."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            described: dict[str, Any] = self.client("stepfunctions").describe_execution(executionArn=arn)
            if described["status"] != "RUNNING":
                return described
            time.sleep(0.5)
        raise AssertionError(f"{arn} still runs\n" + "\n".join(self.platform.problems()))

    def told(self, execution: str, detail_type: str) -> dict[str, Any]:
        """The detail of an event about an execution; waits for it."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for event in self.events:
                if (event["detail-type"], event["detail"]["execution"]) == (detail_type, execution):
                    detail: dict[str, Any] = event["detail"]
                    return detail
            answer = self.client("sqs").receive_message(
                QueueUrl=self.outputs["ToldQueue"], MaxNumberOfMessages=10
            )
            self.events += [json.loads(message["Body"]) for message in answer.get("Messages", [])]
            time.sleep(0.2)
        raise AssertionError(f"no {detail_type} of {execution}; there are {self.events}")

    def packages(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.client("sagemaker").list_model_packages(
            ModelPackageGroupName=self.outputs["Group"]
        )["ModelPackageSummaryList"]
        return listed


def session_of(account: Account) -> Any:
    class Session:
        region_name = "us-east-1"

        def client(self, service: str, **_: Any) -> Any:
            return account.client(service)

    return Session()


def pipeline_of(account: Account) -> PipelineEstimator:
    machine = account.outputs["Machine"]
    return find_pipeline(stack_name=None, state_machine_arn=machine, session=session_of(account))
