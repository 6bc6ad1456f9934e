"""Associate: artifacts of the data behind a training in SageMaker's own lineage, each made once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.awsrequest import AWSResponse
from pipeline_runs import Pipeline

from amazon_estimators.handlers import associate as handler
from amazon_estimators.pipeline import announce as announcement
from amazon_estimators.pipeline.record_set_artifacts import associate
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators_rehearsal.sagemaker.service import SageMaker
from faulty_s3 import FaultyS3

JOB = {
    "TrainingJobName": "Digits-1",
    "TrainingJobArn": "arn:aws:sagemaker:us-east-1:111122223333:training-job/digits-1",
}
COMPONENT = "arn:aws:sagemaker:us-east-1:111122223333:experiment-trial-component/digits-1-aws-training-job"


@dataclass
class Account:
    """An account whose principals may do all but the denied actions, each on resources that begin so."""

    denied: dict[str, str] = field(default_factory=dict)
    account_id: str = "111122223333"
    region: str = "us-east-1"

    def denial(
        self, access_key: str, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> str | None:
        start = self.denied.get(action)
        refused = start is not None and resource.rpartition(":")[2].startswith(start)
        return f"{access_key} is not authorized to perform: {action} on {resource}" if refused else None


@dataclass
class Job:
    """A training job that has ended."""

    arn: str = JOB["TrainingJobArn"]
    tags: dict[str, str] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        return {**JOB, "TrainingJobStatus": "Completed", "CreationTime": 1.0, "LastModifiedTime": 2.0}

    def stop(self) -> None:
        """It has ended."""


class World:
    """boto3's client, the stand-in in this process behind it, and a RecordSet that is encoded."""

    def __init__(self) -> None:
        self.account = Account()
        self.service = SageMaker(self.account)  # type: ignore[arg-type]
        self.calls: list[str] = []
        self.blind: set[str] = set()
        self.client = boto3.client(
            "sagemaker", region_name="us-east-1", aws_access_key_id="role", aws_secret_access_key="x"
        )
        self.client.meta.events.register("before-send.sagemaker", self.answer)
        self.pipeline = Pipeline(FaultyS3(), "bucket")
        self.pipeline.put_array("train/a.npy", np.arange(8, dtype=np.float32).reshape(4, 2))
        self.planned = self.pipeline.train()

    def train(self) -> None:
        jobs: Any = self.service._kind_of["CreateTrainingJob"]
        jobs.items.add(JOB["TrainingJobName"], Job())

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        """Answer a request as the emulator does: IAM first, then the stand-in."""
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        self.calls.append(operation)
        asked = json.loads(request.body)
        denial = self.account.denial(
            "role", f"sagemaker:{operation}", self.service.resource(operation, asked)
        )
        refusal = json.dumps({"__type": "AccessDeniedException", "message": denial}).encode()
        answered = self.service.handle(operation, request.body, "role") if not denial else (400, {}, refusal)
        status, headers, body = answered
        if operation in self.blind:
            self.blind.discard(operation)
            body = json.dumps({name: [] for name in json.loads(body)}).encode()
        answer = AWSResponse(request.url, status, headers, None)
        answer._content = body
        return answer

    def associate(self) -> dict[str, str]:
        settings = Settings.from_dict(self.pipeline.settings)
        return associate(self.client, settings, plan=self.planned, job=JOB)

    def edges(self) -> list[tuple[str, str, str]]:
        listed = self.client.list_associations(SortOrder="Ascending")["AssociationSummaries"]
        return [(one["SourceArn"], one["AssociationType"], one["DestinationArn"]) for one in listed]

    def artifacts(self) -> dict[str, dict[str, Any]]:
        listed = self.client.list_artifacts()["ArtifactSummaries"]
        return {one["ArtifactArn"]: one for one in listed}


@pytest.fixture
def world() -> World:
    world = World()
    world.train()
    return world


