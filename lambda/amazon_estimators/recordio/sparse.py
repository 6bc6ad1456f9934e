"""Write rows of a sparse matrix, or of an array with many zeros, as sparse records."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from amazon_estimators.recordio import variable_length as ragged
from amazon_estimators.recordio.csr_rows import Block, canonical, source_of
from amazon_estimators.recordio.values import (
    as_labels,
    cast_block,
    check_labels,
    refuse,
    refused_value,
    tensor_for,
    write_all,
)
from amazon_estimators.recordio.wire import LENGTH_LIMIT, RECORD_OVERHEAD, VARINT_LIMIT, Array, Tensor


def write_spmatrix_to_sparse_tensor(
    file: IO[bytes],
    array: Any,
    labels: Any = None,
    *,
    drop_zeros: bool = False,
    allow_nonfinite: bool = False,
    first_row: int = 0,
) -> int:
    """Write each row of ``array`` as one sparse record: keys sorted, duplicates summed, its width as shape.

    Args:
        file: Binary file object, written to from its current position. Writing consecutive blocks of rows
            gives the same bytes as writing them at once.
        array: 2-D, (rows, columns): a SciPy sparse matrix of any format, a tuple
            ``(data, indices, indptr, shape)`` of compressed rows, or an array of any layout, of which the
            non-zeros are written. Dtypes as in :func:`write_numpy_to_dense_tensor`.
        labels: 1-D, (rows,). Default: records without label.
        drop_zeros: True omits zeros that a sparse matrix stores explicitly. Default: keep them, as the
            SageMaker Python SDK does.
        allow_nonfinite: True writes NaN and Inf unchanged. Default: refuse them.
        first_row: The number of the first row of ``array`` in errors. Default: 0.

    Returns:
        The number of bytes written.

    Raises:
        InputError: As :func:`write_numpy_to_dense_tensor`, and for malformed compressed rows.
    """
    return sum(
        write_all(file, block) for block in _blocks(array, labels, drop_zeros, allow_nonfinite, first_row)
    )


def encode_sparse(
    array: Any,
    labels: Any = None,
    *,
    drop_zeros: bool = False,
    allow_nonfinite: bool = False,
    first_row: int = 0,
) -> memoryview:
    """Encode like :func:`write_spmatrix_to_sparse_tensor`, into one buffer.

    Takes the same parameters and raises the same errors.
    """
    file = io.BytesIO()
    write_spmatrix_to_sparse_tensor(
        file, array, labels, drop_zeros=drop_zeros, allow_nonfinite=allow_nonfinite, first_row=first_row
    )
    return file.getbuffer()


def _blocks(
    array: Any, labels: Any, drop_zeros: bool, allow_nonfinite: bool, first_row: int
) -> Iterator[memoryview]:
    source = source_of(array, first_row)
    rows, columns = source.shape
    label_array = as_labels(labels, rows)
    tensor = tensor_for(source.dtype, "features")
    label_tensor = None if label_array is None else tensor_for(label_array.dtype, "labels")
    # Before the first byte is written, measure only rows that could be too long.
    for row in source.longer_than(
        (LENGTH_LIMIT - RECORD_OVERHEAD) // ((tensor.width or VARINT_LIMIT) + VARINT_LIMIT)
    ):
        block = canonical(source.block(row, row + 1, tensor), drop_zeros)
        label_block = None if label_tensor is None else np.full(1, -1)
        ragged.check_lengths(_rows(block, tensor, columns, label_tensor, label_block), first_row + row)
    for start, stop in source.ranges():
        block = canonical(source.block(start, stop, tensor), drop_zeros)
        refused = refused_value(block.values, tensor, allow_nonfinite)
        if refused:
            row = int(np.searchsorted(np.cumsum(block.counts), refused[0], side="right"))
            raise refuse(first_row + start + row, f"column {block.keys[refused[0]]}", refused[1])
        label_block = None
        if label_array is not None and label_tensor is not None:
            label_block = cast_block(label_array[start:stop], label_tensor)
            check_labels(label_block, label_tensor, allow_nonfinite, first_row + start)
        yield ragged.encode(_rows(block, tensor, columns, label_tensor, label_block), first_row + start)


def _rows(
    block: Block, tensor: Tensor, columns: int, label_tensor: Tensor | None, labels: Array | None
) -> ragged.Rows:
    return ragged.Rows(tensor, block.counts, block.values, block.keys, columns, label_tensor, labels)
