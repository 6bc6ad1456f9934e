"""The result of a check: a line with a level, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARNING, ERROR = "ok", "warning", "error"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor.

    Attributes:
        level: ``"ok"``, ``"warning"`` (it may fail, or could not be checked) or ``"error"`` (it will fail).
        message: What was looked at, and what is there.
        remedy: What to do; empty if all is well.
    """

    level: str
    message: str
    remedy: str = ""


def ok(message: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(OK, message)


def warning(message: str, remedy: str) -> Finding:
    """Return that something may fail, or costs what was not meant."""
    return Finding(WARNING, message, remedy)


def error(message: str, remedy: str) -> Finding:
    """Return that a training will fail, or never start."""
    return Finding(ERROR, message, remedy)
