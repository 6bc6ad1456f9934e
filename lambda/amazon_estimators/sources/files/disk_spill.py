"""Join tables of the same rows side by side: each is read to its end and waits on disk for the others."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np

from amazon_estimators.errors import InputError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def side_by_side(
    tables: Iterable[Iterator[np.ndarray]], rows: int, at_once: int, row_bytes: int
) -> Iterator[list[np.ndarray]]:
    """Yield blocks of ``at_once`` of the ``rows`` rows, one array per table; a row takes ``row_bytes`` in all
    tables.

    Each of ``tables`` yields blocks of one dtype and width. It is read to its end before the next begins, so
    memory holds one table's buffers at a time. The rows wait in a temporary file. Raises InputError if the
    disk has no room for them.
    """
    with room_for(rows * row_bytes), tempfile.TemporaryFile() as file:
        shelves = [_Shelf(file, blocks) for blocks in tables]
        for row in range(0, rows, at_once):
            yield [shelf.rows(row, min(at_once, rows - row)) for shelf in shelves]


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Raise InputError, with the ``size`` bytes that are needed, if the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise InputError(
            f"{tempfile.gettempdir()} is full: {size:,} bytes of columns must wait there, "
            f"because there are too many to read at once: {error}",
            remedy="Free space there, set TMPDIR to a directory with more, read fewer columns, or write "
            "the file with smaller row groups.",
        ) from error


class _Shelf:
    """One table in the temporary file, from the position at which it was written."""

    def __init__(self, file: IO[bytes], blocks: Iterator[np.ndarray]) -> None:
        self._file, self._start = file, file.tell()
        self._row_shape: tuple[int, ...] = ()
        self._dtype: np.dtype[Any] = np.dtype(np.float32)
        for block in blocks:
            self._row_shape, self._dtype = block.shape[1:], block.dtype
            file.write(np.ascontiguousarray(block).data)

    def rows(self, start: int, count: int) -> np.ndarray:
        row = self._dtype.itemsize * int(np.prod(self._row_shape))
        self._file.seek(self._start + start * row)
        data = self._file.read(count * row)
        # The next table begins where this one ends: shelves are read only after all are written.
        return np.frombuffer(data, self._dtype).reshape(count, *self._row_shape)
