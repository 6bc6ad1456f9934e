"""Train, then score what lies under a prefix, deployed with IAM enforced."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
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

    def redrive(self, ended: dict[str, Any]) -> dict[str, Any]:
        self.client("stepfunctions").redrive_execution(executionArn=ended["executionArn"])
        time.sleep(1)
        return self.end(ended["executionArn"])

    @contextmanager
    def denied(self, action: str, role: str) -> Iterator[None]:
        """A role without an action, for the time of the block."""
        iam, name = self.client("iam"), self.outputs[role]
        statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=name, PolicyName="Denied", PolicyDocument=document)
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=name, PolicyName="Denied")

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
    with account.denied(action, "BatchRole"):
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
    ("Announce", "s3:PutObject"): "the record of a model, which a training announces",
    ("Plan", "lambda:GetAccountSettings"): "the account's concurrency; without it, the prop counts",
    ("*", "s3:AbortMultipartUpload"): "an upload that failed",
    ("*", "logs:CreateLogStream"): "the log, which no step waits for",
    ("*", "logs:PutLogEvents"): "the log, which no step waits for",
}
"""Steps and actions that a run which ends well does not need, and what needs them."""


def resolved(value: Any, state: Any, context: dict[str, Any]) -> Any:
    """Parameters of a task with the paths in them replaced, as Step Functions does."""

    def at(path: str) -> Any:
        found = context if path.startswith("$$") else state
        for name in path.lstrip("$").strip(".").split("."):
            found = found[name] if name else found
        return found

    if not isinstance(value, dict):
        return value
    return {
        name.removesuffix(".$"): at(inner) if name.endswith(".$") else resolved(inner, state, context)
        for name, inner in value.items()
    }


def invocations(account: Account, arn: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Function and event of each step of an execution that ended well, the first shard's of the two Maps."""
    states = account.client("stepfunctions")
    described = states.describe_execution(executionArn=arn)
    machine = states.describe_state_machine(stateMachineArn=described["stateMachineArn"])
    tasks = json.loads(machine["definition"])["States"]
    execution = {"Name": described["name"], "StartTime": "2026-11-28T10:00:00.000Z", "RedriveCount": 0}
    context = {"Execution": execution, "StateMachine": {"Id": described["stateMachineArn"]}}
    found = {}
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    for event in (event for page in pages for event in page["events"]):
        entered = event.get("stateEnteredEventDetails", {})
        task = tasks.get(entered.get("name"), {})
        if ":function:" in str(task.get("Resource")):
            asked = resolved(task["Parameters"], json.loads(entered["input"]), context)
            found[entered["name"]] = (task["Resource"], asked)
    output = json.loads(described["output"])
    for name, key in (("Shards", output["plan"]["shards_key"]), ("Scores", output["sealed"]["parts_key"])):
        line, *_ = account.read(f"s3://{output['plan']['bucket']}/{key}").splitlines()
        inner = tasks[name]["ItemProcessor"]
        item = {**output["plan"], **json.loads(line), "plan": output["plan"], "model": output["model"]}
        settings = found["Publish"][1]["pipeline"]
        shared = {"execution": described["name"], "pipeline": settings if name == "Scores" else "a"}
        found[name] = (inner["States"][inner["StartAt"]]["Resource"], {**item, **shared})
    return found


def actions_of(account: Account, role: str) -> set[str]:
    """All actions that the policies of a role allow."""
    iam, actions = account.client("iam"), set[str]()
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for statement in document["Statement"]:
            listed = statement["Action"]
            actions.update([listed] if isinstance(listed, str) else listed)
    return actions


def test_each_action_of_each_role_counts_and_its_absence_names_the_role(
    account: Account, trained: dict[str, Any]
) -> None:
    """Every step is run directly, as its role, without one action after the other."""
    account.put("scores/input/a.csv", table(["other", *NAMES], [np.arange(5.0)] * 4))
    ended = account.run("Scoring", "to-be-denied")
    assert ended["status"] == "SUCCEEDED", (ended, account.platform.problems())
    functions, iam = account.client("lambda"), account.client("iam")
    unused: set[tuple[str, str]] = set()
    steps = invocations(account, ended["executionArn"])
    roles: dict[str, list[str]] = {}
    for name, (function, _) in steps.items():
        arn = functions.get_function_configuration(FunctionName=function)["Role"]
        roles.setdefault(arn.rpartition("/")[2], []).append(name)
    assert {"Model", "Plan", "Shards", "Seal", "Scores", "Publish"} <= set(steps)
    for role, names in roles.items():
        for number, action in enumerate(sorted(actions_of(account, role))):
            # Other rows each time: else Plan finds that all is done. The other steps read the version before.
            account.put("scores/input/a.csv", table(["other", *NAMES], [np.arange(5.0) + number] * 4))
            statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_role_policy(RoleName=role, PolicyName="Denied", PolicyDocument=document)
            try:
                answers = [
                    functions.invoke(FunctionName=function, Payload=json.dumps(event).encode())
                    for function, event in (steps[name] for name in names)
                ]
            finally:
                iam.delete_role_policy(RoleName=role, PolicyName="Denied")
            texts = [answer["Payload"].read().decode() for answer in answers if answer.get("FunctionError")]
            if not any(role in text and action in text for text in texts):
                known = (names[0], action) in NOT_OF_EVERY_RUN
                unused.add((names[0] if known else "*", action))
    assert unused == set(NOT_OF_EVERY_RUN)
