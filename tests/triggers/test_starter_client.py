"""The starter from outside: requests that no queue drops, dead letters that are shown and moved back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import Session
from botocore.stub import ANY, Stubber

from amazon_estimators.client.starter import GROUP, PipelineStarter
from amazon_estimators.errors import RequestError

MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:Digits"
STARTER = {
    "state_machine": MACHINE,
    "queue_url": "https://queue",
    "queue": "arn:aws:sqs:eu-west-1:111122223333:starter.fifo",
    "dead_letters": "https://dead",
}
DEAD = "arn:aws:sqs:eu-west-1:111122223333:dead.fifo"
LETTER = {
    "MessageId": "m1",
    "ReceiptHandle": "r1",
    "Body": '{"trigger": "request"}',
    "MessageAttributes": {
        "error": {"StringValue": "ClientError", "DataType": "String"},
        "reason": {"StringValue": "AccessDenied", "DataType": "String"},
        "failed_at": {"StringValue": "2026-03-01T12:00:00+00:00", "DataType": "String"},
    },
}


class Account:
    """A session whose clients are stubbed: what is sent is checked against the services' own models."""

    def __init__(self) -> None:
        session = Session()
        session.set_credentials("a", "b")
        self.clients = {
            name: session.create_client(name, region_name="eu-west-1") for name in ("sqs", "lambda")
        }
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def client(self, name: str, **_: Any) -> Any:
        return self.clients[name]

    def functions(self, *environments: dict[str, str]) -> None:
        named = {"FunctionName": "f", "FunctionArn": "arn:aws:lambda:us-east-1:1:function:f"}
        listed = [{**named, "Environment": {"Variables": one}} for one in environments]
        self.stubs["lambda"].add_response("list_functions", {"Functions": [{"FunctionName": "g"}, *listed]})


@pytest.fixture
def account() -> Iterator[Account]:
    found = Account()
    yield found
    for stub in found.stubs.values():
        stub.assert_no_pending_responses()


def starter(account: Account) -> PipelineStarter:
    other = {**STARTER, "state_machine": f"{MACHINE}Other"}
    account.functions({"STARTER": json.dumps(other)}, {"STARTER": json.dumps(STARTER)})
    return PipelineStarter(MACHINE, session=account)


def test_a_pipeline_without_a_starter_is_told_so(account: Account) -> None:
    account.functions({})
    with pytest.raises(RequestError, match="no function of this region starts"):
        PipelineStarter(MACHINE, session=account)


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({}, {"trigger": "request"}),
        ({"reason": "nightly"}, {"trigger": "request", "reason": "nightly"}),
        ({"retrain": "new image"}, {"trigger": "request", "retrain": "new image"}),
    ],
)
def test_two_equal_requests_are_two_messages(
    account: Account, given: dict[str, str], body: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = starter(account)
    sent = []
    account.clients["sqs"].meta.events.register(
        "provide-client-params.sqs.SendMessage", lambda params, **_: sent.append(dict(params))
    )
    for _ in range(2):
        account.stubs["sqs"].add_response(
            "send_message",
            {"MessageId": "m"},
            {
                "QueueUrl": "https://queue",
                "MessageBody": json.dumps(body),
                "MessageGroupId": GROUP,
                "MessageDeduplicationId": ANY,
            },
        )
        found.request(**given)
    ids = {one["MessageDeduplicationId"] for one in sent}
    assert len(ids) == 2


def test_dead_letters_are_shown_and_stay(account: Account) -> None:
    found = starter(account)
    sqs = account.stubs["sqs"]
    crashed = {"MessageId": "m2", "ReceiptHandle": "r2", "Body": "[]"}
    sqs.add_response("receive_message", {"Messages": [LETTER, crashed]})
    sqs.add_response("receive_message", {})
    for handle in ("r1", "r2"):
        expected = {"QueueUrl": "https://dead", "ReceiptHandle": handle, "VisibilityTimeout": 0}
        sqs.add_response("change_message_visibility", {}, expected)
    first, second = found.dead_letters()
    assert (first.body, first.error, first.reason) == (LETTER["Body"], "ClientError", "AccessDenied")
    assert (second.body, second.error) == ("[]", "")


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED"])
def test_dead_letters_are_moved_to_the_queue_by_name(account: Account, status: str) -> None:
    """SQS does not know the source of a message that the starter itself put there."""
    found = starter(account)
    sqs = account.stubs["sqs"]
    sqs.add_response("get_queue_attributes", {"Attributes": {"QueueArn": DEAD}})
    sqs.add_response(
        "start_message_move_task",
        {"TaskHandle": "t"},
        {"SourceArn": DEAD, "DestinationArn": STARTER["queue"]},
    )
    sqs.add_response("list_message_move_tasks", {"Results": [{"Status": "RUNNING"}]})
    result = {"Status": status, "ApproximateNumberOfMessagesMoved": 3, "FailureReason": "AccessDenied"}
    sqs.add_response("list_message_move_tasks", {"Results": [result]})
    if status == "COMPLETED":
        assert found.redrive(poll_seconds=0) == 3
    else:
        with pytest.raises(RequestError, match="AccessDenied"):
            found.redrive(poll_seconds=0)
