"""Read blocks of compressed rows from SciPy matrices, their parts or full arrays; sort keys, sum
duplicates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from amazon_estimators.errors import InputError
from amazon_estimators.recordio.values import BLOCK_BYTES, as_matrix, cast_block
from amazon_estimators.recordio.wire import Array, Tensor

BLOCK_VALUES = BLOCK_BYTES // 8
"""Stored values per block of rows; each needs up to 80 bytes of working memory, 20 MiB in all."""
BLOCK_ROWS = BLOCK_BYTES // 64
"""The most rows per block, for rows with few values."""

COLUMN_LIMIT = 2**63 - 1
"""The widest shape that readers accept."""


class CsrParts(NamedTuple):
    """A sparse matrix in compressed rows, without SciPy.

    Row ``i`` holds ``data[indptr[i]:indptr[i + 1]]`` in the columns ``indices[indptr[i]:indptr[i + 1]]``.
    """

    data: Array
    indices: Array
    indptr: Array
    shape: tuple[int, int]


class Block(NamedTuple):
    """Consecutive rows: row ``i`` has ``counts[i]`` of ``keys`` (columns) and ``values``."""

    counts: Array
    keys: Array
    values: Array


class Source(Protocol):
    """A matrix that provides blocks of rows in compressed form."""

    shape: tuple[int, int]
    dtype: np.dtype[Any]

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Yield consecutive ``(start, stop)`` of rows, each range of bounded size."""

    def longer_than(self, values: int) -> Iterator[int]:
        """Return the rows that hold more than ``values`` values."""

    def block(self, start: int, stop: int, tensor: Tensor) -> Block:
        """Return these rows, with values in the tensor's dtype and keys within the columns, in any order."""


def source_of(array: Any, first_row: int) -> Source:
    """Accept a SciPy sparse matrix, a tuple of compressed rows, or anything NumPy can turn into a matrix."""
    if hasattr(array, "tocsr"):
        array = array.tocsr()
        return Compressed(CsrParts(array.data, array.indices, array.indptr, array.shape), first_row)
    if isinstance(array, tuple):
        if len(array) != 4:
            raise InputError(
                f"a tuple of {len(array)} is not a sparse matrix",
                remedy="Pass (data, indices, indptr, shape), the parts of compressed rows.",
            )
        return Compressed(CsrParts(*array), first_row)
    return Filled(as_matrix(array))


