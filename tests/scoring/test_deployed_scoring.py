"""Train, then score what lies under a prefix, deployed with IAM enforced."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from amazon_estimators.inference import load_model
from amazon_estimators_rehearsal.platform import Platform
from denials import Invocation, denied, invocations, states_of, untold

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

    def redrive(self, ended: dict[str, Any]) -> dict[str, Any]:
        self.client("stepfunctions").redrive_execution(executionArn=ended["executionArn"])
        time.sleep(1)
        return self.end(ended["executionArn"])

    def transform_jobs(self) -> list[str]:
        listed = self.client("sagemaker").list_transform_jobs()["TransformJobSummaries"]
        return [job["TransformJobName"] for job in listed]

    def models(self) -> list[str]:
        return [model["ModelName"] for model in self.client("sagemaker").list_models()["Models"]]

    def told(self, execution: str | None, detail_type: str, reason: str = "") -> dict[str, Any]:
        """The detail of an event, about an execution or for a reason; waits for it."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            for event in self.events:
                detail: dict[str, Any] = event["detail"]
                if event["detail-type"] != detail_type or not (detail.get("reason") or "").startswith(reason):
                    continue
                if execution is None or detail["execution"] == execution:
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
    assert [line["other"] for line in lines] == [str(value) for value in rows[:, 0].tolist()]
    assert [int(line["closest_cluster"]) for line in lines] == expected["closest_cluster"].tolist()
    found = np.array([line["distance_to_cluster"] for line in lines], np.float32)
    np.testing.assert_array_equal(found, expected["distance_to_cluster"])


def test_a_transform_job_predicts_the_same_and_its_model_is_deleted(
    account: Account, trained: dict[str, Any]
) -> None:
    rows = RNG.normal(size=(60, 3)).round(4) * 10
    account.put("batch/input/a.csv", table(NAMES, [*rows[:25].T]))
    account.put("batch/input/b.csv", b"")
    account.put("batch/input/c.csv", table(NAMES, [*rows[25:].T]))
    ended = account.run("Batch", "batch")
    assert ended["status"] == "SUCCEEDED", (ended, account.platform.problems())
    detail = account.told("batch", "Predictions Ready")
    assert detail["transform_job"] in account.transform_jobs()
    assert account.models() == []
    manifest = account.manifest(detail["manifest"])
    assert [column["type"] for column in manifest["columns"]] == ["integer", "number"]
    found = pa.concat_tables(pq.read_table(io.BytesIO(part)) for part in account.parts(detail["manifest"]))
    expected = load_model(account.read(trained["model"])).predict(rows.astype(np.float32))
    assert found["closest_cluster"].to_pylist() == expected["closest_cluster"].tolist()
    distances = found["distance_to_cluster"].to_numpy()
    np.testing.assert_allclose(distances, expected["distance_to_cluster"], rtol=1e-5)


def test_a_marker_scores_what_lies_there_once(account: Account, trained: dict[str, Any]) -> None:
    """Uploaded twice, the same rows are scored once, and that is told."""
    account.put("batch/input/a.csv", table(NAMES, [np.arange(4.0)] * 3))
    account.put("batch/input/c.csv", b"")
    account.put("batch/input/_SUCCESS", b"")
    detail = account.told(None, "Predictions Ready", reason="marker of ")
    assert detail["rows"] == 4
    account.put("batch/input/_SUCCESS", b"")
    skipped = account.told(None, "Predictions Skipped", reason="marker of ")
    assert (skipped["data_set"], skipped["pipeline"]) == (detail["data_set"], "Scoring/Nightly")
    assert f"{detail['execution']} has scored it" in skipped["because"]


@pytest.mark.parametrize(
    "action", ["sagemaker:CreateModel", "sagemaker:CreateTransformJob", "sagemaker:DeleteModel"]
)
def test_a_permission_taken_away_is_told_and_a_redrive_goes_on(
    account: Account, trained: dict[str, Any], action: str
) -> None:
    """Nothing is orphaned: once it ends well, no model is left, and a job that was done is not repeated."""
    name, before = f"without-{action.partition(':')[2]}", len(account.transform_jobs())
    account.put("batch/input/a.csv", table(NAMES, [np.ones(3)] * 3))
    with denied(account.client, account.outputs["BatchRole"], action):
        failed = account.run("Batch", name)
    assert failed["status"] == "FAILED", failed
    cause = json.loads(failed["cause"])["errorMessage"]
    assert account.outputs["BatchRole"] in cause
    assert action in cause
    redriven = account.redrive(failed)
    assert redriven["status"] == "SUCCEEDED", (redriven, account.platform.problems())
    assert account.models() == []
    assert len(account.transform_jobs()) == before + 1


