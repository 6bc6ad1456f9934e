"""Take rows to predict on: arrays, data frames, SciPy matrices, or the pairs of Object2Vec and IPInsights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from amazon_estimators.encodings import ip_insights
from amazon_estimators.encodings.token_lists import LAST_TOKEN
from amazon_estimators.errors import InputError
from amazon_estimators.recordio import CsrParts
from amazon_estimators.text import shown

Array = npt.NDArray[Any]
Vectors = Array | CsrParts
"""Feature vectors: an array of (rows, features) in float32 or float64, or compressed rows of either."""

BLOCK_BYTES = 2**20
"""Bytes that are worked on at a time, so that a second pass finds them in the processor's cache."""
FEW_ROWS = 128
"""A matrix product of fewer rows loses more speed than the cache gains: such a block has twice the bytes."""
SIDES = ("in0", "in1")


def vectors(rows: Any) -> Vectors:
    """Return rows as feature vectors.

    Args:
        rows: A NumPy array of shape (rows, features), or (features,) for one row; lists of numbers; a data
            frame whose columns are all features; a SciPy sparse matrix; or :class:`CsrParts`. float64 stays
            float64; all other numbers become float32, which the first-party algorithms read.

    Raises:
        InputError: The rows are not numbers in rows and columns.
    """
    if hasattr(rows, "tocsr"):
        csr = rows.tocsr()
        return _compressed(CsrParts(csr.data, csr.indices, csr.indptr, tuple(csr.shape)))
    if isinstance(rows, CsrParts):
        return _compressed(rows)
    if isinstance(rows, np.ma.MaskedArray):
        raise InputError("the rows are a masked array", remedy="Fill it first: array.filled(value).")
    try:
        array = rows.to_numpy() if hasattr(rows, "to_numpy") else np.asarray(rows)
    except ValueError as error:
        raise InputError(
            f"the rows are not a matrix: {error}", remedy="Give each row as many numbers as the first."
        ) from error
    if array.dtype.kind == "O":
        array = _numbers(array)
    if array.ndim == 1 and array.size:
        array = array.reshape(1, -1)
    if array.ndim != 2 or not array.shape[1]:
        raise InputError(
            f"the rows have shape {array.shape}; expecting (rows, features), or (features,) for one row",
            remedy="Reshape them, for example array.reshape(len(array), -1).",
        )
    return _floats(array)


def row_count(rows: Vectors) -> int:
    """Return the number of rows."""
    return int(rows.shape[0])


def block_length(rows: Vectors, outputs: int = 0) -> int:
    """Return how many rows a block has, if each row is worked on as its features and then as ``outputs``."""
    itemsize = int(rows.data.itemsize if isinstance(rows, CsrParts) else rows.itemsize)
    count, features = map(int, rows.shape)
    row_bytes = itemsize * max(features, outputs)
    length = BLOCK_BYTES // row_bytes
    if length < FEW_ROWS:
        length = 2 * BLOCK_BYTES // row_bytes
    return max(1, min(count, length))


def dense_blocks(rows: Vectors, outputs: int = 0) -> Iterator[tuple[slice, Array]]:
    """Yield the rows as dense arrays of a bounded size, in order, each with its place among the rows."""
    step = block_length(rows, outputs)
    for start in range(0, rows.shape[0], step):
        part = slice(start, min(start + step, rows.shape[0]))
        yield part, _filled(rows, part.start, part.stop) if isinstance(rows, CsrParts) else rows[part]


def nonfinite_place(rows: Vectors) -> tuple[int, int, float] | None:
    """Return row, column and value of the first NaN or infinity, None if all values are finite."""
    values = rows.data if isinstance(rows, CsrParts) else rows
    finite = np.isfinite(values)
    if finite.all():
        return None
    if isinstance(rows, CsrParts):
        at = int(np.argmin(finite))
        row = int(np.searchsorted(rows.indptr, at, side="right")) - 1
        return row, int(rows.indices[at]), float(rows.data[at])
    row, column = divmod(int(np.argmin(finite.reshape(-1))), rows.shape[1])
    return row, column, float(rows[row, column])


def token_pairs(rows: Any) -> list[dict[str, list[int]]]:
    """Return rows of Object2Vec as mappings with ``in0`` and ``in1``, or with one of them for embeddings.

    Args:
        rows: Mappings with ``in0``, ``in1`` or both; or pairs of lists of token ids, as (in0, in1).

    Raises:
        InputError: A row has other keys, or holds no list of token ids; or rows differ in their keys.
    """
    pairs: list[dict[str, list[int]]] = []
    for number, row in enumerate(_each(rows)):
        sides = dict(row) if isinstance(row, Mapping) else dict(zip(SIDES, row, strict=False))
        pair = {name: _token_ids(number, name, value) for name, value in sides.items()}
        if not pair or not pair.keys() <= {*SIDES} or (not isinstance(row, Mapping) and len(row) != 2):
            raise InputError(
                f"row {number} is {shown(row)}; expecting in0 and in1, or one of them for embeddings",
                remedy='Give {"in0": [6, 17], "in1": [16, 21]}, or a pair of lists; token ids count from 0.',
            )
        if pairs and pair.keys() != pairs[0].keys():
            raise InputError(
                f"row {number} has {', '.join(pair)}, row 0 has {', '.join(pairs[0])}",
                remedy="Ask for scores (both sides) and for embeddings (one side) in separate requests.",
            )
        pairs.append(pair)
    return pairs


