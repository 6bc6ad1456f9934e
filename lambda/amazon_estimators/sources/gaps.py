"""Say what to do about rows with gaps, which a Source may leave out except where each gets a prediction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from amazon_estimators.errors import InputError

LEAVE_OUT = "leave rows with gaps out, drop_incomplete=True"
TAKE_OUT = "take rows with gaps out of the input"
OF_SOURCE = f"In a Source: fill gaps, fill={{column: 0}}, or {LEAVE_OUT}."


@contextmanager
def every_row_stays() -> Iterator[None]:
    """Return a context in which no error advises to leave rows out.

    Example:
        >>> with every_row_stays():
        ...     raise InputError("row 3: no value", remedy=OF_SOURCE)
        Traceback (most recent call last):
        ...
        amazon_estimators.errors.InputError: row 3: no value
        In a Source: fill gaps, fill={column: 0}, or take rows with gaps out of the input.
    """
    try:
        yield
    except InputError as error:
        if LEAVE_OUT not in error.remedy:
            raise
        remedy = error.remedy.replace(LEAVE_OUT, TAKE_OUT)
        raise type(error)(error.message, remedy=remedy) from error
