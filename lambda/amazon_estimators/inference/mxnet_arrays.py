"""Read and write the array files of Apache MXNet (``mx.nd.save``) with NumPy alone.

Layout, little endian: u64 0x112, u64 0; u64 number of arrays, the arrays; u64 number of names (0 for a list),
each a u64 length and UTF-8. An array of format V2 or V3 is

- u32 magic, i32 storage type (0 dense, 1 row-sparse, 2 compressed rows)
- the shape of the stored values, if sparse; the shape; i32 and i32, the device
- i32 dtype of the values; for each index array an i32 dtype and its shape
- the values, then the index arrays

and a shape is an i32 number of dimensions, each an i64. V1 has no storage type; the oldest files start with
the number of dimensions, each a u32.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from amazon_estimators.errors import ModelError
from amazon_estimators.recordio import CsrParts

Array = npt.NDArray[Any]

FILE_MAGIC = struct.pack("<QQ", 0x112, 0)
V1, V2, V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
DENSE, ROW_SPARSE, CSR = 0, 1, 2
DTYPES = ("f4", "f8", "f2", "u1", "i4", "i1", "i8", "?", "i2", "u2", "u4", "u8")
"""NumPy's names of MXNet's dtypes; the position is MXNet's number. 12, bfloat16, NumPy has not."""
DTYPE_NUMBERS = {np.dtype(name): number for number, name in enumerate(DTYPES)}
CPU = (1, 0)
"""Device type and number that MXNet writes for arrays in main memory."""
DIMENSIONS = 32
"""Most dimensions of an array; NumPy's own limit is 64, MXNet's operators stop at 6."""


class RowSparse(NamedTuple):
    """Some rows of a matrix: row ``indices[i]`` is ``values[i]``, all others are zero."""

    values: Array
    indices: Array
    shape: tuple[int, ...]


Stored = Array | RowSparse | CsrParts
"""An array as a file holds it."""


def read(data: bytes) -> dict[str, Stored] | list[Stored]:
    """Read the arrays of a file, by name, or as a list if they have no names.

    Memory is bounded by the file: a sparse array stays sparse, see :func:`dense`.

    Args:
        data: The whole file.

    Raises:
        ModelError: The bytes are not such a file.
    """
    cursor = _Cursor(data)
    if cursor.take(len(FILE_MAGIC), "the file's magic number") != FILE_MAGIC:
        raise ModelError("it is not an MXNet array file: it does not start with the magic number 0x112")
    # An array takes at least the four bytes of its magic number, a name its length of eight.
    count = cursor.count("arrays", at_least=4)
    arrays = [_array(cursor, number) for number in range(count)]
    names = [cursor.name(number) for number in range(cursor.count("names", at_least=8))]
    if cursor.left:
        raise ModelError(f"{cursor.left:,} bytes follow the last name of the MXNet array file")
    if not names:
        return arrays
    if len(names) != len(arrays) or len({*names}) != len(names):
        raise ModelError(
            f"the MXNet array file has {len(arrays):,} arrays and {len({*names}):,} distinct names"
        )
    return dict(zip(names, arrays, strict=True))


def write(arrays: Mapping[str, Stored] | Sequence[Stored]) -> bytes:
    """Write arrays as ``mx.nd.save`` does, byte for byte.

    Args:
        arrays: Arrays by name, or a sequence of them for a file without names. NumPy arrays, ``CsrParts``
            and :class:`RowSparse`, of a dtype that MXNet has.

    Raises:
        ModelError: An array has no dimension, or a dtype that MXNet lacks.
    """
    named = isinstance(arrays, Mapping)
    values = list(arrays.values()) if isinstance(arrays, Mapping) else list(arrays)
    names = [name.encode() for name in arrays] if isinstance(arrays, Mapping) else []
    parts = [FILE_MAGIC, struct.pack("<Q", len(values)), *map(_packed, values)]
    parts.append(struct.pack("<Q", len(names) if named else 0))
    parts += [struct.pack("<Q", len(name)) + name for name in names]
    return b"".join(parts)