def entity_pairs(rows: Any) -> list[tuple[str, str]]:
    """Return rows of IPInsights as (entity, IPv4 address).

    Args:
        rows: Pairs, or a data frame of two columns.

    Raises:
        InputError: A row is not such a pair.
    """
    pairs = []
    for number, row in enumerate(_each(rows.to_numpy() if hasattr(rows, "to_numpy") else rows)):
        if isinstance(row, str | bytes) or len(row) != 2:
            raise InputError(
                f"row {number} is {shown(row)}; expecting two values, an entity and an IPv4 address",
                remedy=ip_insights.REMEDY,
            )
        pair = str(row[0]), str(row[1])
        if problem := ip_insights.reason(csv_line(pair)):
            raise InputError(f"row {number}: {problem}", remedy=ip_insights.REMEDY)
        pairs.append(pair)
    return pairs


def csv_line(pair: tuple[str, str]) -> bytes:
    """Return an entity and an address as a line of CSV without a newline, quoted if necessary."""
    return ",".join(
        '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"') else text for text in pair
    ).encode()


def _each(rows: Any) -> Iterable[Any]:
    if isinstance(rows, Mapping | str | bytes) or not hasattr(rows, "__iter__"):
        raise InputError(f"the rows are {shown(rows)}; expecting a list of rows", remedy="Give [row].")
    items: Iterable[Any] = rows
    return items


def _token_ids(number: int, name: str, value: Any) -> list[int]:
    ids = value.tolist() if isinstance(value, np.ndarray) else value
    valid = (
        isinstance(ids, list | tuple)
        and ids
        and all(
            isinstance(token, int | np.integer) and not isinstance(token, bool) and 0 <= token <= LAST_TOKEN
            for token in ids
        )
    )
    if not valid:
        raise InputError(
            f"row {number}: {name} is {shown(value)}; expecting a list of at least one token id",
            remedy=f"Token ids are whole numbers from 0 to {LAST_TOKEN:,}.",
        )
    return [int(token) for token in ids]


def _numbers(array: Array) -> Array:
    """Return an array of Python objects, such as decimals, as float64."""
    for place, value in np.ndenumerate(array):
        if isinstance(value, str | bytes) or not hasattr(value, "__float__"):
            at = ", ".join(map(str, place))
            raise InputError(
                f"row, column {at}: {shown(value)} is not a number",
                remedy="Leave out columns that are not features, or turn them into numbers first.",
            )
    return array.astype(np.float64)


def _floats(array: Array) -> Array:
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"the rows are of dtype {array.dtype}; expecting numbers: booleans, integers or floats",
            remedy="Leave out columns that are not numbers, or cast them: array.astype('float32').",
        )
    if array.dtype.char in "fd" and array.dtype.isnative:
        return array
    with np.errstate(over="ignore"):
        return array.astype(np.float64 if array.dtype.char == "d" else np.float32)


def _compressed(rows: CsrParts) -> CsrParts:
    parts = CsrParts(
        _floats(np.asarray(rows.data)), np.asarray(rows.indices), np.asarray(rows.indptr), rows.shape
    )
    pointers = parts.indptr
    if pointers.shape != (rows.shape[0] + 1,) or pointers[0] != 0 or pointers[-1] != len(parts.data):
        raise InputError(f"the compressed rows of shape {rows.shape} have row pointers that do not fit them")
    if len(parts.indices) != len(parts.data) or (np.diff(pointers) < 0).any():
        raise InputError(f"the compressed rows of shape {rows.shape} do not have one column for each value")
    if len(parts.indices) and not 0 <= parts.indices.min() <= parts.indices.max() < rows.shape[1]:
        raise InputError(f"the compressed rows of shape {rows.shape} hold a column outside of it")
    return _each_once(parts)


def _each_once(rows: CsrParts) -> CsrParts:
    """Return compressed rows with columns in order; values stored twice for one place are added up."""
    row_of = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    order = np.lexsort((rows.indices, row_of))
    columns, values = rows.indices[order], rows.data[order]
    new = np.ones(len(values), bool)
    new[1:] = (np.diff(columns) != 0) | (np.diff(row_of) != 0)
    if not new.all():
        starts = np.flatnonzero(new)
        columns, values, row_of = columns[starts], np.add.reduceat(values, starts), row_of[starts]
    pointers = np.zeros(rows.shape[0] + 1, np.int64)
    np.cumsum(np.bincount(row_of, minlength=rows.shape[0]), out=pointers[1:])
    return CsrParts(values, columns, pointers, rows.shape)


def _filled(rows: CsrParts, start: int, stop: int) -> Array:
    pointers = rows.indptr[start : stop + 1]
    low, high = int(pointers[0]), int(pointers[-1])
    block = np.zeros((stop - start, rows.shape[1]), rows.data.dtype)
    row_of = np.repeat(np.arange(stop - start), np.diff(pointers))
    block[row_of, rows.indices[low:high]] = rows.data[low:high]
    return block
