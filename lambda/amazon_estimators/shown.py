"""A user's value in a message: short, whatever it is."""

from __future__ import annotations

LONGEST = 80
"""Characters; of a longer value the beginning is shown."""


def shown(value: object) -> str:
    """``repr`` short enough for a message. Python refuses to write integers of thousands of digits."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        text = f"{type(value).__name__} that cannot be written"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}… ({type(value).__name__})"
