"""Batches from the queue: retried in order, later each time, then set aside with the reason."""

from __future__ import annotations

import json
from typing import Any

from starter_world import World

from amazon_estimators.triggers.inbox import work_through


class Queue:
    """What the starter does with SQS."""

    def __init__(self) -> None:
        self.dead: list[dict[str, Any]] = []
        self.delays: dict[str, int] = {}

    def send_message(self, **letter: Any) -> None:
        assert letter["QueueUrl"] == "https://dead-letters"
        self.dead.append(letter)

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:
        assert QueueUrl == "https://queue"
        self.delays[ReceiptHandle] = VisibilityTimeout


def records(*messages: Any, tries: int = 1) -> list[dict[str, Any]]:
    return [
        {
            "messageId": f"m{number}",
            "receiptHandle": f"r{number}",
            "body": message if isinstance(message, str) else json.dumps(message),
            "attributes": {"ApproximateReceiveCount": str(tries)},
        }
        for number, message in enumerate(messages)
    ]


def test_what_fails_comes_back_with_all_behind_it_and_later_each_time() -> None:
    world, queue = World(), Queue()
    first, second = world.batch("a.csv"), world.batch("b.csv")
    for tries, delay in ((1, 15), (2, 60)):
        world.machine.failures = 1
        starter = world.starter()
        failed = work_through(records(first, second, tries=tries), starter, queue, world.settings)
        assert failed == [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]
        assert queue.delays == {"r0": delay, "r1": delay}
    assert world.names == []
    assert work_through(records(first, second, tries=3), world.starter(), queue, world.settings) == []
    assert len(world.names) == 1
    assert queue.dead == []


def test_the_third_failure_sets_it_aside_unchanged_with_its_reason_and_the_next_is_handled() -> None:
    world, queue = World(), Queue()
    message, other = world.batch("a.csv"), world.batch("b.csv")
    world.machine.failures = 1
    assert work_through(records(message, other, tries=3), world.starter(), queue, world.settings) == []
    (letter,) = queue.dead
    assert json.loads(letter["MessageBody"]) == message
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes["error"] == "ConnectionError"
    assert attributes["reason"] == "StartExecution failed"
    assert attributes["pipeline"] == "Stack/Digits"
    assert world.trained_on(world.names[0]) == ["a.csv", "b.csv"]


def test_what_failed_half_way_leaves_no_trace_in_what_the_next_message_meets() -> None:
    world, queue = World(), Queue()
    world.machine.failures = 1
    alarm = {
        "trigger": "alarm",
        "alarm": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:drift",
        "cool_down_seconds": 3600,
        "time": world.clock.now.isoformat(),
        "event": "e1",
    }
    world.upload("a.csv")
    again = {**alarm, "event": "e2", "time": "2026-03-01T12:10:00Z"}
    work_through(records(alarm, again, tries=3), world.starter(), queue, world.settings)
    assert len(queue.dead) == 1
    (execution_input,) = world.machine.inputs.values()
    assert "12:10" in execution_input["reason"]


def test_poison_is_set_aside_at_once() -> None:
    world, queue = World(), Queue()
    good = world.batch("a.csv")
    poison = records("no json", "[]", {"trigger": "unheard of"}, good)
    assert work_through(poison, world.starter(), queue, world.settings) == []
    assert [one["MessageBody"] for one in queue.dead] == ["no json", "[]", '{"trigger": "unheard of"}']
    assert len(world.names) == 1
