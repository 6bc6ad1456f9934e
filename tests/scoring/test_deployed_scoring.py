"""Train, then score what lies under a prefix, deployed with IAM enforced."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amazon_estimators.inference import load_model
from amazon_estimators_rehearsal.platform import Platform

pytestmark = pytest.mark.deployed

SECONDS = 240
RNG = np.random.default_rng(5)
NAMES = ["width", "height", "depth"]


def table(names: list[str], columns: list[np.ndarray]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows(zip(*(column.tolist() for column in columns), strict=True))
    return text.getvalue().encode()


@dataclass
class Account:
    """The deployed pipelines as seen from outside."""

    platform: Platform
    outputs: dict[str, str]
    events: list[dict[str, Any]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return self.platform.client(service)

    def put(self, key: str, body: bytes) -> None:
        self.client("s3").put_object(Bucket=self.outputs["Bucket"], Key=key, Body=body)

    def read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def run(self, machine: str, name: str, **asked: str) -> dict[str, Any]:
        """Start an execution and return its description once it has ended."""
        arn = self.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs[machine], name=name, input=json.dumps(asked)
        )["executionArn"]
        return self.end(arn)

    def end(self, arn: str) -> dict[str, Any]:
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

    def parts(self, manifest_uri: str) -> list[bytes]:
        """The parts that a manifest lists, in its order."""
        bucket = self.outputs["Bucket"]
        return [self.read(f"s3://{bucket}/{part['key']}") for part in self.manifest(manifest_uri)["parts"]]

    def manifest(self, uri: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.read(uri))
        return found


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with Platform(app=Path(__file__).parent / "app") as platform:
        yield Account(platform, platform.deploy({}))


@pytest.fixture(scope="module")
def trained(account: Account) -> dict[str, Any]:
    """The detail of the model that is in use."""
    rows = RNG.normal(size=(300, 3)).round(4) + RNG.integers(0, 3, size=(300, 1)) * 10
    account.put("input/train/rows.csv", table(["id", *NAMES], [np.arange(300), *rows.T]))
    ended = account.run("Training", "train")
    assert ended["status"] == "SUCCEEDED", (ended, account.platform.problems())
    return account.told("train", "Model Trained")


def test_rows_are_scored_by_name_in_their_order(account: Account, trained: dict[str, Any]) -> None:
    rows = RNG.normal(size=(50, 3)).round(4) * 10
    # The columns stand in another order than in training, and there are more of them.
    columns = {"height": rows[:, 1], "other": rows[:, 0], "depth": rows[:, 2], "width": rows[:, 0]}
    account.put("scores/input/a.csv", table([*columns], [*columns.values()]))
    ended = account.run("Scoring", "score")
    assert ended["status"] == "SUCCEEDED", (ended, account.platform.problems())
    detail = account.told("score", "Predictions Ready")
    assert (detail["model"], detail["rows"], detail["engine"]) == (trained["model"], 50, "numpy")
    lines = [*csv.DictReader(io.StringIO(b"".join(account.parts(detail["manifest"])).decode()))]
    expected = load_model(account.read(trained["model"])).predict(rows.astype(np.float32))
    assert [int(line["closest_cluster"]) for line in lines] == expected["closest_cluster"].tolist()
    found = np.array([line["distance_to_cluster"] for line in lines], np.float32)
    np.testing.assert_array_equal(found, expected["distance_to_cluster"])
