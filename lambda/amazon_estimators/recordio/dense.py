"""Encode rows of a matrix as dense records.

Records of float rows with float labels, or none, have the same length and differ only in their values. So a
block of them is a table: its constant bytes are written once, and each block of rows fills two columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from amazon_estimators.errors import InputError
from amazon_estimators.recordio import variable_length as ragged
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
    padded,
    tensor_prefix,
)

WIDE_BYTES = 256
"""Records of this size have their constant bytes more than a few cache lines apart."""


def write_numpy_to_dense_tensor(
    file: IO[bytes],
    array: Any,
    labels: Any = None,
    *,
    allow_nonfinite: bool = False,
    first_row: int = 0,
) -> int:
    """Write each row of ``array`` as one dense record.

    Needs a few blocks of 2 MiB of memory (or of one record, if that is longer), whatever the size of
    ``array``.

    Args:
        file: Binary file object, written to from its current position. Writing consecutive blocks of rows
            gives the same bytes as writing them at once.
        array: 2-D, (rows, features); any memory order or view. float32 and float16 become Float32Tensor,
            float64 Float64Tensor, bool and integers Int32Tensor.
        labels: 1-D, (rows,), of any of these dtypes, whatever the features'. Default: records without label.
        allow_nonfinite: True writes NaN and Inf unchanged. Default: refuse them.
        first_row: The number of the first row of ``array`` in errors. Default: 0.

    Returns:
        The number of bytes written.

    Raises:
        InputError: A dtype without exact form, a wrong shape, a non-finite value, an integer beyond 32 bits
            or a record of 2^29 bytes or more. Dtype, shape and length are checked before anything is written,
            values block by block as they are written.
    """
    rows = _Rows(array, labels, allow_nonfinite, first_row)
    if rows.vary:
        return sum(write_all(file, block) for block in rows.varying())
    table = _Table(rows, first_row)
    memory = _memory(table.rows * table.size)
    table.lay(memory)
    written = 0
    for start, block, label_block in rows.blocks(table.rows):
        part = memory[: len(block) * table.size]
        table.fill_features(part, block)
        table.fill_labels(part, label_block)
        # Check after the copy, which brings the values into the cache, and before writing.
        rows.check(start, block, label_block)
        written += write_all(file, part.data)
    return written


def encode_dense(
    array: Any,
    labels: Any = None,
    *,
    out: Any = None,
    allow_nonfinite: bool = False,
    first_row: int = 0,
) -> memoryview:
    """Encode like :func:`write_numpy_to_dense_tensor`, in place in one buffer.

    Takes the writer's other parameters as well.

    Args:
        out: Writable buffer (bytearray, memoryview, uint8 array) that takes the records from its start.
            Default: a new one. A buffer that is reused for block after block stays warm: the fastest
            way to encode.

    Returns:
        The bytes written, as a view of ``out`` if you pass one.

    Raises:
        InputError: As the writer, and if ``out`` is too small or read-only.
    """
    rows = _Rows(array, labels, allow_nonfinite, first_row)
    if rows.vary:
        content = b"".join(bytes(block) for block in rows.varying())
        target = _target(out, len(content))
        target[:] = np.frombuffer(content, np.uint8)
        return target.data
    table = _Table(rows, first_row)
    target = _target(out, len(rows.matrix) * table.size)
    for start, block, label_block in rows.blocks(table.rows):
        part = target[start * table.size : (start + len(block)) * table.size]
        # The first step waits for the buffer's memory, and waits less the closer together its bytes are.
        if table.wide:
            table.fill_features(part, block)
        table.lay(part)
        if not table.wide:
            table.fill_features(part, block)
        table.fill_labels(part, label_block)
        rows.check(start, block, label_block)
    return target.data


def _target(out: Any, size: int) -> Array:
    """Return the first ``size`` bytes of the caller's buffer, or a new buffer."""
    if out is None:
        return np.empty(size, np.uint8)
    target = np.frombuffer(out, np.uint8)
    if target.size < size or not target.flags.writeable:
        kind = "writable" if target.flags.writeable else "read-only"
        raise InputError(
            f"the records take {size} bytes; out is a {kind} buffer of {target.size}",
            remedy="Pass a larger bytearray, or fewer rows at a time.",
        )
    return target[:size]


