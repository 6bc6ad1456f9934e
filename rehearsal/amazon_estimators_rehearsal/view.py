"""Show the rehearsal on the screen: a line for every state, a bar for the shards.

Prints plain lines if the output is not a terminal.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from amazon_estimators_rehearsal.follow import Ended, Entered, Event, Exited, Shards, Started

NOTES = {"Reuse": "the RecordSet was complete already: nothing is encoded again"}
"""Notes printed beside a state, by its name."""
ENCODED = "encoded"
VERBS = {"Scores": "scored"}
"""What a map does to its shards, by its state's name, where that is not to encode them."""


def say(console: Console, *parts: str | tuple[str, str]) -> None:
    """Print one line of plain or (text, style) parts verbatim, including the user's text.

    Markup and emoji codes are not interpreted, and the line is not wrapped: a path stays in one piece.
    """
    console.print(Text.assemble(*parts), soft_wrap=True)


class View:
    """Shows what happens. ``seconds`` holds the duration of each state."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show a spinner during a step, then a line with its seconds."""
        began = time.monotonic()
        try:
            with self._console.status(Text(f"{title} …")):
                yield
        except Exception as error:
            self._line(title, time.monotonic() - began, error=type(error).__name__)
            raise
        self._line(title, time.monotonic() - began)

    def follow(
        self, events: Iterable[Event], *, way: str = "S3 event → EventBridge", since: float | None = None
    ) -> Ended:
        """Show an execution's events until it ends.

        Args:
            events: The events, of which the last is Ended.
            way: What led to the execution. Default: an upload.
            since: Time of the request, by ``time.monotonic()``. Default: now.
        """
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        began, shards, done_to_shards = time.monotonic() if since is None else since, "", ENCODED
        with bar as progress:
            now = progress.add_task("waiting for the execution", total=None, count="")
            for event in events:
                match event:
                    case Started(name):
                        self._line(f"{way} → execution {name}", time.monotonic() - began)
                    case Entered(state):
                        shards, done_to_shards = "", VERBS.get(state, ENCODED)
                        progress.reset(now, description=state, total=None, count="")
                    case Shards(done, failed, total):
                        shards = _summary(failed, total, done_to_shards)
                        progress.update(now, completed=done, total=total, count=f"{done:,}/{total:,}")
                    case Exited(state, seconds, error):
                        self.seconds[state] = seconds
                        self._line(state, seconds, note=shards or NOTES.get(state, ""), error=error)
                    case Ended():
                        return event
        raise AssertionError("the stream of events ends with Ended")

    def _line(self, title: str, seconds: float, *, note: str = "", error: str = "") -> None:
        mark = ("✗", "red") if error else ("✓", "green")
        note, error = (f"  {text}" if text else "" for text in (note, error))
        say(self._console, mark, f" {title} ", (f"{seconds:.1f} s", "dim"), note, (error, "red"))


def _summary(failed: int, total: int, verb: str) -> str:
    count, verb = (f"{failed:,} of {total:,}", "failed") if failed else (f"{total:,}", verb)
    return f"{count} {'shard' if total == 1 else 'shards'} {verb}"
