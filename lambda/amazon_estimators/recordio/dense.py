"""Rows of a matrix to dense records.

Float rows with float labels (or none) make records of one length that differ only in their values. So a block
of them is a table: its constant bytes are written once, and each block of rows only fills two columns.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, Any, Protocol

import numpy as np

from amazon_estimators.recordio import ragged
from amazon_estimators.recordio.values import (
    BLOCK_BYTES,
    as_labels,
    as_matrix,
    cast_block,
    check_labels,
    check_length,
    refuse,
    refused_value,
    tensor_for,
    write_all,
)
from amazon_estimators.recordio.wire import (
    FEATURES_TAG,
    FRAME_BYTES,
    LABEL_TAG,
    LENGTH_LIMIT,
    MAGIC_BYTES,
    RECORD_OVERHEAD,
    VARINT_LIMIT,
    Array,
    Tensor,
    padded,
    tensor_prefix,
)


def write_numpy_to_dense_tensor(
    file: IO[bytes],
    array: Any,
    labels: Any = None,
    *,
    allow_nonfinite: bool = False,
    first_row: int = 0,
) -> int:
    """Write each row of ``array`` as one dense record.

    :param file: binary file object, written to from where it stands. Writing consecutive blocks of rows one
        after the other gives the same bytes as writing them at once.
    :param array: 2-D, (rows, features); any memory order or view. float32 (and float16) become Float32Tensor,
        float64 Float64Tensor, bool and integers Int32Tensor.
    :param labels: 1-D, (rows,), of the same dtypes, independent of the features'; default: no label.
    :param allow_nonfinite: write NaN and Inf as they are; default: refuse them.
    :param first_row: the number errors give to the first row of ``array``; default 0.
    :returns: the number of bytes written.
    :raises InputError: for a dtype without exact form, a wrong shape, a non-finite value, an integer beyond
        32 bits or a record of 2^29 bytes or more. Dtype, shape and length are checked before anything is
        written, values block by block as they are written.

    Extra memory is a few blocks of 1 MiB (or of one record, where that is longer), whatever the size of
    ``array``.
    """
    return sum(write_all(file, block) for block in _blocks(array, labels, allow_nonfinite, first_row))


def encode_dense(
    array: Any, labels: Any = None, *, allow_nonfinite: bool = False, first_row: int = 0
) -> memoryview:
    """What :func:`write_numpy_to_dense_tensor` would write, as one buffer; same parameters and errors."""
    file = io.BytesIO()
    write_numpy_to_dense_tensor(file, array, labels, allow_nonfinite=allow_nonfinite, first_row=first_row)
    return file.getbuffer()


def _blocks(array: Any, labels: Any, allow_nonfinite: bool, first_row: int) -> Iterator[memoryview]:
    """The records in consecutive pieces. A piece is only good until the next one is asked for."""
    matrix = as_matrix(array)
    label_array = as_labels(labels, len(matrix))
    tensor = tensor_for(matrix.dtype, "features")
    label_tensor = None if label_array is None else tensor_for(label_array.dtype, "labels")
    if tensor.width and (label_tensor is None or label_tensor.width):
        encoder: _Encoder = _Table(matrix.shape[1], tensor, label_tensor, len(matrix), first_row)
    else:
        encoder = _Varying(matrix, tensor, label_tensor, first_row)
    for start in range(0, len(matrix), encoder.rows):
        block = cast_block(matrix[start : start + encoder.rows], tensor)
        refused = refused_value(block, tensor, allow_nonfinite)
        if refused:
            row, column = divmod(refused[0], matrix.shape[1])
            raise refuse(first_row + start + row, f"column {column}", refused[1])
        label_block = None
        if label_array is not None and label_tensor is not None:
            label_block = cast_block(label_array[start : start + encoder.rows], label_tensor)
            check_labels(label_block, label_tensor, allow_nonfinite, first_row + start)
        yield encoder.encode(block, label_block, first_row + start)


class _Encoder(Protocol):
    rows: int
    """Rows per block."""

    def encode(self, block: Array, labels: Array | None, first_row: int) -> memoryview: ...


class _Table:
    """Records of one length, written again and again into the same memory."""

    def __init__(
        self, columns: int, tensor: Tensor, label_tensor: Tensor | None, rows: int, first_row: int
    ) -> None:
        width = columns * tensor.width
        head = tensor_prefix(FEATURES_TAG, tensor, width)
        label_width = label_tensor.width if label_tensor else 0
        label_head = tensor_prefix(LABEL_TAG, label_tensor, label_width) if label_tensor else b""
        payload = len(head) + width + len(label_head) + label_width
        check_length(first_row, payload)
        self.size = FRAME_BYTES + padded(payload)
        # Whole groups of 8 rows are a multiple of 32 bytes: see _memory.
        fitting = BLOCK_BYTES // self.size
        self.rows = max(1, min(rows, fitting & ~7 or fitting))
        head = MAGIC_BYTES + payload.to_bytes(4, "little") + head
        label_at = len(head) + width
        table = _memory(self.rows * self.size).reshape(self.rows, self.size)
        table[:, : len(head)] = np.frombuffer(head, np.uint8)
        table[:, label_at : label_at + len(label_head)] = np.frombuffer(label_head, np.uint8)
        self.memory = table.reshape(-1).data
        # Rows and labels are copied as opaque items: numpy then moves whole rows, at any alignment.
        self.feature_type, self.label_type = f"V{width}", f"V{label_width}"
        self.features = _column(table, len(head), self.feature_type)
        self.labels = _column(table, label_at + len(label_head), self.label_type) if label_tensor else None

    def encode(self, block: Array, labels: Array | None, first_row: int) -> memoryview:
        rows = len(block)
        self.features[:rows] = block.view(self.feature_type)[:, 0]
        if self.labels is not None and labels is not None:
            self.labels[:rows] = labels.view(self.label_type)
        return self.memory[: rows * self.size]


def _memory(size: int) -> Array:
    """``size`` zero bytes that start 16 past a multiple of 32.

    So does a large buffer from malloc, such as that of a BytesIO. Copies between places of one phase are up
    to twice as fast as others.
    """
    memory = np.zeros(size + 32, np.uint8)
    start = (16 - memory.ctypes.data) % 32
    return memory[start : start + size]


def _column(table: Array, start: int, item: str) -> Array:
    """The bytes from column ``start`` of a contiguous uint8 matrix as one item a row."""
    return np.ndarray((len(table),), item, table, start, (table.shape[1],))


class _Varying:
    """Integer values or labels: varints, so that records differ in length."""

    def __init__(self, matrix: Array, tensor: Tensor, label_tensor: Tensor | None, first_row: int) -> None:
        self.tensor, self.label_tensor = tensor, label_tensor
        columns = matrix.shape[1]
        self.rows = max(1, BLOCK_BYTES // 32 // (columns + 8))
        # Only rows that could be too long are measured before the first byte is written.
        if columns * (tensor.width or VARINT_LIMIT) + RECORD_OVERHEAD >= LENGTH_LIMIT:
            for row in range(len(matrix)):
                labels = None if label_tensor is None else np.full(1, -1)
                rows = self._rows(cast_block(matrix[row : row + 1], tensor), labels)
                ragged.check_lengths(rows, first_row + row)

    def _rows(self, block: Array, labels: Array | None) -> ragged.Rows:
        counts = np.full(len(block), block.shape[1])
        return ragged.Rows(
            self.tensor, counts, block.reshape(-1), label_tensor=self.label_tensor, labels=labels
        )

    def encode(self, block: Array, labels: Array | None, first_row: int) -> memoryview:
        return ragged.encode(self._rows(block, labels), first_row)
