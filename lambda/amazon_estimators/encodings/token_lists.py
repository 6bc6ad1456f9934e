"""Check lists of token ids, as JSON texts, many at once, without a Python object for each id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from amazon_estimators.summaries import Tokens

LAST_TOKEN = 2**31 - 1
"""The highest token id: no vocabulary is larger than an index of 32 bits."""


def tokens_of(texts: Sequence[Any]) -> Tokens | None:
    """Return the summary of lists of token ids; None if any is not such a list, or is not plainly written.

    Each text must be one valid JSON value, as a parser leaves it raw. Joined, and without digits and commas,
    flat lists of whole numbers are ``[]`` once per list, and nothing else is.

    Example:
        >>> tokens_of([b"[6, 17, 606]", b"[16]"])
        Tokens(highest=606, longest=3)
        >>> tokens_of([b"[6]", b"[1.5]"]), tokens_of([b"[6, []]"]), tokens_of([b"[]"]), tokens_of([b"[-1]"])
        (None, None, None, None)
    """
    text = b"".join(texts).translate(None, b" ")
    values = np.frombuffer(text, np.uint8)
    marks = np.flatnonzero(values - ord("0") > 9)
    kinds = values[marks]
    brackets = np.flatnonzero(kinds != ord(","))
    if kinds[brackets].tobytes() != b"[]" * len(texts):
        return None
    opened, closed = brackets[::2], brackets[1::2]
    digits = np.diff(marks) - 1
    if not digits[opened].all():
        return None
    most = digits.max()
    if most > len(str(LAST_TOKEN)):  # JSON has no leading zeros, and Python converts no thousands of digits
        return None
    highest = _last(values, marks[:-1][digits == most] + 1, most)
    return Tokens(highest, int((closed - opened).max())) if highest <= LAST_TOKEN else None


def _last(values: np.ndarray, starts: np.ndarray, digits: int) -> int:
    """Return the highest of the numbers at ``starts``: the last in alphabetical order, as all have ``digits``
    digits."""
    for place in range(digits):
        column = values[starts + place]
        starts = starts[column == column.max()]
    return int(values[starts[0] : starts[0] + digits].tobytes())
