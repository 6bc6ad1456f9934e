"""Keep columns until all of them are read and can become rows: small ones in memory, large ones on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Protocol

import numpy as np

from amazon_estimators.sources.files.disk_spill import room_for

HELD_BYTES = 48 * 2**20
"""The most bytes of columns that wait in memory."""
CACHE_LINE, PAGE = 64, 4096


class WaitingColumns(Protocol):
    """Columns of one type and of as many rows."""

    def put(self, column: int, row: int, values: np.ndarray) -> None:
        """Set the values of a column from ``row`` on; cast as NumPy casts, without a warning."""

    def strips(self, start: int, stop: int) -> np.ndarray:
        """Return the rows ``[start, stop)`` of all columns, shape (columns, rows)."""


@contextmanager
def waiting_columns(columns: int, rows: int, kind: Any = np.float32) -> Iterator[WaitingColumns]:
    """Yield room for the columns, all together. Raises InputError if the disk is full."""
    dtype = np.dtype(kind)
    size = dtype.itemsize * columns * rows
    if size <= HELD_BYTES:
        yield _InMemory(columns, rows, dtype)
    else:
        with room_for(size), tempfile.TemporaryFile() as file:
            yield _OnDisk(file, columns, rows, dtype)


def _apart(columns: int, rows: int, dtype: np.dtype[Any]) -> np.ndarray:
    """Return an empty array whose columns lie a cache line more than a multiple of 4 KiB apart.

    Row groups often have 2^17 rows or the like. The values of a row would all be in the same few lines of the
    processor's cache, and making rows of columns take eight times as long.
    """
    line, page = CACHE_LINE // dtype.itemsize, PAGE // dtype.itemsize
    return np.empty((columns, -(-rows // page) * page + line), dtype)[:, :rows]


class _InMemory:
    def __init__(self, columns: int, rows: int, dtype: np.dtype[Any]) -> None:
        self._table = _apart(columns, rows, dtype)

    def put(self, column: int, row: int, values: np.ndarray) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            self._table[column, row : row + len(values)] = values

    def strips(self, start: int, stop: int) -> np.ndarray:
        return self._table[:, start:stop]


class _OnDisk:
    """A file of strips: 3 columns of 100 rows of float32 are 3 strips of 400 bytes, one after the other."""

    def __init__(self, file: BinaryIO, columns: int, rows: int, dtype: np.dtype[Any]) -> None:
        self._file, self._columns, self._rows, self._dtype = file, columns, rows, dtype

    def put(self, column: int, row: int, values: np.ndarray) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            strip = np.ascontiguousarray(values, self._dtype)
        self._seek(column, row)
        self._file.write(strip.data)

    def strips(self, start: int, stop: int) -> np.ndarray:
        strips = _apart(self._columns, stop - start, self._dtype)
        for column, strip in enumerate(strips):
            self._seek(column, start)
            self._file.readinto(strip.data)  # type: ignore[attr-defined]
        return strips

    def _seek(self, column: int, row: int) -> None:
        self._file.seek(self._dtype.itemsize * (column * self._rows + row))
