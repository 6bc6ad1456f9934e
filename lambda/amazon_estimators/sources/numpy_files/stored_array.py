"""Read NumPy arrays by byte range: first the header, which is checked, then any rows."""

from __future__ import annotations

import ast
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, product, starmap
from typing import Any, Protocol

import numpy as np

from amazon_estimators.errors import InputError
from amazon_estimators.prefetch import ahead
from amazon_estimators.sources.files.disk_spill import side_by_side
from amazon_estimators.storage.s3 import READS_AHEAD, InputObject, read_ahead, read_range
from amazon_estimators.text import shown

MAGIC = b"\x93NUMPY"
FIRST_LOOK = 4096
HEADER_LIMIT = 2**20
HEADER_KEYS = {"descr", "fortran_order", "shape"}
NUMERIC_KINDS = "biuf"
UNREADABLE = (ValueError, TypeError, SyntaxError, MemoryError, RecursionError)
"""Errors of Python's parser, which reads the header's literal and some dtypes, for text that is neither."""
LARGEST_SIDE = 2**63 - 1
_NUMBERED = "Number the words: numpy.unique(array, return_inverse=True)[1]."
_DAYS = (
    "Save numbers, such as the days since a day: (array - numpy.datetime64('2024-01-01')).astype('float64')."
)
AS_NUMBERS = {
    "O": "Save numbers: array.astype('float32').",
    **dict.fromkeys("US", _NUMBERED),
    "M": _DAYS,
    "m": "Save numbers, such as days: array / numpy.timedelta64(1, 'D').",
    "c": "Save the parts: numpy.column_stack([array.real, array.imag]).",
}
"""How to save arrays that are not numeric, by the kind of their dtype."""
MOST_SIDES = 64
"""The most dimensions, as in NumPy. Python refuses to print integers as long as a header has room for."""

RANGE_BYTES = 4 * 2**20
SHORT_RANGE = 2**20
"""For fewer bytes, the request takes longer than the transfer."""
WAITING_BYTES = 320 * 2**20
"""Bytes of an array in Fortran order that wait on disk, read in long ranges, until they are rows. A Lambda
function's disk has 512 MiB; what is larger is read in several turns."""


class View(Protocol):
    """Bytes that can be read by range. ``where`` names them in errors."""

    where: str
    size: int

    def read(self, start: int, stop: int) -> bytes: ...

    def chunks(self, start: int, stop: int, chunk: int) -> Iterator[bytes]: ...


class ObjectView:
    """The bytes ``[offset, offset + size)`` of an object."""

    def __init__(
        self, s3: Any, input_object: InputObject, offset: int = 0, size: int | None = None, name: str = ""
    ) -> None:
        self._s3, self._input_object, self._offset = s3, input_object, offset
        self.size = input_object.size - offset if size is None else size
        self.where = f"{input_object.uri}, {name}" if name else input_object.uri

    def read(self, start: int, stop: int) -> bytes:
        return read_range(self._s3, self._input_object, self._offset + start, self._offset + stop)

    def chunks(self, start: int, stop: int, chunk: int) -> Iterator[bytes]:
        return read_ahead(
            self._s3, self._input_object, self._offset + start, self._offset + stop, chunk=chunk
        )


