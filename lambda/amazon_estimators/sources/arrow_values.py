"""Convert the table reader's columns to NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def values_of(column: Any) -> np.ndarray:
    """Return the values of a numeric column without nulls, in its own type; booleans as 0 and 1.

    Does not use ``to_numpy()``, which imports pandas wherever it is installed: 40 MB and most of a second.
    """
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    return np.from_dlpack(column)


def truths(column: Any) -> np.ndarray:
    """The truth values of a column without nulls."""
    return values_of(column).view(bool)
