"""NumPy's .npy: the header gives shape and type, so any range of rows is a byte range."""

from __future__ import annotations

import ast
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from amazon_estimators.errors import InputError
from amazon_estimators.s3 import InputObject, read_ahead, read_range
from amazon_estimators.sources.source import BLOCK_BYTES, Block, Layout, Piece, Schema, Source

MAGIC = b"\x93NUMPY"
FIRST_LOOK = 4096
HEADER_LIMIT = 2**20
HEADER_KEYS = {"descr", "fortran_order", "shape"}
NUMERIC_KINDS = "biuf"


def look(s3: Any, found: InputObject, source: Source) -> Layout:
    """Shape and dtype from the header, checked against the object's size."""
    _, shape, _, _ = header(s3, found)
    schema = Schema.of(source, width=shape[1], names=None, where=found.uri)
    return Layout(schema=schema, start=0, stop=shape[0], records=shape[0])


def read(s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block]:
    """Rows ``[start, stop)`` of the array."""
    dtype, shape, fortran, data_start = header(s3, piece.source)
    if shape[1] != schema.width:
        raise InputError(f"{piece.source.uri} has {shape[1]} columns where Plan saw {schema.width}")
    rows_of_block = max(1, BLOCK_BYTES // (shape[1] * max(dtype.itemsize, 4)))
    if fortran:
        yield from _read_columns(s3, piece, schema, dtype, shape, data_start, rows_of_block)
        return
    row_bytes = shape[1] * dtype.itemsize
    first, last = data_start + piece.start * row_bytes, data_start + piece.stop * row_bytes
    for chunk in read_ahead(s3, piece.source, first, last, chunk=rows_of_block * row_bytes):
        yield schema.split(np.frombuffer(chunk, dtype).reshape(-1, shape[1]))


def _read_columns(
    s3: Any,
    piece: Piece,
    schema: Schema,
    dtype: np.dtype[Any],
    shape: tuple[int, int],
    data_start: int,
    rows_of_block: int,
) -> Iterator[Block]:
    """Fortran order keeps columns together: a block of rows is one short range of each column."""
    for row in range(piece.start, piece.stop, rows_of_block):
        stop = min(row + rows_of_block, piece.stop)
        table = np.empty((stop - row, shape[1]), dtype)
        for column in range(shape[1]):
            start = data_start + (column * shape[0] + row) * dtype.itemsize
            part = read_range(s3, piece.source, start, start + (stop - row) * dtype.itemsize)
            table[:, column] = np.frombuffer(part, dtype)
        yield schema.split(table)


def header(s3: Any, found: InputObject) -> tuple[np.dtype[Any], tuple[int, int], bool, int]:
    """(dtype, shape, Fortran order, offset of the data). Raises InputError for anything that does not add up."""

    def refuse(reason: str, remedy: str = "Write it again with numpy.save.") -> InputError:
        return InputError(f"{found.uri} is no usable .npy file: {reason}", remedy=remedy)

    start = read_range(s3, found, 0, min(FIRST_LOOK, found.size))
    if len(start) < len(MAGIC) + 4 or not start.startswith(MAGIC):
        raise refuse("it is empty" if not start else "it does not start with NumPy's magic bytes")
    major = start[6]
    if major not in (1, 2, 3):
        raise refuse(f"format version {major}; known: 1, 2, 3")
    length_format, text_start = ("<H", 10) if major == 1 else ("<I", 12)
    if len(start) < text_start:
        raise refuse("the header is cut off")
    (length,) = struct.unpack_from(length_format, start, 8)
    data_start = text_start + length
    if length > HEADER_LIMIT or data_start > found.size:
        raise refuse(f"the header claims {length} bytes, the object has {found.size}")
    if data_start > len(start):
        start += read_range(s3, found, len(start), data_start)
    try:
        text = start[text_start:data_start].decode("utf-8" if major == 3 else "latin-1")  # noqa: PLR2004 - version 3
        fields = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise refuse("the header is no Python literal") from error
    if not isinstance(fields, dict) or set(fields) != HEADER_KEYS:
        raise refuse(f"the header needs exactly {', '.join(sorted(HEADER_KEYS))}")
    dtype = _dtype(fields["descr"], refuse)
    shape = fields["shape"]
    if (
        not isinstance(shape, tuple)
        or not all(isinstance(side, int) and not isinstance(side, bool) and side >= 0 for side in shape)
        or not isinstance(fields["fortran_order"], bool)
    ):
        raise refuse(f"shape {shape!r} or order {fields['fortran_order']!r} makes no sense")
    if len(shape) != 2 or not shape[1]:
        raise refuse(
            f"shape {shape}; allowed: two dimensions, rows and columns", "Reshape it to (rows, columns)."
        )
    size = data_start + shape[0] * shape[1] * dtype.itemsize
    if size != found.size:
        raise refuse(f"shape {shape} of {dtype} makes {size} bytes, the object has {found.size}")
    return dtype, (shape[0], shape[1]), fields["fortran_order"], data_start


def _dtype(descr: Any, refuse: Any) -> np.dtype[Any]:
    try:
        dtype = np.dtype(descr) if isinstance(descr, str) else None
    except (TypeError, ValueError):
        dtype = None
    if dtype is None or dtype.kind not in NUMERIC_KINDS:
        raise refuse(f"dtype {descr!r} is not numeric", "Save numbers: array.astype('float32').")
    return dtype
