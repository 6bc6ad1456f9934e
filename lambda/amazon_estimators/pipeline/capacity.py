"""The wait of a training for instances: the name of its job has the number of waits."""

from __future__ import annotations

import re

PAUSE_SECONDS = 300
"""Seconds between two attempts to get instances."""
NUMBERS = re.compile(r"-\d+-(?P<waits>\d+)-\d+$")
"""The end of a job's name: numbers of the redrive, the wait for capacity and the retry."""


def waited_seconds(job_name: str) -> int | None:
    """Return the seconds between attempts to get instances; None for a name of another kind.

    Args:
        job_name: The name of a training job, or of a tuning job, that a pipeline has created.

    Example:
        >>> waited_seconds("churn-2d28df34-0f3a9c11-1764450000-0-3-0"), waited_seconds("mine")
        (900, None)
    """
    numbers = NUMBERS.search(job_name)
    return None if numbers is None else int(numbers["waits"]) * PAUSE_SECONDS
