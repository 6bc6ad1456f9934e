"""AWS's own errors on the command line: as ours, with the way out, and as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore import exceptions

from amazon_estimators.cli import main
from amazon_estimators.cli.aws_errors import BY_CLASS, BY_CODE, as_ours
from amazon_estimators.errors import RequestError, ServiceError
from amazon_estimators_rehearsal.environment import ACCOUNT, REGION
from amazon_estimators_rehearsal.platform import Platform

MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:none"
LISTS = "amazon-estimators status lists"


@pytest.fixture
def in_account(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """A user's environment that selects the local account."""
    for name, value in platform.environment().items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return platform


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, str]:
    """The JSON of a command that fails."""
    assert main([*arguments, "--json"]) == 1
    error: dict[str, str] = json.loads(capsys.readouterr().out)
    return error


@pytest.mark.parametrize(
    ("arguments", "message", "remedy"),
    [
        (
            ["status", "--stack", "none"],
            "does not exist",
            LISTS,
        ),
        (
            ["logs", "--state-machine", MACHINE],
            "(StateMachineDoesNotExist)",
            LISTS,
        ),
        (["inspect", "s3://no-such-bucket-at-all/x/.amazon.manifest"], "(NoSuchBucket)", "Check the URI"),
    ],
)
def test_what_does_not_exist(
    arguments: list[str],
    message: str,
    remedy: str,
    in_account: Platform,
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = failed(capsys, *arguments)
    assert error["error"] in ("RequestError", "RecordSetError")
    assert message in error["message"]
    assert error["remedy"].startswith(remedy) or remedy in error["remedy"]


def test_an_execution_that_does_not_exist_and_a_name_that_is_taken(
    in_account: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a state machine that has the settings of a pipeline in its definition."""
    settings = {
        "pipeline": "Mine/Digits",
        "algorithm": "KMeans",
        "hyperparameters": {"k": "3"},
        "data_bucket": "data",
        "channels": {"train": {}},
        "instance_type": "ml.m5.large",
        "instance_count": 1,
    }
    states = {"Wait": {"Type": "Pass", "Result": settings, "End": True}}
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = in_account.client("iam").create_role(
        RoleName="errors",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    machine = in_account.client("stepfunctions").create_state_machine(
        name="errors",
        definition=json.dumps({"StartAt": "Wait", "States": states}),
        roleArn=role["Role"]["Arn"],
    )["stateMachineArn"]
    error = failed(capsys, "status", "--state-machine", machine, "--execution", "none")
    assert error["error"] == "RequestError" and "(ExecutionDoesNotExist)" in error["message"]
    assert error["remedy"].startswith("Leave --execution out for the newest")
    assert main(["start", "--state-machine", machine, "--name", "first", "k=4"]) == 0
    capsys.readouterr()
    error = failed(capsys, "start", "--state-machine", machine, "--name", "first", "k=5")
    assert error["error"] == "RequestError" and "(ExecutionAlreadyExists)" in error["message"]
    assert "choose another --name" in error["remedy"]


def test_no_credentials(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    error = failed(capsys, "status", "--region", "us-east-1")
    assert error["error"] == "RequestError" and "credentials" in error["message"]
    assert error["remedy"].startswith("Sign in")
    assert main(["status", "--profile", "none"]) == 1
    assert "aws configure list-profiles" in capsys.readouterr().err


def client_error(code: str, text: str = "text") -> exceptions.ClientError:
    return exceptions.ClientError({"Error": {"Code": code, "Message": text}}, "Operation")


@pytest.mark.parametrize("code", BY_CODE)
def test_every_code_keeps_its_text_and_has_a_way_out(code: str) -> None:
    ours: Any = as_ours(client_error(code))
    assert ours.message == f"Operation: text ({code})" and ours.remedy
    assert type(ours) is BY_CODE[code][0]


@pytest.mark.parametrize("name", BY_CLASS)
def test_every_class_is_one_of_botocore(name: str) -> None:
    assert issubclass(getattr(exceptions, name), exceptions.BotoCoreError)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Stack with id None does not exist", RequestError),
        ("Requested resource not found.", RequestError),
        ("1 validation error detected", ServiceError),
    ],
)
def test_a_validation_error_is_told_by_its_text(text: str, kind: type) -> None:
    ours: Any = as_ours(client_error("ValidationException", text))
    assert text in ours.message and type(ours) is kind


def test_what_is_not_of_aws_is_not_ours() -> None:
    assert as_ours(KeyError("x")) is None
