"""Triggers, deployed with IAM enforced: the guarantees of docs/triggers.md, seen from outside."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from amazon_estimators_rehearsal.platform import Platform

pytestmark = pytest.mark.deployed

ROWS = "\n".join(f"{row},{row % 7}" for row in range(20))


class Account:
    """The deployed stack as seen from outside."""

    def __init__(self, platform: Platform, outputs: dict[str, str]) -> None:
        self.platform, self.outputs = platform, outputs
        self.s3, self.sqs = platform.client("s3"), platform.client("sqs")
        self.states, self.bucket = platform.client("stepfunctions"), outputs["Bucket"]
        self.told: list[dict[str, Any]] = []

    def put(self, key: str, body: str = "") -> str | None:
        version: str | None = self.s3.put_object(Bucket=self.bucket, Key=key, Body=body.encode()).get(
            "VersionId"
        )
        return version

    def get(self, key: str) -> Any:
        return json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def frozen(self, name: str, version: str) -> list[dict[str, Any]]:
        key = f"{name.lower()}/datasets/{version.partition('-')[0]}.jsonl.gz"
        body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return [json.loads(line) for line in gzip.decompress(body).splitlines()[1:]]

    def executions(self, name: str) -> list[dict[str, Any]]:
        """Of one pipeline, oldest first."""
        found = self.states.list_executions(stateMachineArn=self.outputs[f"{name}StateMachine"])["executions"]
        return sorted(found, key=lambda one: one["startDate"])

    def idle(self, name: str) -> list[dict[str, Any]]:
        """The executions once none runs and the starter's queue is empty, for two seconds on end."""
        quiet = 0
        while quiet < 4:
            still = all(one["status"] != "RUNNING" for one in self.executions(name))
            quiet = quiet + 1 if still and not self.depth(f"{name}Queue") else 0
            time.sleep(0.5)
        return self.executions(name)

    def depth(self, queue: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=names)[
            "Attributes"
        ]
        return sum(map(int, found.values()))

    def send(self, name: str, message: dict[str, Any]) -> None:
        """A message a trigger would send; every one is another delivery to the queue."""
        self.sqs.send_message(
            QueueUrl=self.outputs[f"{name}Queue"],
            MessageBody=json.dumps(message),
            MessageGroupId="starter",
            MessageDeduplicationId=uuid4().hex,
        )

    def receive(self, queue: str) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=self.outputs[queue], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.outputs[queue], ReceiptHandle=message["ReceiptHandle"])
        return messages

    def event(self, name: str, detail_type: str, **detail: Any) -> dict[str, Any]:
        """The detail of an event a pipeline told; waits for it."""

        def found() -> dict[str, Any] | None:
            self.told += [json.loads(one["Body"]) for one in self.receive("ToldQueue")]
            for one in self.told:
                if (one["detail-type"], one["detail"]["pipeline"]) == (detail_type, f"Triggers/{name}"):
                    content: dict[str, Any] = one["detail"]
                    if detail.items() <= content.items():
                        return content
            return None

        return self.until(found, f"{detail_type} of {name} with {detail}", timeout=150)

    def until(self, found: Callable[[], Any], what: str, *, timeout: float = 60) -> Any:
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if answer := found():
                return answer
            time.sleep(0.25)
        problems = "\n".join(self.platform.problems())
        raise AssertionError(f"not within {timeout} seconds: {what}\n{problems}")

    def next_execution(self, name: str, known: int, *, timeout: float = 60) -> dict[str, Any]:
        """The execution after the first ``known`` ones; waits for its start."""
        found: dict[str, Any] = self.until(
            lambda: self.executions(name)[known:], f"execution {known} of {name}", timeout=timeout
        )[0]
        return found


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with Platform(app=Path(__file__).parent / "app") as platform:
        outputs = platform.deploy({})
        found = Account(platform, outputs)
        found.put("clock/input/train/rows.csv", ROWS)  # for the schedule, which is looked at last
        yield found


