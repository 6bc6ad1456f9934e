"""What a terminal is shown, and what it is spared."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from amazon_estimators.client.console import Console, UploadBar, safe

NOON = datetime(2025, 11, 23, 12, tzinfo=UTC)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        console = Console(stream)
        console.status(NOON, "Completed", "done")
        console.log("algo-1", "one")
        console.log("algo-2", "two")
    assert pipe.getvalue() == "12:00:00 Completed  done\nalgo-1 one\nalgo-2 two\n"
    first, second, third = terminal.getvalue().splitlines()
    assert "\x1b[32m" in first and second[:5] != third[:5]  # green; each host its own
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    Console(plain).status(NOON, "Completed", "done")
    assert plain.getvalue() == "12:00:00 Completed  done\n"


def test_a_log_cannot_command_the_terminal() -> None:
    assert safe("a\x1b[2Jb\tc\rd") == "a�[2Jb\tc�d"


def test_the_bar_fills_and_ends_with_a_line() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        with UploadBar(stream) as show:
            show(5_000_000, 10_000_000)
            show(10_000_000, 10_000_000)
            show(11_000_000, None)
    assert pipe.getvalue() == ""
    assert "█" * 15 + "░" * 15 + " 5 of 10 MB" in terminal.getvalue()
    assert "█" * 30 in terminal.getvalue() and terminal.getvalue().endswith("\n")
