"""``verify --on-aws``: each call fits botocore's model, and the emulator's TestState answers as recorded."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from account import REGION, response
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from emulator_modules import set_request_region, stepfunctions
from record import PLACE
from scenarios import SCENARIOS

from amazon_estimators.cli import main
from amazon_estimators.verification.on_aws import differences, verify
from amazon_estimators.verification.recorded import Recorded

RECORDED = Recorded.load()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The calls of TestState, which botocore has checked; the emulator answers them in this process."""
    made: list[dict[str, Any]] = []

    def send(_: Any, request: Any) -> Any:
        assert request.headers["X-Amz-Target"] == b"AWSStepFunctions.TestState"
        made.append(json.loads(request.body))
        set_request_region(REGION)
        status, headers, body = answer(made[-1])
        return response(request, status, headers, body)

    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr(URLLib3Session, "send", send)
    return made


def answer(asked: dict[str, Any]) -> Any:
    """Answer as the emulator does, but for two faults of it.

    It looks at Catch before Retry: "When a state has both Retry and Catch fields, Step Functions uses any
    appropriate retriers first". And it drops the context object's State.
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    text = asked["definition"].replace("$$.State.", "$$.Execution.State.")
    asked = {**asked, "definition": text}
    if "context" in asked:
        context = json.loads(asked["context"])
        context["Execution"]["State"] = context["State"]
        asked["context"] = json.dumps(context)
    definition = json.loads(asked["definition"])
    state = definition["States"].get(asked["stateName"], {})
    if "Retry" in state and state.pop("Catch", None):
        retried = stepfunctions._test_state({**asked, "definition": json.dumps(definition)})
        if json.loads(retried[2]).get("status") == "RETRIABLE":
            return retried
    return stepfunctions._test_state(asked)


def client() -> Any:
    return boto3.client("stepfunctions", region_name=REGION)


def changed(**values: Any) -> Recorded:
    """One recorded step with other values."""
    step = next(step for step in RECORDED.steps if step.state == "Train" and step.status == "SUCCEEDED")
    return Recorded(RECORDED.definitions, [replace(step, **values)])


def test_every_step_is_answered_as_recorded(calls: list[dict[str, Any]]) -> None:
    """The emulator's waits alone differ: its TestState does not know MaxDelaySeconds either."""
    verified = [*verify(client(), RECORDED)]
    assert len(calls) == len(RECORDED.steps) > 300
    told = [(one.step.status, text) for one in verified for text in one.differences]
    assert all(status == "RETRIABLE" and text.startswith("the wait") for status, text in told), told
    assert all(one.step.wait in {10.0, 30.0, 60.0, 300.0} for one in verified if one.differences)


def test_a_context_comes_with_a_mock_only(calls: list[dict[str, Any]]) -> None:
    """As AWS documents it; a mock is for a state that calls something."""
    [*verify(client(), RECORDED)]
    for call in calls:
        kind = json.loads(call["definition"])["States"][call["stateName"]]["Type"]
        assert ("context" in call) == ("mock" in call) == (kind == "Task")
        assert "roleArn" not in call


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"output": [{}]}, "output.input is {}, not missing"),
        ({"next": "Done"}, "nextState is 'Report', not 'Done'"),
        ({"status": "FAILED"}, "status is 'SUCCEEDED', not 'FAILED'"),
        ({"parameters": [{}]}, "afterParameters.ResourceConfig is"),
        ({"error": "Other", "cause": "", "result": None}, "status is 'CAUGHT_ERROR', not 'SUCCEEDED'"),
        ({"state": "Nowhere"}, "AWS refuses to run it: State 'Nowhere' not found in definition"),
    ],
)
def test_what_aws_does_otherwise_is_told(
    calls: list[dict[str, Any]], values: dict[str, Any], told: str
) -> None:
    (one,) = verify(client(), changed(**values))
    assert one.differences[0].startswith(told)


def test_a_longer_wait_is_told() -> None:
    step = next(step for step in RECORDED.steps if step.status == "RETRIABLE" and step.wait == 2)
    inspected = {"errorDetails": {"retryBackoffIntervalSeconds": int(step.wait or 0) + 1}}
    answered = {"status": "RETRIABLE", "error": step.error, "cause": step.cause, "inspectionData": inspected}
    assert [*differences(step, answered)] == ["the wait before the retry is 3 seconds, not at most 2"]


def test_a_caller_without_permission_is_told() -> None:
    def test_state(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "TestState")

    with pytest.raises(ClientError, match="AccessDenied"):
        next(verify(SimpleNamespace(test_state=test_state), RECORDED))


def test_the_record_is_of_all_machines_and_scenarios() -> None:
    assert RECORDED.to_bytes() == PLACE.read_bytes()
    assert set(RECORDED.definitions) == {scenario.machine for scenario in SCENARIOS.values()}
    assert {step.execution for step in RECORDED.steps} <= set(SCENARIOS)
    for machine, definition in RECORDED.definitions.items():
        tasks = {name for name, state in definition["States"].items() if state["Type"] == "Task"}
        assert {step.state for step in RECORDED.steps if step.machine == machine} & tasks


def test_the_command(
    calls: list[dict[str, Any]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["verify", "--json"]) == 2
    assert calls == []
    assert "--on-aws" in json.loads(capsys.readouterr().out)["message"]
    monkeypatch.setattr(Recorded, "load", changed)
    assert main(["verify", "--on-aws"]) == 0
    assert capsys.readouterr().out == "train: 1 states, 0 differ\n"
    monkeypatch.setattr(Recorded, "load", lambda: changed(next="Done"))
    assert main(["verify", "--on-aws", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "steps": 1,
        "differences": [
            {
                "machine": "train",
                "execution": "trains",
                "state": "Train",
                "differences": ["nextState is 'Report', not 'Done'"],
            }
        ],
    }
    assert main(["verify", "--on-aws"]) == 1
    assert "train, trains: Train\n  nextState is 'Report'" in capsys.readouterr().out