def test_the_data_set_leads_to_the_record_set_and_that_to_the_job(world: World) -> None:
    made, artifacts, plan = world.associate(), world.artifacts(), world.planned
    assert world.edges() == [
        (made["data_set"], "DerivedFrom", made["record_set"]),
        (made["record_set"], "ContributedTo", COMPONENT),
    ]
    assert made["trial_component"] == COMPONENT
    data_set, record_set = artifacts[made["data_set"]], artifacts[made["record_set"]]
    key = data_set["Source"]["SourceUri"].removeprefix("s3://bucket/")
    assert world.pipeline.get(key)  # the list of the objects is there
    assert record_set["Source"]["SourceUri"] == f"s3://bucket/{plan['prefix']}"
    for artifact, version in ((data_set, plan["data_set"]), (record_set, plan["fingerprint"])):
        assert artifact["ArtifactType"] == "DataSet"
        assert artifact["Source"]["SourceTypes"] == [{"SourceIdType": "Custom", "Value": version}]
        assert artifact["ArtifactName"].endswith(version)


def test_a_repeated_step_makes_nothing_and_answers_the_same(world: World) -> None:
    first, edges = world.associate(), world.edges()
    world.calls.clear()
    assert world.associate() == first
    assert not {"CreateArtifact", "AddAssociation"} & set(world.calls)
    assert world.edges() == edges
    assert len(world.artifacts()) == 2


def test_what_another_attempt_made_meanwhile_is_taken(world: World) -> None:
    """The first look sees nothing, as in a race: the service then refuses what exists."""
    first, edges = world.associate(), world.edges()
    world.blind = {"ListArtifacts", "ListAssociations"}
    world.calls.clear()
    assert world.associate() == first
    assert {"CreateArtifact", "AddAssociation"} <= set(world.calls)
    assert world.edges() == edges


DENIED = {
    "sagemaker:ListArtifacts": "",
    "sagemaker:CreateArtifact": "artifact/",
    "sagemaker:AddAssociation": "artifact/",
    "sagemaker:ListAssociations": "",
    "sagemaker:ListTrialComponents": "",
}


@pytest.mark.parametrize("action", DENIED)
def test_a_permission_that_is_missing_is_told_and_fails_nothing(
    world: World, action: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.account.denied[action] = DENIED[action]
    (reason,) = world.associate().values()
    assert "AccessDeniedException" in reason
    assert f"role is not authorized to perform: {action}" in reason
    assert reason in caplog.text
    world.account.denied.clear()
    assert world.associate().keys() == {"data_set", "record_set", "trial_component"}


def test_the_trial_component_too_is_a_resource_of_the_association(world: World) -> None:
    world.account.denied["sagemaker:AddAssociation"] = "experiment-trial-component/"
    assert COMPONENT in world.associate()["missing"]
    assert len(world.edges()) == 1


def test_a_job_without_a_trial_component_is_told() -> None:
    world = World()
    assert world.associate() == {"missing": f"SageMaker has no trial component of {JOB['TrainingJobArn']}"}
    assert [kind for _, kind, _ in world.edges()] == ["DerivedFrom"]


def test_an_unknown_end_of_an_association_is_refused(world: World) -> None:
    with pytest.raises(world.client.exceptions.ResourceNotFound, match="does not exist"):
        world.client.add_association(SourceArn=COMPONENT, DestinationArn=f"{COMPONENT}-2")


def test_the_handler_takes_the_steps_event(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "function_client", {"sagemaker": world.client}.__getitem__)
    event = {"pipeline": world.pipeline.settings, "plan": world.planned, "job": JOB}
    assert json.loads(json.dumps(handler.handler(event, None))) == world.associate()


LEFT: list[tuple[Any, str | None]] = [
    ({"data_set": "a", "record_set": "b", "trial_component": "c"}, None),
    ({"missing": "ClientError: denied"}, "ClientError: denied"),
    (
        {"Error": "Sandbox.Timedout", "Cause": '{"errorMessage": "Task timed out"}'},
        "Sandbox.Timedout: Task timed out",
    ),
    (None, None),
]


@pytest.mark.parametrize(("lineage", "reason"), LEFT)
def test_the_event_says_why_it_is_missing(lineage: Any, reason: str | None) -> None:
    package = {"ModelPackageArn": "arn:package", **({"lineage": lineage} if lineage else {})}
    judged = announcement._judged({"package": package, "report": {"uri": "s3://b/r"}})
    assert judged["model_package"] == "arn:package"
    assert judged.get("lineage_missing") == reason
    assert ("lineage_missing" in judged) == (reason is not None)
