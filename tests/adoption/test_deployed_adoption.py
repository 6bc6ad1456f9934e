"""Jobs whose creation Step Functions gets no answer to, deployed with IAM enforced: none is there twice."""

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

from amazon_estimators_rehearsal.platform import Platform
from denials import denied

pytestmark = pytest.mark.deployed

SECONDS = 240
RNG = np.random.default_rng(5)


def table(rows: int) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(RNG.normal(size=(rows, 3)).round(4).tolist())
    return text.getvalue().encode()


@dataclass
class Account:
    """The deployed pipelines as seen from outside."""

    platform: Platform
    outputs: dict[str, str]
    events: list[dict[str, Any]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return self.platform.client(service)

    def put(self, pipeline: str, key: str, body: bytes) -> None:
        self.client("s3").put_object(Bucket=self.outputs[f"{pipeline}Bucket"], Key=key, Body=body)

    def start(self, pipeline: str, name: str) -> str:
        arn: str = self.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs[f"{pipeline}Machine"], name=name, input="{}"
        )["executionArn"]
        return arn

    def end(self, arn: str) -> dict[str, Any]:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            described: dict[str, Any] = self.client("stepfunctions").describe_execution(executionArn=arn)
            if described["status"] != "RUNNING":
                return described
            time.sleep(0.5)
        raise AssertionError(f"{arn} still runs\n" + "\n".join(self.platform.problems()))

    def run(self, pipeline: str, name: str) -> dict[str, Any]:
        """Train on new rows; the output of the execution, which ends well."""
        for channel in ("train", "test"):
            self.put(pipeline, f"input/{channel}/rows.csv", table(60))
        ended = self.end(self.start(pipeline, name))
        assert ended["status"] == "SUCCEEDED", (ended, self.platform.problems())
        return {**json.loads(ended["output"]), "arn": ended["executionArn"]}

    def states(self, arn: str) -> list[str]:
        """The states that an execution has entered."""
        pages = self.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
        details = "stateEnteredEventDetails"
        return [one[details]["name"] for page in pages for one in page["events"] if details in one]

    def jobs(self, kind: str, prefix: str) -> list[str]:
        """The names of the jobs of a kind that begin so."""
        listed = getattr(self.client("sagemaker"), f"list_{kind}_jobs")()
        (found,) = (value for name, value in listed.items() if name.endswith("JobSummaries"))
        names = [next(value for name, value in one.items() if name.endswith("JobName")) for one in found]
        return sorted(name for name in names if name.startswith(prefix))

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


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with Platform(app=Path(__file__).parent / "app") as platform:
        yield Account(platform, platform.deploy({}))


@pytest.fixture(scope="module")
def trained(account: Account) -> dict[str, Any]:
    return account.run("Flowers", "trains")


def stem(name: str) -> str:
    """A job's name without the numbers of its attempt."""
    return name.rsplit("-", 2)[0]


def test_a_training_job_is_there_once_and_all_that_follows_is_as_ever(
    account: Account, trained: dict[str, Any]
) -> None:
    """Gate, registration, report, announcement and cost read the job as ``.sync`` would leave it."""
    job = trained["job"]
    assert account.jobs("training", stem(job["TrainingJobName"])) == [f"{stem(job['TrainingJobName'])}-0-0"]
    assert account.states(trained["arn"]).count("Train") == 1
    assert "Adopted" in account.states(trained["arn"])
    assert job["TrainingJobStatus"] == "Completed"
    told = account.told("trains", "Model Trained")
    assert (told["job"], told["verdict"]["good"]) == (job["TrainingJobName"], True)
    assert told["model"] == job["ModelArtifacts"]["S3ModelArtifacts"]
    assert told["billable_seconds"] == job["BillableTimeInSeconds"]
    assert (told["cost"]["because"], told["cost"]["amount"] > 0) == (None, True)
    assert told["model_package"]
    assert "lineage_missing" not in told
    report = told["report"].removeprefix("s3://").split("/", 1)
    page = account.client("s3").get_object(Bucket=report[0], Key=report[1])["Body"].read().decode()
    assert job["TrainingJobName"] in page
    assert "Plan, Encode and Seal" in page


def test_a_tuning_job_is_there_once(account: Account) -> None:
    output = account.run("Searched", "searches")
    name = output["tuned"]["job_name"]
    assert account.jobs("hyper_parameter_tuning", stem(name)) == [f"{stem(name)}-0-0"] == [name]
    assert len(account.jobs("training", stem(name))) == 2
    assert account.told("searches", "Model Trained")["job"] == output["tuned"]["best"]


def test_a_transform_job_is_there_once(account: Account, trained: dict[str, Any]) -> None:
    account.put("Flowers", "batch/input/rows.csv", table(8))
    ended = account.end(account.start("Nightly", "scores"))
    assert ended["status"] == "SUCCEEDED", (ended, account.platform.problems())
    told, transform = account.told("scores", "Predictions Ready"), json.loads(ended["output"])["transform"]
    assert account.jobs("transform", stem(told["transform_job"])) == [told["transform_job"]]
    assert told["rows"] == 8
    assert transform.keys() == {"TransformJobName", "TransformStartTime", "TransformEndTime"}
    assert account.client("sagemaker").list_models()["Models"] == []


def test_a_job_that_fails_is_explained_and_redriven_under_another_name(
    account: Account, trained: dict[str, Any]
) -> None:
    account.put("Flowers", "input/train/rows.csv", table(61))
    arn = account.start("Flowers", "fails")
    with denied(account.client, account.outputs["TrainingRole"], "ecr:BatchGetImage"):
        failed = account.end(arn)
    assert (failed["status"], failed["error"]) == ("FAILED", "TrainingJobError")
    cause = json.loads(failed["cause"])["errorMessage"]
    assert "ecr:BatchGetImage" in cause
    name = cause.partition("Training job ")[2].partition(" ")[0]
    assert account.jobs("training", stem(name)) == [name]
    account.client("stepfunctions").redrive_execution(executionArn=arn)
    time.sleep(1)
    redriven = account.end(arn)
    assert redriven["status"] == "SUCCEEDED", (redriven, account.platform.problems())
    assert account.jobs("training", stem(name)) == [name, f"{stem(name)}-1-0"]


def test_a_job_without_capacity_is_waited_for_and_has_another_name_then(account: Account) -> None:
    for channel in ("train", "test"):
        account.put("Lacking", f"input/{channel}/rows.csv", table(60))
    failed = account.end(account.start("Lacking", "lacks"))
    assert (failed["status"], failed["error"]) == ("FAILED", "TrainingJobError")
    cause = json.loads(failed["cause"])["errorMessage"]
    assert "CapacityError" in cause
    name = stem(cause.partition("Training job ")[2].partition(" ")[0])
    assert account.jobs("training", name) == [f"{name}-0-0", f"{name}-0-1"]


def test_an_adopted_job_outlives_an_abort_and_a_redrive_goes_on_with_it(
    account: Account, trained: dict[str, Any]
) -> None:
    account.put("Flowers", "input/train/rows.csv", table(62))
    arn = account.start("Flowers", "aborted")
    deadline = time.monotonic() + 120
    while "DescribeAdopted" not in account.states(arn):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    account.client("stepfunctions").stop_execution(executionArn=arn)
    account.client("stepfunctions").redrive_execution(executionArn=arn)
    time.sleep(1)
    redriven = account.end(arn)
    assert redriven["status"] == "SUCCEEDED", (redriven, account.platform.problems())
    name = json.loads(redriven["output"])["job"]["TrainingJobName"]
    assert account.jobs("training", stem(name)) == [f"{stem(name)}-0-0"] == [name]
