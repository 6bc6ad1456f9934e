"""The page of a training, gathered from what a pipeline left on S3; whatever is damaged, there is a page."""

from __future__ import annotations

import json
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pipeline_runs import Pipeline

from amazon_estimators.algorithms import KMeans
from amazon_estimators.client.job_report import job_facts
from amazon_estimators.costs.prices import PriceTable
from amazon_estimators.costs.reckoning import cost_of_job
from amazon_estimators.pipeline import announce as announcement
from amazon_estimators.pipeline.announce import announce
from amazon_estimators.pipeline.event_names import LINEAGE
from amazon_estimators.pipeline.trainings import MOST, add_training, trainings
from amazon_estimators.reports import gather
from amazon_estimators.reports.training_report import write_report
from faulty_s3 import FaultyS3

ARN = "arn:aws:states:eu-west-1:111122223333:stateMachine:Digits"


class World:
    """A pipeline that trains KMeans in memory, page and announcement included."""

    def __init__(self) -> None:
        self.s3, self.told = FaultyS3(), list[dict[str, Any]]()
        self.pipeline = Pipeline(self.s3, "bucket")
        self.states: list[dict[str, Any]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.told += [json.loads(one["Detail"]) for one in Entries if one["DetailType"] != LINEAGE]
        return {"FailedEntryCount": 0}

    def train(self, rows: np.ndarray | None, msd: float, **more: Any) -> str:
        """Train on rows, or on what is there, and return the page."""
        number = len(self.states) + 1
        if rows is not None:
            self.pipeline.put_array("train/a.npy", rows.astype(np.float32))
        planned = self.pipeline.train(f"run-{number}")
        job = {
            "TrainingJobName": f"digits-{number}",
            "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:111122223333:training-job/digits-{number}",
            "TrainingJobStatus": "Completed",
            "InputDataConfig": planned["request"]["input_data_config"],
            "ModelArtifacts": {"S3ModelArtifacts": f"s3://bucket/models/digits-{number}/output/model.tar.gz"},
            "FinalMetricDataList": [{"MetricName": "test:msd", "Value": msd}],
            "AlgorithmSpecification": {"TrainingImage": KMeans.train_image("us-east-1")},
            "HyperParameters": {"k": "2", "feature_dim": "3"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 30},
            "BillableTimeInSeconds": 90,
            "CreationTime": 1_767_225_620_000,
            "TrainingEndTime": "2026-01-01T00:02:00Z",
            "SecondaryStatusTransitions": [
                {"Status": "Starting", "StartTime": 1_767_225_620_000, "EndTime": 1_767_225_660_000},
                {"Status": "Training", "StartTime": "2026-01-01T00:01:00Z"},
                {
                    "Status": "Completed",
                    "StartTime": "2026-01-01T00:01:50Z",
                    "EndTime": "2026-01-01T00:01:50Z",
                },
            ],
        }
        execution = {"name": f"run-{number}", "start_time": "2026-01-01T00:00:00Z", "state_machine": ARN}
        settings = {**self.pipeline.settings, "channels": {"train": {}}}
        # That of the first job is before its training was announced; with it, a later job had none before it.
        if self.states:
            del job["CreationTime"]
        state = {
            "pipeline": settings,
            "execution": {**execution, "entered": "2026-01-01T00:02:03Z"},
            "input": {"reason": "drift & <more>"},
            "plan": planned,
            "job": job,
            "warnings": ["k is above the number of records"],
            **more,
        }
        self.states.append(state)
        report = write_report(self.s3, state)
        announce(partial(announcement.tell, self), self.s3, {**state, "report": report})
        assert self.told[-1]["report"] == f"s3://bucket/models/digits-{number}/report.html"
        return self.page(number)

    def page(self, number: int) -> str:
        return self.s3.objects[f"models/digits-{number}/report.html"][0][1].decode()

    def client(self, service: str, **_: Any) -> Any:
        job = self.states[-1]["job"]
        tags = self.states[-1]["plan"]["request"]["tags"]
        sagemaker = SimpleNamespace(
            describe_training_job=lambda TrainingJobName: job,
            get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: [{"Tags": tags}]),
        )
        return {"s3": self.s3, "sagemaker": sagemaker}[service]


RNG = np.random.default_rng(3)
ROWS = RNG.normal(size=(400, 3))
MOVED = ROWS + np.array([0.0, 3.0, 0.0])


def test_the_first_training_has_nothing_to_compare_with() -> None:
    page = World().train(ROWS, 1.5)
    for said in (
        "There is no earlier training to compare with.",
        "There was no other model in use.",
        "k is above the number of records",
        "drift &amp; &lt;more&gt;",
        "400 records",
        "0.0058 USD",
        "s3://bucket/input/train/a.npy",
    ):
        assert said in page, said


