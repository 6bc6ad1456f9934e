"""Check the writers' input: dtypes that cast without loss, finite numbers, one label per row."""

from __future__ import annotations

from typing import Any

import numpy as np

from amazon_estimators.errors import InputError
from amazon_estimators.recordio.wire import (
    FLOAT32,
    FLOAT64,
    INT32,
    INT32_MAX,
    INT32_MIN,
    LENGTH_LIMIT,
    Array,
    Tensor,
)

BLOCK_BYTES = 1 << 21
"""Bytes of rows encoded at a time: few enough to stay in the cache until they are written."""

_ZEROS = np.zeros(1 << 18, np.float32)


def tensor_for(dtype: np.dtype[Any], what: str) -> Tensor:
    """Return the tensor type that holds ``dtype`` without loss.

    Floats keep their width (float16 becomes float32); bool and integers, except uint64, become Int32. Raises
    :class:`InputError` for every other dtype; ``what`` is "features" or "labels".
    """
    if dtype.kind == "f" and dtype.itemsize <= 4:
        return FLOAT32
    if dtype.kind == "f" and dtype.itemsize == 8:
        return FLOAT64
    if dtype.kind in "bi" or (dtype.kind == "u" and dtype.itemsize <= 4):
        return INT32
    cast = {"f": "float64", "u": "int64"}.get(dtype.kind, "float32")
    raise InputError(
        f"{what} of dtype {dtype} have no exact RecordIO form; float16, float32, float64, bool, int8 to "
        "int64 and uint8 to uint32 have",
        remedy=f"Cast them first: .astype({cast!r}).",
    )


def as_matrix(array: Any) -> Array:
    """Return ``array`` as a 2-D ndarray with at least one column."""
    if isinstance(array, np.ma.MaskedArray):
        raise InputError("features are a masked array", remedy="Fill it first: array.filled(value).")
    matrix = np.asarray(array)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise InputError(
            f"features have the shape {matrix.shape}; a matrix of (rows, features ≥ 1) is written",
            remedy="Use array.reshape(1, -1) for one row, array.reshape(-1, 1) for one feature.",
        )
    return matrix


def as_labels(labels: Any, rows: int) -> Array | None:
    """Return ``labels`` as a 1-D array with one label for each of ``rows`` rows, or None."""
    if labels is None:
        return None
    if isinstance(labels, np.ma.MaskedArray):
        raise InputError("labels are a masked array", remedy="Fill it first: labels.filled(value).")
    array = np.asarray(labels)
    if array.shape != (rows,):
        raise InputError(
            f"labels have the shape {array.shape}; {rows} rows take one label each, the shape ({rows},)",
            remedy="Pass labels.ravel() if they are a column, and as many labels as rows.",
        )
    return array


def cast_block(block: Array, tensor: Tensor) -> Array:
    """Return ``block`` in the tensor's dtype, C-contiguous; unchanged if it already is."""
    return np.ascontiguousarray(block, dtype=tensor.dtype)


def is_finite(block: Array) -> bool:
    """Return True if a contiguous block of float32 or float64 holds no NaN and no infinity."""
    # A dot product runs at memory speed. x·x is finite only if x is, but overflows for large
    # numbers; then 0·x decides: it is NaN for NaN and ±Inf, and 0 for all else.
    flat, zeros = block.reshape(-1), _ZEROS.view(block.dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(np.dot(flat, flat)):
            return True
        parts = (flat[start : start + zeros.size] for start in range(0, flat.size, zeros.size))
        return not any(np.isnan(np.dot(part, zeros[: part.size])) for part in parts)


def refused_value(block: Array, tensor: Tensor, allow_nonfinite: bool) -> tuple[int, str] | None:
    """Return the flat index of the first value of a contiguous ``block`` that may not be written, and the
    reason."""
    if tensor is INT32:
        if not block.size or (int(block.min()) >= INT32_MIN and int(block.max()) <= INT32_MAX):
            return None
        flat = block.reshape(-1)
        index = int(np.flatnonzero((flat < INT32_MIN) | (flat > INT32_MAX))[0])
        return index, f"{flat[index]} is outside the 32 bits of Int32Tensor, {INT32_MIN} to {INT32_MAX}"
    if allow_nonfinite or is_finite(block):
        return None
    flat = block.reshape(-1)
    index = int(np.flatnonzero(~np.isfinite(flat))[0])
    return index, f"{flat[index]} is not a finite number"


def check_labels(block: Array, tensor: Tensor, allow_nonfinite: bool, first_row: int) -> None:
    """Raise :class:`InputError` for the first label of a block that must not be written."""
    refused = refused_value(block, tensor, allow_nonfinite)
    if refused:
        raise refuse(first_row + refused[0], "label", refused[1])


def refuse(row: int, where: str, reason: str) -> InputError:
    """Return the error for a bad value; ``where`` is "column 3" or "label"."""
    return InputError(
        f"row {row}, {where}: {reason}",
        remedy="Fix or drop the row; allow_nonfinite=True writes NaN and Inf as they are."
        if "finite" in reason
        else "Fix the row, or cast to 'float32' or 'float64'.",
    )


def check_length(row: int, length: int) -> None:
    """Raise :class:`InputError` if a payload of ``length`` bytes does not fit a frame."""
    if length >= LENGTH_LIMIT:
        raise InputError(
            f"row {row} takes a record of {length} bytes; a RecordIO record is shorter than {LENGTH_LIMIT}",
            remedy="Use fewer features, float32 instead of float64, or sparse rows.",
        )


def write_all(file: Any, block: memoryview) -> int:
    """Write every byte of ``block``, since raw files may take only some at a time; return their number."""
    rest = block
    while len(rest):
        written = file.write(rest)
        if written is None or written == len(rest):
            break
        rest = rest[written:]
    return len(block)