@dataclass(frozen=True)
class StoredArray:
    """An array of any number of dimensions; the first dimension counts rows."""

    view: View
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    data_start: int
    waiting: int = WAITING_BYTES
    """The most bytes of it that may wait on disk."""

    @property
    def width(self) -> int:
        """Number of columns; 1 for a vector."""
        return self.shape[1] if len(self.shape) > 1 else 1

    def rows(self, start: int, stop: int, at_once: int) -> Iterator[np.ndarray]:
        """Yield the rows ``[start, stop)`` in blocks of ``at_once``, shape (rows,) or (rows, columns)."""
        if self.fortran and self.width > 1:
            yield from self._columns(start, stop, at_once)
            return
        row_bytes = self.width * self.dtype.itemsize
        first, last = self.data_start + start * row_bytes, self.data_start + stop * row_bytes
        for chunk in self.view.chunks(first, last, at_once * row_bytes):
            yield np.frombuffer(chunk, self.dtype).reshape(-1, *self.shape[1:])

    def _columns(self, start: int, stop: int, at_once: int) -> Iterator[np.ndarray]:
        """Read Fortran order, which keeps columns together: a block of rows is a range of each column.

        If those ranges would be short, each read takes more rows than a block has, and the columns wait on
        disk.
        """
        turn = at_once
        if at_once * self.dtype.itemsize < SHORT_RANGE:
            waiting = self.waiting // (self.width * self.dtype.itemsize)
            turn = max(at_once, waiting // at_once * at_once)
        turns = [(first, min(first + turn, stop)) for first in range(start, stop, turn)]
        parts = ahead(self._numbers, chain.from_iterable(starmap(self._spans, turns)), width=READS_AHEAD)
        for first, last in turns:
            groups = self._groups(parts, last - first)
            if last - first > at_once:
                row_bytes = self.width * self.dtype.itemsize
                for blocks in side_by_side(groups, last - first, at_once, row_bytes):
                    yield np.concatenate(blocks, axis=1)
            else:
                block, column = np.empty((last - first, self.width), self.dtype), 0
                for group in groups:
                    table = np.concatenate(list(group))
                    block[:, column : column + table.shape[1]] = table
                    column += table.shape[1]
                yield block

    def _numbers(self, span: tuple[int, int]) -> np.ndarray:
        first, last = (self.data_start + place * self.dtype.itemsize for place in span)
        return np.frombuffer(self.view.read(first, last), self.dtype)

    def _columns_a_range(self, rows: int) -> int:
        return max(1, RANGE_BYTES // (rows * self.dtype.itemsize))

    def _spans(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Return the positions in the array of rows ``[start, stop)``, column by column; whole columns are
        one span."""
        height, together = self.shape[0], self._columns_a_range(stop - start)
        most = max(1, RANGE_BYTES // self.dtype.itemsize)
        if stop - start == height and together > 1:
            for column in range(0, self.width, together):
                yield column * height, min(column + together, self.width) * height
            return
        for column, row in product(range(self.width), range(start, stop, most)):
            yield column * height + row, column * height + min(row + most, stop)

    def _groups(self, parts: Iterator[np.ndarray], rows: int) -> Iterator[Iterator[np.ndarray]]:
        """Yield tables of some columns each, from ``parts`` in the order of ``_spans``."""
        together = self._columns_a_range(rows)
        for column in range(0, self.width, together):
            yield self._group(parts, rows, min(together, self.width - column))

    def _group(self, parts: Iterator[np.ndarray], rows: int, columns: int) -> Iterator[np.ndarray]:
        """Yield the next columns in blocks of rows; several columns are one block."""
        if columns > 1:
            table, at = np.empty(columns * rows, self.dtype), 0
            while at < len(table):
                part = next(parts)
                table[at : at + len(part)] = part
                at += len(part)
            yield table.reshape(columns, rows).T
            return
        while rows:
            part = next(parts)
            yield part[:, np.newaxis]
            rows -= len(part)


def open_array(view: View, *, kinds: str = NUMERIC_KINDS) -> StoredArray:
    """Read a header and check it: format versions 1 to 3, dtypes of ``kinds``, a shape that matches the size.

    Raises InputError for a header that fails a check.
    """

    def refuse(reason: str, remedy: str = "Write it again with numpy.save.") -> InputError:
        return InputError(f"{view.where} is not a usable .npy file: {reason}", remedy=remedy)

    fields, data_start = _header(view, refuse)
    dtype = _dtype(fields["descr"], kinds, refuse)
    shape, fortran = fields["shape"], fields["fortran_order"]
    if (
        not isinstance(shape, tuple)
        or len(shape) > MOST_SIDES
        or not all(type(side) is int and 0 <= side <= LARGEST_SIDE for side in shape)
        or not isinstance(fortran, bool)
    ):
        raise refuse(f"shape {shown(shape)} or order {shown(fortran)} is invalid")
    size = data_start + dtype.itemsize
    for side in shape:
        size = data_start + (size - data_start) * side
    if size != view.size:
        raise refuse(f"shape {shape} of {dtype} makes {size} bytes, there are {view.size}")
    return StoredArray(view, dtype, shape, fortran, data_start)


def _header(view: View, refuse: Callable[[str], InputError]) -> tuple[dict[str, Any], int]:
    """Return the header's fields, and the offset of the data."""
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
    except UNREADABLE as error:
        raise refuse("the header is not a Python literal") from error
    if not isinstance(fields, dict) or set(fields) != HEADER_KEYS:
        raise refuse(f"the header needs exactly {', '.join(sorted(HEADER_KEYS))}")
    return fields, data_start


def _dtype(descr: Any, kinds: str, refuse: Callable[[str, str], InputError]) -> np.dtype[Any]:
    try:
        dtype = np.dtype(descr) if isinstance(descr, str) else None
    except UNREADABLE:
        dtype = None
    if isinstance(descr, list):
        raise refuse(
            "it is a structured array, of fields with names",
            "Make it a matrix: from numpy.lib.recfunctions import structured_to_unstructured, and save "
            "structured_to_unstructured(array).",
        )
    if dtype is None or dtype.kind not in kinds or not dtype.itemsize:
        kind = "O" if dtype is None else dtype.kind
        raise refuse(f"dtype {shown(descr)} is not numeric", AS_NUMBERS.get(kind, AS_NUMBERS["O"]))
    return dtype