def marker_message() -> dict[str, Any]:
    return {"trigger": "marker", "time": datetime.now(UTC).isoformat(), "event": uuid4().hex}


def test_a_marker_starts_one_execution_in_seconds_and_the_model_leads_back_to_the_bytes(
    account: Account, record_property: Any
) -> None:
    version = account.put("marker/input/train/a.csv", ROWS)
    time.sleep(1)
    account.put("marker/input/train/2026/_SUCCESS")
    uploaded = time.time()
    began = account.next_execution("Marker", 0)
    took = began["startDate"].timestamp() - uploaded
    record_property("seconds", round(took, 1))
    assert took <= 5
    (execution,) = account.idle("Marker")
    assert execution["status"] == "SUCCEEDED"
    output = json.loads(account.states.describe_execution(executionArn=execution["executionArn"])["output"])
    data_set = execution["name"].partition("-")[0]
    tags = account.platform.client("sagemaker").list_tags(ResourceArn=output["job"]["TrainingJobArn"])["Tags"]
    assert {"Key": "amazon-estimators:data-set", "Value": data_set} in tags
    prefix = output["plan"]["prefix"]
    assert account.get(f"{prefix}train/record_set.json")["data_set"] == data_set
    (line,) = account.frozen("Marker", data_set)
    assert (line["key"], line["version_id"]) == ("marker/input/train/a.csv", version)
    detail = account.event("Marker", "Model Trained", data_set=data_set)
    assert detail["job"] == output["job"]["TrainingJobName"]
    assert detail["model"] == output["job"]["ModelArtifacts"]["S3ModelArtifacts"]
    assert "train:msd" in detail["metrics"]
    assert detail["seconds"] > 0
    assert "marker" in detail["reason"]


def test_a_message_delivered_ten_times_is_one_execution(account: Account) -> None:
    known = len(account.idle("Marker"))
    account.put("marker/input/train/b.csv", ROWS)
    message = marker_message()
    for _ in range(10):
        account.send("Marker", message)
    account.next_execution("Marker", known)
    assert len(account.idle("Marker")) == known + 1


def test_markers_during_a_training_are_exactly_one_more_on_all_of_it(account: Account) -> None:
    known = len(account.idle("Marker"))
    # S3 tells seconds apart, and a batch from the next by them: the next second begins while this one trains.
    time.sleep((0.7 - time.time()) % 1)
    account.put("marker/input/train/c.csv", ROWS)
    account.put("marker/input/train/_SUCCESS")
    written = int(time.time())
    first = account.next_execution("Marker", known)
    while int(time.time()) == written:
        time.sleep(0.01)
    for name in ("d", "e"):
        account.put(f"marker/input/train/{name}.csv", ROWS)
        account.put("marker/input/train/_SUCCESS")
    assert account.states.describe_execution(executionArn=first["executionArn"])["status"] == "RUNNING"
    executions = account.idle("Marker")
    assert len(executions) == known + 2
    assert (
        executions[-1]["startDate"] >= executions[-2]["stopDate"] or executions[-2]["status"] == "SUCCEEDED"
    )
    keys = {line["key"].rpartition("/")[2] for line in account.frozen("Marker", executions[-1]["name"])}
    assert keys >= {"c.csv", "d.csv", "e.csv"}


def test_an_alarm_retrains_the_same_data_once_in_its_cool_down(account: Account) -> None:
    known = account.idle("Marker")
    alarm = account.outputs["AlarmArn"]
    for event in ("first", "second"):
        message = {"trigger": "alarm", "alarm": alarm, "cool_down_seconds": 600, "event": event}
        account.send("Marker", {**message, "time": datetime.now(UTC).isoformat()})
        time.sleep(1.1)
    account.event("Marker", "Training Skipped")
    executions = account.idle("Marker")
    assert len(executions) == len(known) + 1
    assert executions[-1]["name"].partition("-")[0] == known[-1]["name"].partition("-")[0]


