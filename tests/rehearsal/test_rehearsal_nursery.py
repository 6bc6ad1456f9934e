"""The process that containers are forked from: one serves all, and another one follows if it was killed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from amazon_estimators_rehearsal.sagemaker import forked


class Process:
    """A process that ends when a test says so."""

    started: ClassVar[list[Process]] = []

    def __init__(self, command: list[str], **_: Any) -> None:
        self.code: int | None = None
        self.started.append(self)

    def poll(self) -> int | None:
        return self.code


def test_containers_start_again_after_their_nursery_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forked, "subprocess", SimpleNamespace(Popen=Process))
    monkeypatch.setattr(forked, "_running", [])
    monkeypatch.setattr(Process, "started", [])
    first = forked._nursery({})
    assert forked._nursery({}) is first
    Process.started[0].code = -9
    second = forked._nursery({})
    assert second is not first
    assert first.fileno() == -1
    assert forked._nursery({}) is second
    assert len(Process.started) == 2
    second.close()


def test_what_loads_ahead_is_what_containers_are_forked_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forked, "subprocess", SimpleNamespace(Popen=Process))
    monkeypatch.setattr(forked, "_running", [])
    monkeypatch.setattr(Process, "started", [])
    forked.load_libraries({})
    forked.load_libraries({})
    (nursery,) = Process.started
    with forked._nursery({}):
        assert Process.started == [nursery]
