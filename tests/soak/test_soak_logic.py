"""The soak's own logic, without a deployment: its verdict finds what is wrong, its actor does all."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from actor import Actor
from verdict import Change, Training, problems

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


CHANGES = [  # of each key, the newest first
    Change("a", None, at(30)),
    Change("a", "a1", at(0)),
    Change("b", "b2", at(20)),
    Change("b", "b1", at(10)),
]
FIRST = Training("first", at(11), at(15), "SUCCEEDED", "d1", frozenset({("a", "a1"), ("b", "b1")}), 1)
SECOND = Training("second", at(21), at(25), "FAILED", "d2", frozenset({("a", "a1"), ("b", "b2")}), 0)
THIRD = Training("third", at(31), at(35), "SUCCEEDED", "d3", frozenset({("b", "b2")}), 1)
FINE = [FIRST, SECOND, THIRD]


def test_a_history_that_keeps_the_promises_has_no_problems() -> None:
    assert problems(CHANGES, FINE) == []
    assert problems([], []) == []


@pytest.mark.parametrize(
    ("trainings", "problem"),
    [
        ([FIRST, SECOND], "the current input is not what was trained last"),
        ([THIRD, replace(FIRST, began=at(36), ended=at(37)), replace(THIRD, began=at(40))], "older data"),
        ([FIRST, SECOND, replace(THIRD, content=frozenset({("b", "b1")}))], "never lay there"),
        ([FIRST, SECOND, replace(THIRD, content=frozenset({("c", "c1")}))], "never lay there"),
        ([FIRST, replace(SECOND, began=at(14)), THIRD], "second ran beside first"),
        ([FIRST, SECOND, replace(THIRD, jobs=2)], "2 completed training jobs"),
        ([FIRST, SECOND, replace(THIRD, jobs=0)], "0 completed training jobs"),
        ([FIRST, SECOND, replace(THIRD, ended=None)], "still runs"),
        ([*FINE, replace(THIRD, name="fourth", began=at(40), ended=at(45))], "more than once"),
    ],
)
def test_what_is_wrong_is_found(trainings: list[Training], problem: str) -> None:
    assert any(problem in text for text in problems(CHANGES, trainings))


def test_an_alarm_may_train_the_same_again() -> None:
    again = [*FINE, replace(THIRD, name="fourth", began=at(40), ended=at(45))]
    assert problems(CHANGES, again, again=1) == []


def test_changes_of_one_second_may_be_seen_in_part() -> None:
    together = [Change("a", "a1", at(0)), Change("b", "b1", at(0))]
    training = replace(FIRST, content=frozenset({("a", "a1")}))
    assert problems(together, [training], current=False) == []


class Recorder:
    """Clients that note what is called."""

    def __init__(self) -> None:
        self.called: Counter[str] = Counter()

    def __call__(self, service: str) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        def call(**asked: Any) -> Any:
            self.called[name] += 1
            return {"executions": [{"executionArn": "arn", "name": "x"}]}

        return call


def test_the_actor_does_all_it_can_and_the_same_with_the_same_seed() -> None:
    outputs = {"Bucket": "b", "AlarmArn": "arn:alarm:Drift"}
    outputs |= {f"{name}StateMachine": name for name in ("Marker", "Quiet", "Clock")}
    told = []
    for _ in range(2):
        recorder = Recorder()
        actor = Actor(outputs, random.Random(5), recorder)
        told.append([actor.act() for _ in range(200)])
        assert set(recorder.called) == {
            "put_object",
            "delete_object",
            "set_alarm_state",
            "list_executions",
            "stop_execution",
        }
    assert told[0] == told[1]
    assert {text.split()[0] for text in told[0]} == {"upload", "delete", "marker", "alarm", "abort"}
