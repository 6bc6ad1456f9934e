"""The rehearsal on the screen: a line for every state, a bar for the shards.

Plain lines where it is no terminal.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from amazon_estimators_rehearsal.follow import Ended, Entered, Event, Exited, Shards, Started


class View:
    """Shows what happens, and keeps how long each state took in ``seconds``."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A step that takes a while: a spinner, then a line with its seconds."""
        began = time.monotonic()
        with self._console.status(f"{title} …"):
            yield
        self._done(title, time.monotonic() - began)

    def follow(self, events: Iterable[Event]) -> Ended:
        """Show an execution's events to its end."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=self._console, transient=True) as progress:
            now = progress.add_task("waiting for the execution that the upload starts", total=None)
            for event in events:
                match event:
                    case Started(name):
                        self._console.print(f"execution {name}")
                    case Entered(state):
                        progress.reset(now, description=state, total=None)
                    case Exited(state, seconds):
                        self.seconds[state] = seconds
                        self._done(state, seconds)
                    case Shards(done, failed, total):
                        trouble = f", {failed} failed" if failed else ""
                        progress.update(now, completed=done, total=total, description=f"Shards{trouble}")
                        if done == total:
                            self._console.print(f"  {total:,} shards encoded{trouble}")
                    case Ended():
                        return event
        raise AssertionError("the stream of events ends with Ended")

    def _done(self, title: str, seconds: float) -> None:
        self._console.print(f"[green]✓[/] {title} [dim]{seconds:.1f} s[/]")
