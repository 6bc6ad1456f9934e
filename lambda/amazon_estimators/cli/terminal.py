"""What all commands share: where output goes, progress bars, values given as NAME=VALUE."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


@cache
def output() -> Console:
    """Standard output."""
    return Console(highlight=False, emoji=False)


@cache
def errors() -> Console:
    """Standard error: progress and errors, so that output can be piped on."""
    return Console(stderr=True, highlight=False, emoji=False)


def print_json(value: Any) -> None:
    """For machines: one JSON value. JSON knows no NaN and no infinities: they are null."""
    click.echo(json.dumps(_finite(value), indent=2, default=str))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")


@contextmanager
def byte_progress(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar over bytes on standard error; nothing where that is no terminal.

    Call what it yields with each step.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors(), transient=True, disable=not errors().is_terminal) as progress:
        task = progress.add_task(title, total=total)
        yield lambda count: progress.advance(task, count)


class Counted:
    """A binary file whose reads are told to a progress bar."""

    def __init__(self, file: Any, name: str, read: Callable[[int], None]) -> None:
        self._file, self._told = file, read
        self.name = name

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(size)
        self._told(len(data))
        return data

    def readinto(self, buffer: Any) -> int:
        count: int = self._file.readinto(buffer)
        self._told(count)
        return count


def assignment(value: str) -> tuple[str, str]:
    """One ``NAME=VALUE`` as its name and its text."""
    name, equals, text = value.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{value!r} is not of the form NAME=VALUE")
    return name, text


def assignments(values: Sequence[str]) -> dict[str, str]:
    """``NAME=VALUE`` arguments as a dictionary."""
    return dict(map(assignment, values))