def test_rows_that_the_model_was_not_trained_on_are_refused_before_anything_is_paid_for(
    account: Account, trained: dict[str, Any]
) -> None:
    before = account.transform_jobs()
    account.put("batch/input/a.csv", table(["width", "depth"], [np.ones(3)] * 2))
    account.put("batch/input/c.csv", table(["width", "depth"], [np.ones(3)] * 2))
    ended = account.run("Batch", "narrow")
    assert (ended["status"], ended["error"]) == ("FAILED", "SchemaError")
    assert "no column 'height'" in json.loads(ended["cause"])["errorMessage"]
    assert account.told("narrow", "Predictions Failed")["error"] == "SchemaError"
    assert account.transform_jobs() == before


NOT_OF_EVERY_RUN = {
    ("announce", "s3:GetObject"): "the list of trainings, which a training adds to",
    ("announce", "s3:ListBucket"): "the list of trainings, which a training adds to",
    ("announce", "s3:PutObject"): "the record of a model, which a training announces",
    ("plan", "lambda:GetAccountSettings"): "the account's concurrency; without it, the prop counts",
    ("plan", "s3:AbortMultipartUpload"): "an upload that failed",
    ("encode", "s3:AbortMultipartUpload"): "an upload that failed",
    ("encode", "s3:ListBucket"): "the profiles of a group, which a plan of more than 100 shards has",
    ("score", "s3:AbortMultipartUpload"): "an upload that failed",
}
"""Steps and actions that a run which ends well does not need, and what needs them."""


def steps_of(account: Account, execution: dict[str, Any]) -> list[Invocation]:
    """What an execution that ended well has invoked, of the two Maps the first shard's."""
    tasks = states_of(account.client, execution["stateMachineArn"])
    made = invocations(account.client, execution)
    output = json.loads(execution["output"])
    for name, key in (("Shards", output["plan"]["shards_key"]), ("Scores", output["sealed"]["parts_key"])):
        line, *_ = account.read(f"s3://{output['plan']['bucket']}/{key}").splitlines()
        inner = tasks[name]["ItemProcessor"]
        item = {**output["plan"], **json.loads(line), "plan": output["plan"], "model": output["model"]}
        settings = made["Publish"].event["pipeline"]
        shared = {"execution": execution["name"], "pipeline": settings if name == "Scores" else "a"}
        made[name] = Invocation(inner["States"][inner["StartAt"]]["Resource"], {**item, **shared})
    assert {"Model", "Plan", "Shards", "Seal", "Scores", "Publish"} <= set(made)
    return [*made.values()]


def test_each_action_of_each_role_counts_and_its_absence_names_the_role(
    account: Account, trained: dict[str, Any]
) -> None:
    """Every step is run directly, as its role, without one action after the other."""
    numbers = count()

    def put_other_rows() -> None:
        """Other rows each time: else Plan sees that all is done. The other steps read the version before."""
        rows = np.arange(5.0) + next(numbers)
        account.put("scores/input/a.csv", table(["other", *NAMES], [rows] * 4))

    put_other_rows()
    ended = account.run("Scoring", "to-be-denied")
    assert ended["status"] == "SUCCEEDED", (ended, account.platform.problems())
    steps = steps_of(account, ended)
    assert untold(account.client, steps, before=put_other_rows) == set(NOT_OF_EVERY_RUN)


@pytest.mark.parametrize("action", ["s3:GetObject", "ecr:BatchGetImage"])
def test_what_the_execution_role_may_not_do_is_told(
    account: Account, trained: dict[str, Any], action: str
) -> None:
    """SageMaker refuses a model that the role cannot read, and fails a job whose image it cannot pull."""
    account.put("batch/input/a.csv", table(NAMES, [np.full(3, 2.0)] * 3))
    account.put("batch/input/c.csv", b"")
    states = states_of(account.client, account.outputs["Batch"])
    role = states["CreateModel"]["Parameters"]["ExecutionRoleArn"].rpartition("/")[2]
    with denied(account.client, role, action):
        failed = account.run("Batch", f"without-{action.replace(':', '-')}")
    assert failed["status"] == "FAILED", failed
    cause = json.loads(failed["cause"])["errorMessage"]
    assert role in cause
    assert action in cause
    assert account.models() == []
