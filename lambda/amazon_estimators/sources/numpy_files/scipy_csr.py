"""Read SciPy's CSR matrix in an .npz file (scipy.sparse.save_npz). Rows stay sparse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from amazon_estimators.errors import InputError, SchemaError
from amazon_estimators.sources.blocks import Block, SparseRows
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.numpy_files.stored_array import StoredArray
from amazon_estimators.sources.numpy_files.zip_archive import Archive
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import FEATURE_LIMIT, Source
from amazon_estimators.storage.s3 import InputObject

MEMBERS = {"data", "indices", "indptr", "shape", "format"}
SIGNS = {"data", "shape", "format"}
"""The arrays that save_npz writes for a sparse matrix of any kind."""
ADD_LABELS = (
    "Add the labels to the file of the matrix, numpy.savez(path, **numpy.load(path), y=labels), and name "
    'them in the Source: label="y".'
)
ROWS_AT_ONCE = 2**16
VALUES_AT_ONCE = 2**20
ROW_LIMIT = 2**22
"""Values of the longest row accepted."""


def look(archive: Archive, input_object: InputObject, source: Source) -> Layout:
    rows, width = _shape(archive, input_object)
    _arrays(archive, input_object, rows)
    _labels(archive, input_object, source, rows)
    named = [name for name in ("features", "exclude") if getattr(source, name)] + [*source.rules.named]
    if named:
        raise SchemaError(
            f"{input_object.uri} is a sparse matrix: all its columns are features",
            remedy=f"Leave {' and '.join(named)} out of the Source.",
        )
    schema = Schema(width=width, names=None, features=None, label=None, sparse=True)
    return Layout(schema=schema, start=0, stop=rows, records=rows)


def read(archive: Archive, piece: Piece, source: Source, schema: Schema) -> Iterator[Block]:
    input_object = piece.source
    rows, width = _shape(archive, input_object)
    if not schema.sparse or width != schema.width:
        raise SchemaError(
            f"{input_object.uri} has {width} sparse columns; "
            f"expected {schema.width} {'sparse' if schema.sparse else 'dense'} ones",
            remedy="Give all files of a channel the same columns.",
        )
    data, indices, indptr = _arrays(archive, input_object, rows)
    labels = _labels(archive, input_object, source, rows)
    for start in range(piece.start, piece.stop, ROWS_AT_ONCE):
        stop = min(start + ROWS_AT_ONCE, piece.stop)
        (ends,) = indptr.rows(start, stop + 1, stop + 1 - start)
        ends = ends.astype(np.int64)
        if (np.diff(ends) < 0).any() or ends[0] < 0 or ends[-1] > data.shape[0] or (start == 0 and ends[0]):
            raise _damaged(
                input_object,
                f"indptr of rows {start} to {stop - 1} does not ascend from 0 to {data.shape[0]}",
            )
        if stop == rows and ends[-1] != data.shape[0]:
            raise _damaged(
                input_object,
                f"indptr ends at {ends[-1]}, there are {data.shape[0]} values",
                "Drop what is left over, matrix.prune(), and write it again: scipy.sparse.save_npz.",
            )
        row = 0
        while row < stop - start:
            last = max(row + 1, int(np.searchsorted(ends, ends[row] + VALUES_AT_ONCE, side="right")) - 1)
            first_value, last_value = int(ends[row]), int(ends[last])
            if last_value - first_value > ROW_LIMIT:
                raise InputError(
                    f"{input_object.uri}, row {start + row}: {last_value - first_value} values; "
                    f"allowed {ROW_LIMIT}",
                    remedy="Drop values of that row.",
                )
            block = _block(
                data, indices, ends[row : last + 1], width=width, input_object=input_object, row=start + row
            )
            if labels is not None:
                block = replace(block, labels=next(labels.rows(start + row, start + last, last - row)))
            yield block
            row = last


def _block(
    data: StoredArray,
    indices: StoredArray,
    ends: np.ndarray,
    *,
    width: int,
    input_object: InputObject,
    row: int,
) -> Block:
    first, last = int(ends[0]), int(ends[-1])
    values = next(data.rows(first, last, max(1, last - first)), np.empty(0, data.dtype))
    columns = next(indices.rows(first, last, max(1, last - first)), np.empty(0, np.int64)).astype(np.int64)
    return Block(
        sorted_rows(values, columns, ends - first, width=width, input_object=input_object, row=row), None
    )


def sorted_rows(
    values: np.ndarray,
    columns: np.ndarray,
    ends: np.ndarray,
    *,
    width: int,
    input_object: InputObject,
    row: int,
) -> SparseRows:
    """Return the rows with their columns in ascending order.

    Raises InputError for a column outside the width or twice in a row."""
    rows = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
    outside = np.flatnonzero((columns < 0) | (columns >= width))
    if len(outside):
        at = int(outside[0])
        raise InputError(
            f"{input_object.uri}, row {row + int(rows[at])}: column {columns[at]}; allowed: 0 to {width - 1}",
            remedy="Rows and columns are counted from 0. Give all files the same number of features; for "
            "libsvm set feature_count in the Source.",
        )
    place = rows * width + columns  # at most some million rows of 2^31 columns: no overflow
    if (np.diff(place) <= 0).any():
        order = np.argsort(place, kind="stable")
        values, columns, place = values[order], columns[order], place[order]
        twice = np.flatnonzero(np.diff(place) == 0)
        if len(twice):
            at = int(order[twice[0]])
            raise InputError(
                f"{input_object.uri}, row {row + int(rows[at])}: column {columns[twice[0]]} occurs twice",
                remedy="Rows and columns are counted from 0. Add the values up: matrix.sum_duplicates().",
            )
    return SparseRows(values, columns, ends, width)


def _shape(archive: Archive, input_object: InputObject) -> tuple[int, int]:
    kind = archive.array("format", kinds="SU")
    text = np.frombuffer(kind.view.read(kind.data_start, min(kind.view.size, kind.data_start + 64)), np.uint8)
    name = bytes(text[text > 0]).decode("latin-1")
    if name != "csr":
        raise InputError(
            f"{input_object.uri} is a sparse matrix in {name!r} format; allowed: 'csr'",
            remedy="Save m.tocsr().",
        )
    array = archive.array("shape", kinds="iu")
    if array.shape != (2,):
        raise _damaged(input_object, f"its shape has shape {array.shape}")
    rows, width = (int(side) for side in next(array.rows(0, 2, 2)))
    if not (rows >= 0 and 1 <= width <= FEATURE_LIMIT):
        raise _damaged(input_object, f"it claims {rows} rows of {width} columns")
    return rows, width


def _arrays(
    archive: Archive, input_object: InputObject, rows: int
) -> tuple[StoredArray, StoredArray, StoredArray]:
    if missing := MEMBERS - {*archive.names}:
        raise _damaged(input_object, f"there is no {', '.join(sorted(missing))}")
    data = archive.array("data")
    indices, indptr = (archive.array(name, kinds="iu") for name in ("indices", "indptr"))
    if (len(data.shape), indices.shape, indptr.shape) != (1, data.shape, (rows + 1,)):
        raise _damaged(
            input_object,
            f"data {data.shape}, indices {indices.shape} and indptr {indptr.shape} do not fit {rows} rows",
        )
    return data, indices, indptr


def _labels(archive: Archive, input_object: InputObject, source: Source, rows: int) -> StoredArray | None:
    """Read the labels, an array of their own beside those of the matrix."""
    if source.label is None:
        return None
    others = [name for name in archive.names if name not in {*MEMBERS, "_is_array"}]
    if source.label not in others:
        raise SchemaError(
            f"{input_object.uri} is a sparse matrix, and beside it there is no array {source.label!r}; "
            f"there are: {', '.join(others) or 'none'}",
            remedy=ADD_LABELS,
        )
    labels = archive.array(str(source.label))
    if labels.shape not in ((rows,), (rows, 1)):
        raise InputError(
            f"{input_object.uri}, {source.label}: its shape is {labels.shape}, of {rows} rows",
            remedy="Give one label for each row of the matrix.",
        )
    return replace(labels, shape=(rows,))


def _damaged(
    input_object: InputObject, reason: str, remedy: str = "Write it again: scipy.sparse.save_npz."
) -> InputError:
    return InputError(f"{input_object.uri} is not a complete CSR matrix: {reason}", remedy=remedy)