def dense(stored: Stored, limit: int) -> Array:
    """Return a stored array as a NumPy array of its full shape.

    Args:
        stored: An array as :func:`read` returns it.
        limit: Most bytes that the result may take.

    Raises:
        ModelError: It would take more.
    """
    if isinstance(stored, np.ndarray):
        return stored
    values = stored.values if isinstance(stored, RowSparse) else stored.data
    size = math.prod(stored.shape) * values.itemsize
    if size > limit:
        raise ModelError(
            f"a sparse array of shape {stored.shape} takes {size:,} bytes when it is filled; "
            f"allowed: {limit:,}",
            remedy="Pass a higher max_bytes if you trust the file and have the memory.",
        )
    full = np.zeros(stored.shape, values.dtype)
    if isinstance(stored, RowSparse):
        full[stored.indices] = stored.values
    else:
        rows = np.repeat(np.arange(stored.shape[0]), np.diff(stored.indptr))
        full[rows, stored.indices] = stored.data
    return full


class _Cursor:
    """A place in the file; nothing is taken before as many bytes are known to be left."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int, what: str) -> memoryview:
        if size > self.left:
            raise ModelError(
                f"the MXNet array file is cut: {what} takes {size:,} bytes at byte {self._at:,}, "
                f"{self.left:,} are left"
            )
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, form: str, what: str) -> int:
        value: int = struct.unpack(f"<{form}", self.take(struct.calcsize(form), what))[0]
        return value

    def count(self, what: str, *, at_least: int) -> int:
        """Read a number of things of at least so many bytes each."""
        count = self.number("Q", f"the number of {what}")
        if count * at_least > self.left:
            raise ModelError(
                f"the MXNet array file claims {count:,} {what}, but its {self.left:,} bytes hold fewer"
            )
        return count

    def name(self, number: int) -> str:
        text = self.take(self.number("Q", f"the length of name {number}"), f"name {number}")
        try:
            return str(text, "utf-8")
        except UnicodeDecodeError:
            raise ModelError(f"name {number} of the MXNet array file is not UTF-8") from None

    def shape(self, what: str, *, dimension: str = "q", dimensions: int | None = None) -> tuple[int, ...]:
        count = self.number("i", f"the shape of {what}") if dimensions is None else dimensions
        if not 0 <= count <= DIMENSIONS:
            raise ModelError(f"{what} has {count:,} dimensions; allowed: up to {DIMENSIONS}")
        taken = self.take(count * struct.calcsize(dimension), f"the shape of {what}")
        shape: tuple[int, ...] = struct.unpack(f"<{count}{dimension}", taken)
        if any(length < 0 for length in shape):
            raise ModelError(f"{what} has the shape {shape}: a dimension is negative")
        return shape

    def dtype(self, what: str) -> np.dtype[Any]:
        number = self.number("i", f"the dtype of {what}")
        if not 0 <= number < len(DTYPES):
            raise ModelError(f"{what} has dtype number {number}, which NumPy does not know")
        return np.dtype(DTYPES[number]).newbyteorder("<")

    def values(self, dtype: np.dtype[Any], shape: tuple[int, ...], what: str) -> Array:
        # Python's integers do not wrap, whatever the dimensions.
        taken = self.take(math.prod(shape) * dtype.itemsize, f"the values of {what}")
        if math.prod(length for length in shape if length) * dtype.itemsize > np.iinfo(np.int64).max:
            raise ModelError(f"{what} has the shape {shape}, which is beyond 64 bits")
        # A copy: values in a file may start at any byte, and its booleans may be any byte.
        if dtype.kind == "b":
            return np.frombuffer(taken, np.uint8).reshape(shape).astype(np.bool_)
        return np.frombuffer(taken, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _array(cursor: _Cursor, number: int) -> Stored:
    what = f"array {number}"
    magic = cursor.number("I", f"the magic number of {what}")
    kind = cursor.number("i", f"the storage type of {what}") if magic in {V2, V3} else DENSE
    if kind not in {DENSE, ROW_SPARSE, CSR}:
        raise ModelError(f"{what} has storage type {kind}; MXNet knows 0, 1 and 2")
    stored_shape = cursor.shape(f"the values of {what}") if kind else ()
    if magic in {V1, V2, V3}:
        shape = cursor.shape(what)
    else:
        shape = cursor.shape(what, dimension="I", dimensions=magic)
    if not shape and magic != V3:
        raise ModelError(f"{what} has no shape: MXNet writes that for an array without values")
    cursor.take(8, f"the device of {what}")
    dtype = cursor.dtype(what)
    indices = [
        (cursor.dtype(f"the indices of {what}"), cursor.shape(f"the indices of {what}")) for _ in range(kind)
    ]
    values = cursor.values(dtype, stored_shape if kind else shape, what)
    positions = [cursor.values(*index, f"the indices of {what}") for index in indices]
    if kind == ROW_SPARSE:
        return _checked_rows(RowSparse(values, positions[0], shape), what)
    if kind == CSR:
        if len(shape) != 2:
            raise ModelError(f"{what} has compressed rows of {len(shape)} dimensions; allowed: 2")
        return _checked_csr(CsrParts(values, positions[1], positions[0], (shape[0], shape[1])), what)
    return values


def _checked_rows(rows: RowSparse, what: str) -> RowSparse:
    fits = rows.indices.ndim == 1 and rows.values.shape == (len(rows.indices), *rows.shape[1:])
    if not fits or rows.indices.dtype.kind not in "iu":
        raise ModelError(
            f"{what} has {rows.indices.dtype} row numbers of shape {rows.indices.shape} "
            f"for values of shape {rows.values.shape}"
        )
    if len(rows.indices) and not 0 <= rows.indices.min() <= rows.indices.max() < rows.shape[0]:
        raise ModelError(f"{what} holds a row that is not among its {rows.shape[0]:,} rows")
    return rows


def _checked_csr(rows: CsrParts, what: str) -> CsrParts:
    kinds = {rows.indices.dtype.kind, rows.indptr.dtype.kind}
    if not kinds <= {"i", "u"} or {rows.data.ndim, rows.indices.ndim, rows.indptr.ndim} != {1}:
        raise ModelError(f"{what} has compressed rows of dtypes or shapes that do not belong together")
    pointers = rows.indptr.astype(np.int64)
    if (
        len(pointers) != rows.shape[0] + 1
        or pointers[0] != 0
        or pointers[-1] != len(rows.data)
        or len(rows.indices) != len(rows.data)
        or (np.diff(pointers) < 0).any()
    ):
        raise ModelError(f"{what} has row pointers that do not cover its {len(rows.data):,} values in order")
    if len(rows.indices) and not 0 <= rows.indices.min() <= rows.indices.max() < rows.shape[1]:
        raise ModelError(f"{what} holds a column that is not among its {rows.shape[1]:,} columns")
    return rows


def _packed(stored: Stored) -> bytes:
    if isinstance(stored, RowSparse):
        return _packed_parts(ROW_SPARSE, stored.shape, stored.values, [stored.indices])
    if isinstance(stored, CsrParts):
        return _packed_parts(CSR, stored.shape, stored.data, [stored.indptr, stored.indices])
    return _packed_parts(DENSE, stored.shape, stored, [])


def _packed_parts(kind: int, shape: tuple[int, ...], values: Array, indices: list[Array]) -> bytes:
    if not shape:
        raise ModelError("an MXNet array has at least one dimension", remedy="Reshape it: array.reshape(1).")
    parts = [struct.pack("<Ii", V2, kind)]
    if kind != DENSE:
        parts.append(_packed_shape(values.shape))
    parts += [_packed_shape(shape), struct.pack("<ii", *CPU), _packed_dtype(values)]
    for index in indices:
        parts += [_packed_dtype(index), _packed_shape(index.shape)]
    parts += [
        np.ascontiguousarray(part, part.dtype.newbyteorder("<")).tobytes() for part in [values, *indices]
    ]
    return b"".join(parts)


def _packed_shape(shape: tuple[int, ...]) -> bytes:
    return struct.pack(f"<i{len(shape)}q", len(shape), *shape)


def _packed_dtype(array: Array) -> bytes:
    number = DTYPE_NUMBERS.get(array.dtype.newbyteorder("="))
    if number is None:
        raise ModelError(f"MXNet has no dtype {array.dtype}", remedy="Cast the array, such as to float32.")
    return struct.pack("<i", number)
