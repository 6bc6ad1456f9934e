"""One message of the queue: retried later each time, then set aside with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starter_world import Crash, World

from amazon_estimators.pipeline.keys import attempts_key
from amazon_estimators.triggers.attempts import Attempts
from amazon_estimators.triggers.inbox import CRASHES, work_on
from quiet import no_logs


class Queue:
    """What the starter does with SQS."""

    def __init__(self) -> None:
        self.dead: list[dict[str, Any]] = []
        self.delays: list[int] = []

    def send_message(self, **letter: Any) -> None:
        assert letter["QueueUrl"] == "https://dead-letters"
        self.dead.append(letter)

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:
        assert (QueueUrl, ReceiptHandle) == ("https://queue", "r")
        self.delays.append(VisibilityTimeout)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The log of these tests holds halves of characters, which pytest's workers cannot hand over."""
    with no_logs():
        yield


def record(message: Any, tries: int = 1) -> dict[str, Any]:
    return {
        "messageId": "m",
        "receiptHandle": "r",
        "body": message if isinstance(message, str) else json.dumps(message),
        "attributes": {"ApproximateReceiveCount": str(tries)},
    }


def deliver(world: World, queue: Queue, message: dict[str, Any]) -> bool:
    attempts = Attempts(world.s3, "bucket", world.prefix)
    return work_on(message, world.starter(), queue, attempts, world.settings)


def test_what_fails_comes_back_later_each_time_and_then_is_handled() -> None:
    world, queue = World(), Queue()
    message = world.batch("a.csv")
    world.faults.outage["start_execution"] = 2
    for tries in (1, 2):
        assert not deliver(world, queue, record(message, tries))
    assert queue.delays == [15, 60]
    assert world.names == []
    assert deliver(world, queue, record(message, 3))
    assert len(world.names) == 1
    assert queue.dead == []


def test_the_third_failure_sets_it_aside_unchanged_with_its_reason_and_the_next_is_handled() -> None:
    world, queue = World(), Queue()
    message, other = world.batch("a.csv"), world.batch("b.csv")
    world.faults.outage["list_object_versions"] = 3
    assert [deliver(world, queue, record(message, tries)) for tries in (1, 2, 3)] == [False, False, True]
    (letter,) = queue.dead
    assert json.loads(letter["MessageBody"]) == message
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes["error"] == "ConnectionError"
    assert attributes["reason"] == "list_object_versions failed"
    assert attributes["pipeline"] == "Stack/Digits"
    assert deliver(world, queue, record(other))
    assert world.trained_on(world.names[0]) == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        "[]",
        '{"trigger": "unheard of"}',
        "[" * 5_000,
        '{"a":' * 5_000,
        '{"trigger": "marker"}',
        '{"trigger": ["marker"]}',
        '{"trigger": "\\ud800\\u0000"}',
        '{"trigger": "request", "retrain": "\\ud800"}',
        '{"trigger": "request", "reason": 5}',
        '{"trigger": "request", "retrain": []}',
        '{"trigger": "schedule", "time": "t", "retrain_unchanged": "false"}',
        '{"trigger": "schedule", "time": "\\udfff", "retrain_unchanged": true}',
        '{"trigger": "quiet", "name": "q", "number": NaN, "end": "2026-03-01T12:00:00Z"}',
        '{"trigger": "quiet", "name": "q", "number": 1e999, "end": "2026-03-01T12:00:00Z"}',
        '{"trigger": "quiet", "name": "q", "number": 4102444800, "end": "2026-03-01T12:00:00Z"}',
        '{"trigger": "upload", "name": "a b", "quiet_seconds": 5, "time": "2026-03-01T12:00:00Z"}',
        '{"trigger": "upload", "name": "q", "quiet_seconds": true, "time": "2026-03-01T12:00:00Z"}',
        '{"trigger": "missed", "prefixes": ["input/train/"], "name": "q"}',
        '{"trigger": "missed", "prefixes": ["\\ud800"], "name": "q", "quiet_seconds": 5}',
        '{"trigger": "deployed", "listener": "\\ud800", "prefixes": [], "marker": "m"}',
        '{"trigger": "ended", "execution": "x", "status": "RUNNING"}',
        '{"trigger": "marker", "time": "0001-01-01T00:00:00+23:00"}',
    ],
    ids=lambda body: body[:20],
)
def test_poison_is_set_aside_at_once(body: str) -> None:
    world, queue = World(), Queue()
    assert deliver(world, queue, record(body))
    assert [letter["MessageBody"] for letter in queue.dead] == [body]
    assert queue.delays == []
    reason = queue.dead[0]["MessageAttributes"]["reason"]["StringValue"]
    assert 0 < len(reason.encode()) < 2_000
    assert world.names == []


def test_a_reason_that_sqs_would_refuse_is_sent_without_its_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"""
    world, queue = World(), Queue()

    def fails(operation: str, act: Any) -> Any:
        raise OSError("a\x00b\ud800c\uffffd\n\u00e9")

    marker = record(world.marker(), 3)
    monkeypatch.setattr(world.faults, "call", fails)  # S3 does not tell the attempts either
    assert deliver(world, queue, marker)
    assert queue.dead[0]["MessageAttributes"]["reason"]["StringValue"] == "a?b?c?d\n\u00e9"


def test_a_delivery_that_lambda_throttles_is_no_attempt() -> None:
    """It comes again with a higher receive count; the starter has not seen it."""
    world, queue = World(), Queue()
    message = world.batch("a.csv")
    world.faults.outage["start_execution"] = 2
    assert [deliver(world, queue, record(message, tries)) for tries in (7, 300, 999)] == [False, False, True]
    assert queue.delays == [15, 60]
    assert queue.dead == []
    assert len(world.names) == 1


def test_the_attempts_of_one_message_are_not_those_of_the_next() -> None:
    world, queue = World(), Queue()
    first, second = world.batch("a.csv"), world.batch("b.csv")
    world.faults.outage["start_execution"] = 3
    assert [deliver(world, queue, record(first, tries)) for tries in (1, 2, 3)] == [False, False, True]
    world.faults.outage["start_execution"] = 1
    assert not deliver(world, queue, record(second, 5) | {"messageId": "n"})
    assert len(queue.dead) == 1


def test_a_message_that_keeps_ending_the_process_is_set_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, queue = World(), Queue()
    marker = world.marker()

    def ends(starter: Any, message: Any) -> None:
        raise Crash

    monkeypatch.setattr(type(world.starter()), "handle", ends)
    runs = 0
    for tries in range(1, 1_000):
        try:
            assert deliver(world, queue, record(marker, tries))
            break
        except Crash:
            runs += 1
    # The first of them is not recorded.
    assert runs == world.settings.attempts + CRASHES + 1
    (letter,) = queue.dead
    assert letter["MessageAttributes"]["error"]["StringValue"] == "RepeatedCrashError"
    assert "its log says how" in letter["MessageAttributes"]["reason"]["StringValue"]


@pytest.mark.parametrize("damage", ["outage", "no JSON", "another", "huge"])
def test_without_a_record_every_delivery_is_an_attempt(damage: str) -> None:
    world, queue = World(), Queue()
    marker = world.marker()
    contents = {"no JSON": b"{", "another": b"[1]", "huge": b" " * 5_000}
    if damage in contents:
        world.s3.write(attempts_key(""), contents[damage])
    else:
        world.faults.outage["put_object"] = 1_000
    world.faults.outage["list_object_versions"] = 1
    assert deliver(world, queue, record(marker, 3))
    assert len(queue.dead) == 1
