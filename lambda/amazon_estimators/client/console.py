"""Print status, log lines and metrics while a user waits, in colour on a terminal."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from typing import Self, TextIO

RESET, BOLD, DIM = "\x1b[0m", "\x1b[1m", "\x1b[2m"
GREEN, RED, YELLOW = "\x1b[32m", "\x1b[31m", "\x1b[33m"
HOST_COLOURS = ("\x1b[36m", "\x1b[35m", "\x1b[34m", "\x1b[33m", "\x1b[32m")


def wants_colour(stream: TextIO) -> bool:
    """Return True on a terminal or in a notebook, unless NO_COLOR is set (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty() or is_notebook()


def is_notebook() -> bool:
    """Return True if this process is the kernel of a notebook."""
    return "ipykernel" in sys.modules


class Console:
    """Prints lines of text to ``stream``, by default standard output."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._colour = wants_colour(self._stream)
        self._hosts: dict[str, str] = {}

    def status(self, moment: datetime, status: str, message: str) -> None:
        """Print a step of the job: ``21:03:07 Downloading  Downloading input data``."""
        colour = {
            "Completed": GREEN,
            "Failed": RED,
            "Execution failed": RED,
            "Stopped": YELLOW,
            "Execution succeeded": GREEN,
        }.get(status, "")
        self._line(
            f"{self._clock(moment)} {self._paint(status, BOLD + colour)}{'  ' if message else ''}{message}"
        )

    def log(self, host: str, text: str) -> None:
        """Print a line that an instance wrote; each instance has its own colour."""
        colour = self._hosts.setdefault(host, HOST_COLOURS[len(self._hosts) % len(HOST_COLOURS)])
        self._line(f"{self._paint(host, colour)} {safe(text)}")

    def metric(self, name: str, value: str) -> None:
        """Print the newest value of a metric."""
        self._line(f"{self._paint(f'{name} = {value}', BOLD)}")

    def note(self, text: str) -> None:
        """Print anything else."""
        self._line(self._paint(text, DIM))

    def _clock(self, moment: datetime) -> str:
        return self._paint(moment.astimezone(UTC).strftime("%H:%M:%S"), DIM)

    def _paint(self, text: str, codes: str) -> str:
        return f"{codes}{text}{RESET}" if self._colour and codes else text

    def _line(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


def safe(text: str) -> str:
    """Return text of a log without the control characters that a terminal would obey."""
    return "".join(mark if mark.isprintable() or mark == "\t" else "�" for mark in text)


class UploadBar:
    """A progress bar on standard error during a ``with`` block, if it is a terminal or a notebook."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._out = stream or sys.stderr
        self._shown = self._out.isatty() or is_notebook()
        self._started = time.monotonic()

    def __call__(self, done: int, total: int | None) -> None:
        if not self._shown:
            return
        megabytes = done / 1e6
        speed = f"{megabytes / max(time.monotonic() - self._started, 1e-3):,.0f} MB/s"
        if total:
            filled = min(30, 30 * done // total)
            bar = "█" * filled + "░" * (30 - filled)
            text = f"{bar} {megabytes:,.0f} of {total / 1e6:,.0f} MB, {speed}"
        else:
            text = f"{megabytes:,.0f} MB, {speed}"
        self._out.write(f"\rUploading {text} ")
        self._out.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._out.write("\n")
