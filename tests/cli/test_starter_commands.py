"""``request`` and ``dead-letters``: what the commands ask of a starter, and what they show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amazon_estimators.cli import main, starter
from amazon_estimators.client.starter import DeadLetter

LETTER = DeadLetter('{"trigger": "request"}', "ServiceError", "StartExecution of …", "2026-03-01T12:00:00")


class Starter:
    queue_url = "https://queue"

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.letters = [LETTER]

    def request(self, **given: str) -> None:
        self.asked.append(given)

    def dead_letters(self) -> list[DeadLetter]:
        return self.letters

    def redrive(self) -> int:
        return len(self.letters)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Starter:
    double = Starter()
    monkeypatch.setattr(starter, "_starter", lambda **_: double)
    return double


def test_request_asks_with_its_reasons(found: Starter, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["request", "--stack", "Digits", "--reason", "nightly", "--retrain", "new image"]) == 0
    assert found.asked == [{"reason": "nightly", "retrain": "new image"}]
    assert "https://queue" in capsys.readouterr().out


def test_dead_letters_are_listed_with_their_reason(
    found: Starter, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dead-letters", "list", "--stack", "Digits"]) == 0
    shown = capsys.readouterr().out
    assert "ServiceError: StartExecution of …" in shown
    assert LETTER.body in shown
    found.letters = []
    assert main(["dead-letters", "list", "--stack", "Digits"]) == 0
    assert "No dead letters" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["request"], {"queue": "https://queue"}),
        (["dead-letters", "list"], [vars(LETTER)]),
        (["dead-letters", "redrive"], {"moved": 1}),
    ],
)
def test_machines_read_json(
    found: Starter, capsys: pytest.CaptureFixture[str], command: list[str], expected: Any
) -> None:
    assert main([*command, "--stack", "Digits", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == expected
