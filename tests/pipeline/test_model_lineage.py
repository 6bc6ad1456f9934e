"""From a model back to the versions of the objects that it was trained on."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pipeline_runs import Pipeline

from amazon_estimators.cli import lineage as command
from amazon_estimators.cli.app import run
from amazon_estimators.client.lineage import ModelLineage, lineage_of
from amazon_estimators.errors import RequestError
from amazon_estimators.pipeline.current_model import CurrentModel, metadata_of
from faulty_s3 import FaultyS3

PACKAGE = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/digits/3"
MODEL = "s3://models/deep/models/digits-1/output/model.tar.gz"


class SageMaker:
    """A training job on the RecordSets of a pipeline, and a version of its model."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request
        self.job = "digits-1"

    def describe_training_job(self, *, TrainingJobName: str) -> dict[str, Any]:
        if TrainingJobName != "digits-1":
            raise LookupError(TrainingJobName)
        return {
            "TrainingJobName": "digits-1",
            "TrainingJobArn": "arn:aws:sagemaker:eu-west-1:111122223333:training-job/digits-1",
            "TrainingJobStatus": "Completed",
            "ModelArtifacts": {"S3ModelArtifacts": MODEL},
            "AlgorithmSpecification": {"TrainingImage": "registry/kmeans:1"},
            "HyperParameters": self.request["hyperparameters"],
            "InputDataConfig": self.request["input_data_config"],
        }

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_tags"
        tags = self.request["tags"]
        return SimpleNamespace(paginate=lambda **_: [{"Tags": tags[:2]}, {"Tags": tags[2:]}])

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        model = CurrentModel(job=self.job, model=MODEL, data_set="d")
        return {
            "ModelPackageArn": ModelPackageName,
            "InferenceSpecification": {"Containers": [{"ModelDataUrl": MODEL}]},
            "CustomerMetadataProperties": metadata_of(model) if self.job else {},
        }


class World:
    """A trained model whose input was replaced once before, and once after."""

    def __init__(self) -> None:
        self.s3 = FaultyS3()
        self.pipeline = Pipeline(self.s3, "bucket")
        for rows in (np.zeros((4, 3)), np.eye(3), np.ones((2, 3))):
            if len(rows) == 2:
                self.planned = self.pipeline.train()
            self.pipeline.put_array("train/a.npy", rows.astype(np.float32))
        self.sagemaker = SageMaker(self.planned["request"])

    def client(self, service: str, **_: Any) -> Any:
        return {"s3": self.s3, "sagemaker": self.sagemaker}[service]

    def of(self, model: str) -> ModelLineage:
        return lineage_of(model, session=self)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("model", ["digits-1", MODEL, PACKAGE])
def test_a_model_leads_to_the_versions_it_was_trained_on(world: World, model: str) -> None:
    origin = world.of(model)
    assert (origin.job, origin.model, origin.pipeline) == ("digits-1", MODEL, "Stack/Digits")
    assert origin.execution == "first"
    (channel,) = origin.channels
    assert (channel.channel, channel.records, channel.shards, channel.missing) == ("train", 3, 1, "")
    assert (channel.fingerprint, channel.data_set) == (
        world.planned["fingerprint"],
        world.planned["data_set"],
    )
    assert channel.objects is not None
    (entry,) = channel.objects
    assert entry.uri == "s3://bucket/input/train/a.npy"
    versions = dict(world.s3.objects["input/train/a.npy"])
    assert len(versions) == 3
    assert entry.version_id is not None
    assert len(versions[entry.version_id]) == entry.size
    whole = json.loads(json.dumps(origin.facts()))
    assert whole["channels"][0]["objects"][0]["version_id"] == entry.version_id


@pytest.mark.parametrize(
    ("lost", "missing"),
    [
        (r"datasets/", "and there is no s3://bucket/datasets/"),
        (r"record_set\.json$", "it expired, was deleted"),
    ],
)
def test_what_is_gone_is_said(world: World, lost: str, missing: str) -> None:
    for key in [key for key in world.s3.objects if re.search(lost, key)]:
        del world.s3.objects[key]
    (channel,) = world.of("digits-1").channels
    assert missing in channel.missing
    assert channel.objects is None


def test_a_copied_record_set_has_no_list_beside_it(world: World) -> None:
    (config,) = world.sagemaker.request["input_data_config"]
    source = config["DataSource"]["S3DataSource"]
    root = source["S3Uri"].removeprefix("s3://bucket/").removesuffix(".amazon.manifest")
    world.s3.put("copy/record_set.json", world.pipeline.get(f"{root}record_set.json"))
    source["S3Uri"] = "s3://bucket/copy/.amazon.manifest"
    (channel,) = world.of("digits-1").channels
    assert "was copied" in channel.missing
    assert channel.records == 3


@pytest.mark.parametrize(("model", "job"), [("s3://models/model.tar.gz", "digits-1"), (PACKAGE, "")])
def test_a_model_that_names_no_job_is_refused(world: World, model: str, job: str) -> None:
    world.sagemaker.job = job
    with pytest.raises(RequestError, match="Give the training job's name"):
        world.of(model)


def test_the_command_prints_the_chain(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "session_of_options", lambda *_: world)
    assert run(["lineage", MODEL]) == 0
    shown = capsys.readouterr().out
    parts = [MODEL, "digits-1", "channel train", world.planned["data_set"], "input/train/a.npy  version v1"]
    places = [shown.index(part) for part in parts]
    assert places == sorted(places)
    assert run(["lineage", "digits-1", "--objects", "0"]) == 0
    assert "… and 1 more" in capsys.readouterr().out
    assert run(["lineage", "digits-1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["channels"][0]["data_set"] == world.planned["data_set"]