def test_three_failures_then_the_dead_letter_queue_then_redriven(account: Account) -> None:
    iam, role = account.platform.client("iam"), account.outputs["MarkerStarterRole"]
    known = len(account.idle("Marker"))
    denial = {"Effect": "Deny", "Action": "states:StartExecution", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [denial]})
    iam.put_role_policy(RoleName=role, PolicyName="Outage", PolicyDocument=document)
    try:
        account.put("marker/input/train/f.csv", ROWS)
        account.put("marker/input/train/_SUCCESS")
        account.until(lambda: account.depth("MarkerDeadLetters"), "a dead letter")
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="Outage")
    (letter,) = account.receive("MarkerDeadLetters")
    assert "states:StartExecution" in letter["MessageAttributes"]["reason"]["StringValue"]
    assert letter["MessageAttributes"]["pipeline"]["StringValue"] == "Triggers/Marker"
    assert len(account.executions("Marker")) == known
    account.send("Marker", json.loads(letter["Body"]))  # what StartMessageMoveTask does with it
    redriven = account.next_execution("Marker", known)
    keys = {line["key"].rpartition("/")[2] for line in account.frozen("Marker", redriven["name"])}
    assert "f.csv" in keys
    assert len(account.idle("Marker")) == known + 1


def test_a_marker_without_data_ends_in_a_typed_failure_that_is_told(account: Account) -> None:
    known = len(account.idle("Marker"))
    listed = account.s3.list_objects_v2(Bucket=account.bucket, Prefix="marker/input/train/")
    for one in listed["Contents"]:
        account.s3.delete_object(Bucket=account.bucket, Key=one["Key"])
    time.sleep(1.1)
    account.put("marker/input/train/_SUCCESS")
    failed = account.next_execution("Marker", known)
    assert account.idle("Marker")[-1]["status"] == "FAILED"
    detail = account.event("Marker", "Training Failed", execution=failed["name"])
    assert detail["error"] == "NoInputError"
    assert "Upload at least one file" in detail["remedy"]
    mails = account.until(lambda: account.receive("MailQueue"), "a message of the topic")
    assert any("Triggers/Marker" in one["Body"] for one in mails)


def test_an_aborted_execution_is_told_too(account: Account) -> None:
    known = len(account.idle("Marker"))
    account.put("marker/input/train/g.csv", ROWS)
    account.put("marker/input/train/_SUCCESS")
    began = account.next_execution("Marker", known)
    account.states.stop_execution(executionArn=began["executionArn"])
    assert account.event("Marker", "Training Failed", execution=began["name"])["error"] == "Execution.ABORTED"


def test_a_burst_of_500_objects_is_one_execution_after_the_quiet_period(
    account: Account, record_property: Any
) -> None:
    known = len(account.idle("Quiet"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: account.put(f"quiet/input/train/{n:03}.csv", f"{n},1\n{n},2"), range(500)))
    # AWS's queue keeps one of the messages of a second. The emulator's keeps all of them, for one by one.
    account.until(lambda: not account.depth("QuietQueue"), "an empty queue", timeout=600)
    last = time.time()
    began = account.next_execution("Quiet", known, timeout=120)
    took = began["startDate"].timestamp() - last
    record_property("seconds", round(took, 1))
    assert took <= 3 + 60
    executions = account.idle("Quiet")
    assert len(executions) == known + 1
    assert len(account.frozen("Quiet", executions[-1]["name"])) == 500
    assert executions[-1]["status"] == "SUCCEEDED"


def test_a_schedule_trains_once_and_then_says_that_nothing_is_new(account: Account) -> None:
    account.event("Clock", "Model Trained")
    skipped = account.event("Clock", "Training Skipped")
    assert "nothing has changed" in skipped["because"]
    assert len(account.idle("Clock")) == 1


def test_pipelines_of_one_bucket_do_not_cross(account: Account) -> None:
    for name in ("Marker", "Quiet", "Clock"):
        for execution in account.executions(name):
            lines = account.frozen(name, execution["name"])
            assert all(line["key"].startswith(f"{name.lower()}/input/train/") for line in lines)
    assert account.depth("QuietDeadLetters") == account.depth("ClockDeadLetters") == 0
