"""Refuse values that float32 cannot hold, with the same error text for every format."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from amazon_estimators.errors import InputError
from amazon_estimators.sources.gaps import OF_SOURCE

COUNTED = "Rows are counted from 0."
COUNTED_BELOW_HEADER = "Rows are counted from 0, without the header."

ALL_HELD = 2**24
"""float32 holds every whole number up to this one."""


def written(text: str) -> float | Decimal:
    """Return a number in text as an error shows it: one beyond double precision is no infinity.

    Example:
        >>> written("1e400"), written("-inf")
        (Decimal('1E+400'), -inf)
    """
    value = float(text)
    return Decimal(text) if np.isinf(value) and text[-1:].isdigit() else value


def not_finite(where: str, value: Any, counted: str = COUNTED, *, fillable: bool = True) -> InputError:
    """Return the error for ``value``, as the input has it; ``where`` names object, row and column.

    ``fillable`` is True if a Source may fill gaps there.
    """
    if isinstance(value, Decimal) or np.isfinite(value):
        limit = f"{np.finfo(np.float32).max:g}"
        return InputError(
            f"{where}: {value!s} is beyond float32",
            remedy=f"{counted} float32 reaches to {limit}: scale the column.",
        )
    return InputError(
        f"{where}: {value!s} is not a finite number",
        remedy=f"{counted} Fill it in or drop the row: the algorithms read neither NaN nor infinity."
        + (f" {OF_SOURCE}" if fillable and np.isnan(value) else ""),
    )


def not_exact(where: str, label: int | str, counted: str = COUNTED) -> InputError:
    """Return the error for a whole-number label that float32 would round."""
    return InputError(
        f"{where}: {label} has no exact float32",
        remedy=f"{counted} Renumber the classes from 0, or give labels that may be rounded as floats, "
        "in text as 1.0 for 1.",
    )


def first_rounded(labels: np.ndarray) -> int | None:
    """Return the position of the first integer that float32 would round, which could merge two classes."""
    if not labels.size or (labels.min() >= -ALL_HELD and labels.max() <= ALL_HELD):
        return None
    # Compare as integers: in a comparison with floats, NumPy would first round those beyond 2^53.
    whole = labels.astype(np.uint64 if labels.dtype.kind == "u" else np.int64, copy=False)
    held = whole.astype(np.float32).astype(np.float64)
    beyond = held >= float(np.iinfo(whole.dtype).max)  # rounds up to one more than the type's maximum
    rounded = np.flatnonzero(beyond | (np.where(beyond, 0, held).astype(whole.dtype) != whole))
    return int(rounded[0]) if len(rounded) else None
