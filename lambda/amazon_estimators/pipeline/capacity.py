"""The wait of a training for instances: the name of its job has the number of waits."""

from __future__ import annotations

import re

PAUSE_SECONDS = 300
"""Seconds between two attempts to get instances."""
NUMBERS = re.compile(r"-[0-9a-f]{10}-\d+-(?P<waits>\d+)$")
"""The end of a job's name: the execution, and the numbers of the redrive and of the wait for capacity."""


def waited_seconds(job_name: str) -> int | None:
    """Return the seconds between attempts to get instances; None for a name of another kind.

    Args:
        job_name: The name of a training job, or of a tuning job, that a pipeline has created.

    Example:
        >>> waited_seconds("churn-2d28df34-5e6f7081-0123456789-0-3"), waited_seconds("mine")
        (900, None)
    """
    numbers = NUMBERS.search(job_name)
    return None if numbers is None else int(numbers["waits"]) * PAUSE_SECONDS
