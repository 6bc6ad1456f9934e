"""What the custom resource does with the stack, and that CloudFormation always has its answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from fake_sagemaker import SETTINGS, FakeSageMaker

from amazon_estimators.serving.deploy import deploy
from amazon_estimators.serving.lifecycle import answer, live

PROPERTIES = {
    "name": "online",
    "state_machine": "arn:aws:states:us-east-1:000000000000:stateMachine:m",
    "retain": "false",
    "settings": "{}",
}


class Started:
    """Step Functions: the executions that were started."""

    def __init__(self) -> None:
        self.inputs: list[dict[str, Any]] = []

    def start_execution(self, **request: Any) -> None:
        assert request["stateMachineArn"] == PROPERTIES["state_machine"]
        self.inputs.append(json.loads(request["input"]))


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResourceProperties": PROPERTIES | more,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Lifecycle",
        "PhysicalResourceId": "online",
    }


def in_service() -> FakeSageMaker:
    sagemaker = FakeSageMaker()
    attempt: dict[str, Any] = {}
    for _ in range(2):
        sagemaker.train()
        for _ in range(4):
            attempt = deploy(None, sagemaker, SETTINGS, attempt, 0)
            sagemaker.advance()
    assert sagemaker.serving is not None
    assert len(sagemaker.made["model"]) == 2
    return sagemaker


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_deployed_stack_deploys_to_the_endpoint(kind: str) -> None:
    started = Started()
    assert live(started, None, event(kind)) == "online"
    assert started.inputs == [{"reason": f"stack {kind.lower()}"}]


def test_a_deleted_stack_deletes_the_endpoint_then_what_it_used() -> None:
    sagemaker, slept = in_service(), []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        sagemaker.advance()

    assert live(Started(), sagemaker, event("Delete"), sleep) == "online"
    assert sagemaker.endpoint is None
    assert sagemaker.made == {"model": {}, "endpoint_config": {}}
    assert slept


def test_an_update_in_progress_is_waited_for() -> None:
    sagemaker = in_service()
    assert sagemaker.endpoint is not None
    sagemaker.endpoint["EndpointStatus"] = "Updating"
    sagemaker.pending = sagemaker.endpoint["EndpointConfigName"]
    live(Started(), sagemaker, event("Delete"), lambda _: sagemaker.advance())
    assert sagemaker.endpoint is None


def test_a_retained_endpoint_stays() -> None:
    sagemaker = in_service()
    live(Started(), sagemaker, event("Delete", retain="true"))
    assert sagemaker.serving is not None
    assert len(sagemaker.made["endpoint_config"]) == 2


def test_without_any_model_there_is_nothing_to_delete() -> None:
    sagemaker = FakeSageMaker()
    live(Started(), sagemaker, event("Delete"))
    assert sagemaker.endpoint is None


@pytest.fixture
def cloudformation() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address that takes answers, and the answers."""
    answers: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", answers
    server.shutdown()
    server.server_close()


def test_cloudformation_is_answered(cloudformation: tuple[str, list[dict[str, Any]]]) -> None:
    url, answers = cloudformation
    answer({**event("Create"), "ResponseURL": url}, lambda: "online")
    (told,) = answers
    assert (told["Status"], told["PhysicalResourceId"]) == ("SUCCESS", "online")
    assert (told["StackId"], told["RequestId"], told["LogicalResourceId"]) == (
        "stack",
        "request",
        "Lifecycle",
    )


def test_a_failure_is_told_with_its_reason(cloudformation: tuple[str, list[dict[str, Any]]]) -> None:
    url, answers = cloudformation

    def act() -> str:
        raise PermissionError("the role may not")

    request = {**event("Create"), "ResponseURL": url}
    del request["PhysicalResourceId"]
    answer(request, act)
    (told,) = answers
    assert (told["Status"], told["Reason"]) == ("FAILED", "the role may not")
    assert told["PhysicalResourceId"] == "online"
