"""Wait for a SageMaker job or endpoint: show its states, and leave it running on Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any, TextIO

from amazon_estimators.client.console import Console
from amazon_estimators.client.training_job import Detached

POLL_SECONDS = 5.0
JOB_GOING = ("InProgress", "Stopping")
"""The statuses of transform and tuning jobs that are not final."""


def wait_for(
    describe: Callable[[], dict[str, Any]],
    *,
    status: str,
    going: Collection[str],
    way_back: str,
    detail: Callable[[dict[str, Any]], str] = lambda _: "",
    poll: float | None = None,
    stream: TextIO | None = None,
) -> dict[str, Any]:
    """Poll until the status is final, and return the last description.

    Args:
        describe: Returns a description.
        status: The key of the status in the description.
        going: The statuses that are not final.
        way_back: How to wait again: the text of :class:`Detached`.
        detail: Text to show beside the status, in a new line when it changes.
        poll: Seconds between polls. Default: POLL_SECONDS.
        stream: Stream to write to. Default: standard output.

    Raises:
        Detached: Ctrl-C was pressed; the job or endpoint continues.
    """
    console, shown = Console(stream), ("", "")
    try:
        while True:
            described = describe()
            current = described[status], detail(described)
            if current != shown:
                console.status(datetime.now(UTC), *current)
            shown = current
            if current[0] not in going:
                return described
            time.sleep(POLL_SECONDS if poll is None else poll)
    except KeyboardInterrupt:
        raise Detached(way_back) from None
