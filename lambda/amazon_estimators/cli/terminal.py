"""Share consoles, progress bars and NAME=VALUE parsing among the commands."""

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
    """Return the console for standard output."""
    return Console(highlight=False, emoji=False)


@cache
def errors() -> Console:
    """Return the console for standard error: progress and errors, so that output can be piped."""
    return Console(stderr=True, highlight=False, emoji=False)


def print_json(value: Any) -> None:
    """Print one JSON value for machines. NaN and infinities, which JSON lacks, become null."""
    click.echo(json.dumps(_finite(value), indent=2, default=str))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@contextmanager
def byte_progress(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a progress bar over bytes on standard error, if that is a terminal.

    Yields:
        A function to call with the number of bytes of each step.
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
    """Reports the bytes read from a binary file to a progress bar."""

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
    """Split ``NAME=VALUE`` into its name and its text."""
    name, equals, text = value.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{value!r} is not of the form NAME=VALUE")
    return name, text


def assignments(values: Sequence[str]) -> dict[str, str]:
    """Return ``NAME=VALUE`` arguments as a dictionary."""
    return dict(map(assignment, values))
