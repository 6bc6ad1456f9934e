"""``models``, ``approve``, ``reject``, ``rollback`` on the registry of the stand-in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from amazon_estimators.cli import models as commands
from amazon_estimators.cli.app import run
from amazon_estimators.client.pipeline import registry_group
from amazon_estimators.client.registry import ModelRegistry
from amazon_estimators.pipeline.current_model import CurrentModel, approved_model, metadata_of
from amazon_estimators_rehearsal.certificate import CERTIFICATE
from amazon_estimators_rehearsal.server import emulator

STATUSES = ("Approved", "PendingManualApproval", "Approved", "PendingManualApproval")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    directory = tmp_path_factory.mktemp("emulator")
    with emulator(directory) as endpoint:
        options = {
            "endpoint_url": endpoint,
            "verify": str(directory / CERTIFICATE),
            "region_name": "us-east-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
        yield SimpleNamespace(client=lambda service, **_: boto3.client(service, **options))


@pytest.fixture
def registry(session: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModelRegistry:
    """A group of four versions, of which 1 and 3 are approved, behind the commands."""
    sagemaker, group = session.client("sagemaker"), f"group-{abs(hash(request.node.name))}"
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    for number, status in enumerate(STATUSES, start=1):
        model = CurrentModel(job=f"job-{number}", model="s3://m/a", data_set="d", metrics={"test:mse": 1.5})
        sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [{"Image": "image", "ModelDataUrl": "s3://m/a"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            CustomerMetadataProperties=metadata_of(model),
        )
    made = ModelRegistry(group, session=session)
    pipeline = SimpleNamespace(
        registry=lambda: made,
        model_in_use=lambda: approved_model(sagemaker, group),
        settings={"pipeline": "Stack/Digits"},
    )
    monkeypatch.setattr(commands, "find", lambda **_: pipeline)
    return made


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert run([*arguments, "--stack", "Digits", "--json"]) == code
    return json.loads(capsys.readouterr().out)


def current(registry: ModelRegistry) -> int | None:
    found = registry.current()
    return None if found is None else found.version


def test_models_are_listed_newest_first_with_the_one_in_use(
    registry: ModelRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    found = said(capsys, "models")
    assert [one["version"] for one in found["models"]] == [4, 3, 2, 1]
    assert found["current"] == found["models"][1]["model_package"]
    assert found["models"][0] | {"job": "job-4", "metrics": {"test:mse": 1.5}} == found["models"][0]
    assert run(["models", "--stack", "Digits"]) == 0
    assert "3 *" in capsys.readouterr().out


def test_approving_uses_the_newest_that_is_pending(
    registry: ModelRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    found = said(capsys, "approve", "--reason", "checked")
    assert found["current"]["version"] == 4 == current(registry)


def test_an_older_version_that_is_approved_is_not_in_use(
    registry: ModelRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, "approve", "--version", "2")["current"]["version"] == 3


def test_rejecting_the_model_in_use_or_another(
    registry: ModelRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, "reject")["current"]["version"] == 3
    assert registry.models()[0].status == "Rejected"
    assert said(capsys, "reject", "--version", "3")["current"]["version"] == 1
    assert said(capsys, "reject", "--version", "1")["current"] is None


def test_rolling_back_until_there_is_nothing_left(
    registry: ModelRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, "rollback")["current"]["version"] == 1
    failed = said(capsys, "rollback", code=1)
    assert failed["error"] == "RequestError"
    assert "has 1 approved versions" in failed["message"]
    assert current(registry) == 1


def test_a_version_that_does_not_exist(registry: ModelRegistry, capsys: pytest.CaptureFixture[str]) -> None:
    failed = said(capsys, "approve", "--version", "9", code=1)
    assert "has no version 9; there are 4, 3, 2, 1" in failed["message"]


def test_a_pipeline_without_a_registry(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = CurrentModel(job="job-1", model="s3://m/a", data_set="d")
    pipeline = SimpleNamespace(
        registry=lambda: None, model_in_use=lambda: model, settings={"pipeline": "Stack/Digits"}
    )
    monkeypatch.setattr(commands, "find", lambda **_: pipeline)
    assert said(capsys, "models")["current"] == "job-1"
    failed = said(capsys, "approve", code=1)
    assert failed["message"] == "the models of Stack/Digits are not registered"
    assert "registration=Registration()" in failed["remedy"]


def test_the_group_is_read_from_the_definition() -> None:
    task = {
        "Resource": "arn:aws-cn:states:::aws-sdk:sagemaker:createModelPackage",
        "Parameters": {"ModelPackageGroupName": "digits"},
    }
    assert registry_group({"States": {"Register": task}}) == "digits"
    assert registry_group({"States": {"Train": {**task, "Resource": "other"}}}) is None