def test_the_next_is_compared_with_the_last_and_with_the_model_in_use() -> None:
    world = World()
    world.train(ROWS, 1.5)
    page = world.train(MOVED, 1.25)
    assert "Compared with the last training, digits-1" in page
    assert "1 of 3 features moved." in page
    assert "-0.25 better" in page
    assert "1 earlier training known. The model in use before was trained by digits-1." in page


def test_the_same_data_has_not_moved() -> None:
    world = World()
    world.train(ROWS, 1.5)
    assert gather.SAME in world.train(None, 1.25)


def test_a_rejected_model_is_compared_with_the_one_that_the_gate_compared_it_with() -> None:
    world = World()
    current = {"job": "digits-9", "model": "s3://m", "value": 1.1}
    verdict = {"good": False, "because": "it is worse", "metric": "test:msd", "current": current}
    page = world.train(ROWS, 1.5, verdict=verdict)
    assert "Rejected by the gate" in page
    assert "The model in use before was trained by digits-9." in page
    assert "+0.4 worse" in page
    # The next one is compared with no rejected model.
    assert "There was no other model in use." in world.train(MOVED, 1.2)


def test_seconds_are_those_of_the_execution() -> None:
    world = World()
    world.train(ROWS, 1.5)
    job = world.states[0]["job"]
    cost = cost_of_job(PriceTable.of_package(), "us-east-1", job)
    steps = gather.steps_of(job, began="2026-01-01T00:00:00Z", ended="2026-01-01T00:02:03Z", cost=cost)
    assert [(step.name, step.seconds) for step in steps] == [
        ("Plan, Encode and Seal", 20.0),
        ("Train", 100.0),
        ("Starting", 40.0),
        ("Training", 50.0),
        ("After training", 3.0),
    ]


@pytest.mark.parametrize("key", ["record_set.json", "feature_profile.json", ".jsonl.gz", "trainings.json"])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", None])
def test_what_is_damaged_or_gone_is_said_and_there_is_a_page(key: str, body: bytes | None) -> None:
    world = World()
    world.train(ROWS, 1.5)
    world.train(MOVED, 1.25)
    for name in [name for name in world.s3.objects if name.endswith(key)]:
        del world.s3.objects[name]
        if body is not None:
            world.s3.put(name, body)
    write_report(world.s3, world.states[1])
    page = world.page(2)
    assert "digits-2" in page
    if key == "trainings.json":
        assert "0 earlier trainings known." in page
    elif key != "feature_profile.json" or body is not None:
        assert "channel train: " in page.partition("</section>")[0]


def test_a_long_list_of_objects_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "MOST_LIST_BYTES", 10)
    page = World().train(ROWS, 1.5)
    assert ".jsonl.gz" in page
    assert "input/train/a.npy" not in page


def test_the_page_of_a_job_is_made_again_long_afterwards() -> None:
    world = World()
    world.train(ROWS, 1.5)
    world.train(MOVED, 1.25)
    facts = job_facts("digits-2", session=world)
    assert facts.title == "Stack/Digits"
    assert facts.algorithm is KMeans
    (channel,) = facts.channels
    assert channel.comparison is not None
    assert [shift.feature for shift in channel.comparison.moved] == [1]
    assert [one["job"] for one in facts.trainings] == ["digits-1"]


def test_of_trainings_the_last_are_kept_each_once() -> None:
    s3 = FaultyS3()
    for number in range(MOST + 5):
        detail = {"job": f"job-{number}", "metrics": {"test:msd": "nan"}}
        for _ in range(2):
            add_training(s3, "bucket", "", detail, at=f"2026-01-01T00:{number:02}+00:00", good=True)
    kept = trainings(s3, "bucket", "")
    assert [one["job"] for one in kept] == [f"job-{number}" for number in range(5, MOST + 5)]
    # One that is announced late takes its place in time, which is before all that are kept.
    add_training(s3, "bucket", "", {"job": "late"}, at="2025-12-31T00:00+00:00", good=True)
    assert trainings(s3, "bucket", "") == kept


MISSING = [
    (
        {"Error": "Lambda.Unknown", "Cause": '{"errorMessage": "Runtime exited"}'},
        "Lambda.Unknown: Runtime exited",
    ),
    ({"Error": "States.Timeout", "Cause": ""}, "States.Timeout: "),
    (None, "the step that writes it did not run"),
]


@pytest.mark.parametrize(("report", "reason"), MISSING)
def test_a_page_that_is_missing_is_told(report: Any, reason: str) -> None:
    world = World()
    world.train(ROWS, 1.5)
    announce(partial(announcement.tell, world), world.s3, {**world.states[0], "report": report})
    assert world.told[-1]["report"] is None
    assert world.told[-1]["report_missing"] == reason