class _Rows:
    """Features and labels with their shapes and dtypes checked; values are checked block by block."""

    def __init__(self, array: Any, labels: Any, allow_nonfinite: bool, first_row: int) -> None:
        self.matrix = as_matrix(array)
        self.labels = as_labels(labels, len(self.matrix))
        self.tensor = tensor_for(self.matrix.dtype, "features")
        self.label_tensor = None if self.labels is None else tensor_for(self.labels.dtype, "labels")
        self.allow_nonfinite = allow_nonfinite
        self.first_row = first_row
        self.vary = not self.tensor.width or (self.label_tensor is not None and not self.label_tensor.width)
        """True if records differ in length: integers are varints."""

    def blocks(self, rows: int) -> Iterator[tuple[int, Array, Array | None]]:
        """Yield ``(start, features, labels)`` for a number of rows at a time, cast and contiguous, not yet
        checked."""
        for start in range(0, len(self.matrix), rows):
            labels = None
            if self.labels is not None and self.label_tensor is not None:
                labels = cast_block(self.labels[start : start + rows], self.label_tensor)
            yield start, cast_block(self.matrix[start : start + rows], self.tensor), labels

    def check(self, start: int, block: Array, labels: Array | None) -> None:
        """Raise :class:`InputError` for the first value of the block that must not be written."""
        refused = refused_value(block, self.tensor, self.allow_nonfinite)
        if refused:
            row, column = divmod(refused[0], self.matrix.shape[1])
            raise refuse(self.first_row + start + row, f"column {column}", refused[1])
        if labels is not None and self.label_tensor is not None:
            check_labels(labels, self.label_tensor, self.allow_nonfinite, self.first_row + start)

    def varying(self) -> Iterator[memoryview]:
        """Yield the records if they differ in length."""
        columns = self.matrix.shape[1]
        # Before the first byte is written, measure only rows that could be too long.
        if columns * (self.tensor.width or VARINT_LIMIT) + RECORD_OVERHEAD >= LENGTH_LIMIT:
            for row in range(len(self.matrix)):
                block = cast_block(self.matrix[row : row + 1], self.tensor)
                longest = None if self.label_tensor is None else np.full(1, -1)
                ragged.check_lengths(self._ragged(block, longest), self.first_row + row)
        for start, block, label_block in self.blocks(max(1, BLOCK_BYTES // 64 // (columns + 8))):
            self.check(start, block, label_block)
            yield ragged.encode(self._ragged(block, label_block), self.first_row + start)

    def _ragged(self, block: Array, labels: Array | None) -> ragged.Rows:
        counts = np.full(len(block), block.shape[1])
        return ragged.Rows(
            self.tensor, counts, block.reshape(-1), label_tensor=self.label_tensor, labels=labels
        )


class _Table:
    """The layout of records of one length: constant bytes, and positions for features and label."""

    def __init__(self, rows: _Rows, first_row: int) -> None:
        width = rows.matrix.shape[1] * rows.tensor.width
        label_width, label_head = 0, b""
        if rows.label_tensor:
            label_width = rows.label_tensor.width
            label_head = tensor_prefix(LABEL_TAG, rows.label_tensor, label_width)
        head = tensor_prefix(FEATURES_TAG, rows.tensor, width)
        payload = len(head) + width + len(label_head) + label_width
        check_length(first_row, payload)
        head = MAGIC_BYTES + payload.to_bytes(4, "little") + head
        padding = bytes(padded(payload) - payload)
        self.size = FRAME_BYTES + padded(payload)
        # Whole groups of 8 rows are a multiple of 32 bytes: see _memory.
        fitting = BLOCK_BYTES // self.size
        self.rows = max(1, min(len(rows.matrix), fitting & ~7 or fitting))
        self.wide = self.size >= WIDE_BYTES
        self.features = len(head), width
        self.labels = len(head) + width + len(label_head), label_width
        self.head = np.frombuffer(head, np.uint8)
        self.rest = np.frombuffer(label_head + bytes(label_width) + padding, np.uint8)

    def lay(self, memory: Array) -> None:
        """Write the constant bytes of as many records as ``memory`` holds."""
        memory[: self.head.size] = self.head
        memory[memory.size - self.rest.size :] = self.rest
        # Between the features of one record and those of the next lies one run of constant bytes.
        between = np.concatenate([self.rest, self.head])
        runs = memory[sum(self.features) : memory.size - self.rest.size - self.features[1]]
        self._column(runs, 0, between.size)[:] = between.view(f"V{between.size}")

    def fill_features(self, memory: Array, block: Array) -> None:
        """Write the features of the rows of ``block``, one record each."""
        # Copy rows as opaque items: NumPy then moves whole rows, at any alignment.
        features = self._column(memory, *self.features)
        features[:] = block.view(features.dtype)[:, 0]

    def fill_labels(self, memory: Array, labels: Array | None) -> None:
        """Write the label of each record, if they have labels."""
        if labels is not None:
            self._column(memory, *self.labels)[:] = labels.view(f"V{self.labels[1]}")

    def _column(self, memory: Array, start: int, width: int) -> Array:
        """Return the ``width`` bytes from byte ``start`` of every record, as one item per record."""
        count = (memory.size - start - width) // self.size + 1
        return np.ndarray((count,), f"V{width}", memory, start, (self.size,))


def _memory(size: int) -> Array:
    """Return ``size`` bytes that start 16 past a multiple of 32.

    A large buffer from malloc, such as a BytesIO's, starts there too. Copies between buffers of the same
    alignment are up to twice as fast.
    """
    memory = np.empty(size + 32, np.uint8)
    start = (16 - memory.ctypes.data) % 32
    return memory[start : start + size]
