"""Every call of the starter to S3, failed in every way: the message is done, or comes again and then is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starter_world import World

from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.pipeline.data_set import DataSet
from amazon_estimators.pipeline.keys import state_key
from amazon_estimators.triggers.state import State
from faulty_s3 import CRASHES, FAULTS, Crash, FaultyS3
from quiet import no_logs

MARKER, NAMES = {"trigger": "marker", "time": "2026-03-01T12:00:05+00:00", "event": "e"}, ("a.csv", "b.csv")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("amazon_estimators.storage.faults.time.sleep", lambda seconds: None)
    with no_logs():
        yield


class Handled(World):
    """A world whose bucket is one that fails. The first batch has been trained; the second one is there."""

    def __init__(self) -> None:
        super().__init__()
        self.s3: Any = FaultyS3()
        self.clock.passes(5)
        self._batch(NAMES[0])
        self.handle(MARKER)
        self.end(self.names[0])
        self._batch(NAMES[1])
        self.s3.calls.clear()

    def _batch(self, name: str) -> None:
        self.s3.put(self.key(name), b"1,2")

    def loaded(self) -> State:
        ((_, body), *_) = self.s3.objects[state_key("")]
        return State.from_text(body, uri=f"s3://bucket/{state_key('')}")

    def outcome(self) -> tuple[list[tuple[str, list[str]]], str, bool]:
        """Return the executions with their files, the data set that is the newest, and if one waits."""
        trained = []
        for name in self.names:
            version = self.machine.inputs[name]["data_set"]
            data_set = DataSet.load(self.s3, "bucket", "", version)
            trained.append((name, [found.key for found in data_set.channels["train"]]))
        state = self.loaded()
        return trained, state.starts[0].data_set, state.parked is not None


WHOLE = Handled()
WHOLE.handle(MARKER)
CALLS = list(dict.fromkeys(WHOLE.s3.calls))
OUTCOME = WHOLE.outcome()


def test_the_second_batch_is_trained_by_these_calls() -> None:
    assert {operation for operation, _ in CALLS} == {
        "GetObject",
        "ListObjectVersions",
        "ListObjectsV2",
        "PutObject",
    }
    trained, newest, waits = OUTCOME
    assert [len(files) for _, files in trained] == [1, 2]
    assert trained[1][0].startswith(newest)
    assert not waits


@pytest.mark.parametrize("fault", [*FAULTS, *CRASHES])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]} {call[1]}")
def test_nothing_is_lost_or_done_twice(call: tuple[str, str], fault: str) -> None:
    world = Handled()
    world.s3.at, world.s3.fault = WHOLE.s3.calls.index(call), fault
    try:
        world.handle(MARKER)
    except Crash:
        assert fault in CRASHES
    except AmazonEstimatorsError as error:
        assert error.remedy
        assert f"s3://bucket/{call[1]}" in str(error)
    else:
        assert world.outcome() == OUTCOME
    world.s3.at = -1
    world.handle(MARKER)  # SQS delivers it again
    assert world.outcome() == OUTCOME
