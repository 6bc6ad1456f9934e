"""NumPy arrays in bytes that are fetched by range: the header, checked, and then any rows of it."""

from __future__ import annotations

import ast
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np

from amazon_estimators.ahead import ahead
from amazon_estimators.errors import InputError
from amazon_estimators.s3 import READS_AHEAD, InputObject, read_ahead, read_range

MAGIC = b"\x93NUMPY"
FIRST_LOOK = 4096
HEADER_LIMIT = 2**20
HEADER_KEYS = {"descr", "fortran_order", "shape"}
NUMERIC_KINDS = "biuf"


class View(Protocol):
    """Bytes somewhere: ``where`` is what errors call them."""

    where: str
    size: int

    def read(self, start: int, stop: int) -> bytes: ...

    def chunks(self, start: int, stop: int, chunk: int) -> Iterator[bytes]: ...


class ObjectView:
    """The bytes ``[offset, offset + size)`` of an object."""

    def __init__(
        self, s3: Any, found: InputObject, offset: int = 0, size: int | None = None, name: str = ""
    ) -> None:
        self._s3, self._found, self._offset = s3, found, offset
        self.size = found.size - offset if size is None else size
        self.where = f"{found.uri}, {name}" if name else found.uri

    def read(self, start: int, stop: int) -> bytes:
        return read_range(self._s3, self._found, self._offset + start, self._offset + stop)

    def chunks(self, start: int, stop: int, chunk: int) -> Iterator[bytes]:
        return read_ahead(self._s3, self._found, self._offset + start, self._offset + stop, chunk=chunk)


@dataclass(frozen=True)
class StoredArray:
    """An array of any number of dimensions; the first one counts rows."""

    view: View
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    data_start: int

    @property
    def width(self) -> int:
        """Columns: of a vector one."""
        return self.shape[1] if len(self.shape) > 1 else 1

    def rows(self, start: int, stop: int, at_once: int) -> Iterator[np.ndarray]:
        """Rows ``[start, stop)`` in blocks of ``at_once``, shape (rows,) or (rows, columns)."""
        if self.fortran and self.width > 1:
            yield from self._columns(start, stop, at_once)
            return
        row_bytes = self.width * self.dtype.itemsize
        first, last = self.data_start + start * row_bytes, self.data_start + stop * row_bytes
        for chunk in self.view.chunks(first, last, at_once * row_bytes):
            yield np.frombuffer(chunk, self.dtype).reshape(-1, *self.shape[1:])

    def _columns(self, start: int, stop: int, at_once: int) -> Iterator[np.ndarray]:
        """Fortran order keeps columns together: a block of rows is one short range of each column."""
        size, height = self.dtype.itemsize, self.shape[0]

        def read(place: tuple[int, int]) -> bytes:
            row, column = place
            first = self.data_start + (column * height + row) * size
            return self.view.read(first, first + (min(row + at_once, stop) - row) * size)

        starts = range(start, stop, at_once)
        parts = ahead(read, product(starts, range(self.width)), width=READS_AHEAD)
        for row in starts:
            block = np.empty((min(row + at_once, stop) - row, self.width), self.dtype)
            for column in range(self.width):
                block[:, column] = np.frombuffer(next(parts), self.dtype)
            yield block


def open_array(view: View, *, kinds: str = NUMERIC_KINDS) -> StoredArray:
    """Read and check a header: format versions 1 to 3, dtypes of ``kinds``, a shape that makes the size.

    Raises InputError for anything that does not add up.
    """

    def refuse(reason: str, remedy: str = "Write it again with numpy.save.") -> InputError:
        return InputError(f"{view.where} is no usable .npy file: {reason}", remedy=remedy)

    fields, data_start = _header(view, refuse)
    dtype = _dtype(fields["descr"], kinds, refuse)
    shape, fortran = fields["shape"], fields["fortran_order"]
    if (
        not isinstance(shape, tuple)
        or not all(isinstance(side, int) and not isinstance(side, bool) and side >= 0 for side in shape)
        or not isinstance(fortran, bool)
    ):
        raise refuse(f"shape {shape!r} or order {fortran!r} makes no sense")
    size = data_start + dtype.itemsize
    for side in shape:
        size = data_start + (size - data_start) * side
    if size != view.size:
        raise refuse(f"shape {shape} of {dtype} makes {size} bytes, there are {view.size}")
    return StoredArray(view, dtype, shape, fortran, data_start)


def _header(view: View, refuse: Callable[[str], InputError]) -> tuple[dict[str, Any], int]:
    """The header's fields, and where the data begin."""
    start = view.read(0, min(FIRST_LOOK, view.size))
    if len(start) < len(MAGIC) + 4 or not start.startswith(MAGIC):
        raise refuse("it does not start with NumPy's magic bytes" if start else "it is empty")
    major = start[6]
    if major not in (1, 2, 3):
        raise refuse(f"format version {major}; known: 1, 2, 3")
    length_format, text_start = ("<H", 10) if major == 1 else ("<I", 12)
    if len(start) < text_start:
        raise refuse("the header is cut off")
    (length,) = struct.unpack_from(length_format, start, 8)
    data_start = text_start + length
    if length > HEADER_LIMIT or data_start > view.size:
        raise refuse(f"the header claims {length} bytes, there are {view.size}")
    if data_start > len(start):
        start += view.read(len(start), data_start)
    try:
        fields = ast.literal_eval(start[text_start:data_start].decode("utf-8" if major == 3 else "latin-1"))
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise refuse("the header is no Python literal") from error
    if not isinstance(fields, dict) or set(fields) != HEADER_KEYS:
        raise refuse(f"the header needs exactly {', '.join(sorted(HEADER_KEYS))}")
    return fields, data_start


def _dtype(descr: Any, kinds: str, refuse: Callable[[str, str], InputError]) -> np.dtype[Any]:
    try:
        dtype = np.dtype(descr) if isinstance(descr, str) else None
    except (TypeError, ValueError):
        dtype = None
    if dtype is None or dtype.kind not in kinds or not dtype.itemsize:
        raise refuse(f"dtype {descr!r} is not numeric", "Save numbers: array.astype('float32').")
    return dtype
