"""Convert the table reader's columns to NumPy arrays, and texts to columns."""

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


def text_column(text: bytes, ends: np.ndarray, present: np.ndarray | None = None) -> Any:
    """Return the texts that lie one after the other in ``text`` as a column, without a copy.

    Does not use ``pa.array()``, which imports pandas as well.

    Args:
        text: The texts, without anything between them.
        ends: The end of each in ``text``.
        present: True for each that is kept; the others are nulls. Default: all are kept.

    Example:
        >>> text_column(b"612", np.array([1, 3])).to_pylist()
        [b'6', b'12']
    """
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends
    valid = None if present is None else pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.Array.from_buffers(pa.binary(), len(ends), [valid, pa.py_buffer(offsets), pa.py_buffer(text)])