class Filled:
    """A full array, whose non-zeros are written."""

    def __init__(self, matrix: Array) -> None:
        self.matrix = matrix
        self.shape = (matrix.shape[0], matrix.shape[1])
        self.dtype = matrix.dtype

    def ranges(self) -> Iterator[tuple[int, int]]:
        rows, columns = self.shape
        step = max(1, BLOCK_VALUES // columns)
        return ((start, min(start + step, rows)) for start in range(0, rows, step))

    def longer_than(self, values: int) -> Iterator[int]:
        if self.shape[1] > values:
            yield from (row for row in range(self.shape[0]) if np.count_nonzero(self.matrix[row]) > values)

    def block(self, start: int, stop: int, tensor: Tensor) -> Block:
        matrix = cast_block(self.matrix[start:stop], tensor)
        rows, keys = np.nonzero(matrix)
        return Block(np.bincount(rows, minlength=stop - start), keys, matrix[rows, keys])


class Compressed:
    """Compressed rows. Every block is checked before its indices are used."""

    def __init__(self, parts: CsrParts, first_row: int) -> None:
        self.first_row = first_row
        self.data, self.indices, self.indptr = (np.asarray(part) for part in parts[:3])
        shape = tuple(int(length) for length in parts.shape)
        if len(shape) != 2 or shape[0] < 0 or not 1 <= shape[1] <= COLUMN_LIMIT:
            raise InputError(
                f"sparse features have the shape {shape}; (rows, columns from 1 to {COLUMN_LIMIT}) is written"
            )
        self.shape = (shape[0], shape[1])
        self.dtype = self.data.dtype
        for name, part in (("data", self.data), ("indices", self.indices), ("indptr", self.indptr)):
            if part.ndim != 1 or (name != "data" and part.dtype.kind not in "iu"):
                content = "numbers" if name == "data" else "integers"
                raise InputError(
                    f"{name} of compressed rows is a 1-D array of {content}, "
                    f"not {part.dtype} of the shape {part.shape}"
                )
        if self.indptr.dtype.itemsize < 8:  # narrow pointers would overflow when a block's size is added
            self.indptr = self.indptr.astype(np.int64)
        if len(self.indptr) != shape[0] + 1 or len(self.indices) != len(self.data):
            raise InputError(
                f"compressed rows of the shape {shape} with {len(self.data)} values take "
                f"{len(self.data)} indices and {shape[0] + 1} row pointers, "
                f"not {len(self.indices)} and {len(self.indptr)}"
            )

    def ranges(self) -> Iterator[tuple[int, int]]:
        start = 0
        while start < self.shape[0]:
            ends = self.indptr[start + 1 : start + 1 + BLOCK_ROWS]
            fitting = int(np.searchsorted(ends, self.indptr[start] + BLOCK_VALUES, side="right"))
            yield start, start + max(1, fitting)
            start += max(1, fitting)

    def longer_than(self, values: int) -> Iterator[int]:
        for start in range(0, self.shape[0], BLOCK_VALUES):
            counts = np.diff(self.indptr[start : start + BLOCK_VALUES + 1].astype(np.int64))
            yield from (start + int(row) for row in np.flatnonzero(counts > values))

    def block(self, start: int, stop: int, tensor: Tensor) -> Block:
        ends = self.indptr[start : stop + 1].astype(np.int64)
        counts = np.diff(ends)
        first = self.first_row + start
        if int(counts.min()) < 0 or int(ends[0]) < 0 or int(ends[-1]) > len(self.data):
            raise InputError(
                f"the row pointers of rows {first} to {first + stop - start - 1} run "
                f"from {ends[0]} to {ends[-1]}; "
                f"pointers never fall and stay within 0 and the {len(self.data)} values"
            )
        keys = self.indices[ends[0] : ends[-1]]
        if keys.dtype != np.int32:
            keys = keys.astype(np.int64)
        if len(keys) and (int(keys.min()) < 0 or int(keys.max()) >= self.shape[1]):
            bad = int(np.flatnonzero((keys < 0) | (keys >= self.shape[1]))[0])
            row = first + int(np.searchsorted(ends - ends[0], bad, side="right")) - 1
            raise InputError(
                f"row {row} has a value in column {keys[bad]}; columns run from 0 to {self.shape[1] - 1}"
            )
        return Block(counts, keys, cast_block(self.data[ends[0] : ends[-1]], tensor))


def canonical(block: Block, drop_zeros: bool) -> Block:
    """Return the block with ascending keys in each row, values of equal keys summed, zeros dropped on
    request."""
    counts, keys, values = block
    falls = keys[1:] <= keys[:-1]
    lasts = np.cumsum(counts) - 1
    falls[lasts[(lasts >= 0) & (lasts < len(falls))]] = False
    if falls.any():
        rows = np.repeat(np.arange(len(counts)), counts)
        order = np.lexsort((keys, rows))
        rows, keys, values = rows[order], keys[order], values[order]
        new = np.ones(len(keys), bool)
        new[1:] = (keys[1:] != keys[:-1]) | (rows[1:] != rows[:-1])
        starts = np.flatnonzero(new)
        values = np.add.reduceat(values, starts)
        keys = keys[starts]
        counts = np.bincount(rows[starts], minlength=len(counts))
    if drop_zeros:
        kept = values != 0
        rows = np.repeat(np.arange(len(counts)), counts)[kept]
        counts, keys, values = np.bincount(rows, minlength=len(counts)), keys[kept], values[kept]
    return Block(counts, keys, values)
