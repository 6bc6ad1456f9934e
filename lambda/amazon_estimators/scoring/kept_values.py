"""The values of kept columns: Arrow arrays for a format with types, plain lists for text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from amazon_estimators.scoring.tables import Kept


def plain_values(array: Any) -> list[Any]:
    """Return texts, numbers and truth values; dates, times and decimals as text, None for a gap.

    Example:
        >>> from datetime import date
        >>> plain_values(pa.array([date(2026, 11, 29), None]))
        ['2026-11-29', None]
    """
    kind = array.type
    if pa.types.is_temporal(kind) or pa.types.is_decimal(kind):
        array = array.cast(pa.string())
    values = array.to_pylist()
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return [value.decode("utf-8", "replace") if value is not None else None for value in values]
    return list(values)


def typed_values(values: list[Any], read: Any) -> Any:
    """Return plain values as an Arrow array: numbers of the type they were ``read`` in, or text."""
    if isinstance(read, np.ndarray) and not any(isinstance(value, str) for value in values):
        return pa.array(values, pa.from_numpy_dtype(read.dtype))
    return pa.array(values, pa.string())


def joined(first: Kept | None, second: Kept) -> Kept:
    """Return the rows of both, which are lists or arrays."""
    if first is None:
        return second
    if isinstance(first, pa.Array):
        return pa.concat_arrays([first, second])
    return [*first, *second]
