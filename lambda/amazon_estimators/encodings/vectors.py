"""Rows of numbers as RecordIO-protobuf: float32 records, dense or sparse as their source is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from typing import Any

import numpy as np

from amazon_estimators.ahead import ahead
from amazon_estimators.errors import InputError, SchemaError
from amazon_estimators.plan import PlannedChannel
from amazon_estimators.receipts import Facts
from amazon_estimators.record_set import Labels
from amazon_estimators.recordio import write_numpy_to_dense_tensor, write_spmatrix_to_sparse_tensor
from amazon_estimators.s3 import InputObject
from amazon_estimators.sources import Block, Layout, Piece, Schema, Source, format_of
from amazon_estimators.sources.source import SparseRows
from amazon_estimators.upload import Upload

CONTENT_TYPE = "application/x-recordio-protobuf"

SMALL_OBJECT = 2**18
"""Bytes. Of thousands of small objects the next ones are opened ahead, or each would wait for S3 in turn."""
OBJECTS_AHEAD = 16

FINITE = "Fill it in or drop the row: the algorithms read neither NaN nor infinity."
IN_RANGE = f"float32 reaches to {np.finfo(np.float32).max:g}: scale the column."


def look(s3: Any, found: InputObject, source: Source) -> Layout:
    return format_of(found, source)[1].look(s3, found, source)


def encode(s3: Any, out: Upload, pieces: Iterable[Piece], planned: PlannedChannel) -> Facts:
    records, labels = 0, LabelRange()
    sparse: bool | None = None
    for piece, blocks in _opened(s3, pieces, planned):
        row = 0 if piece.first_row is None else piece.first_row
        for block in blocks:
            if sparse not in (None, isinstance(block.features, SparseRows)):
                raise SchemaError(
                    f"{piece.source.uri} and {planned.example} disagree: one holds sparse rows, the other dense ones",
                    remedy="Give all files of a channel the same kind.",
                )
            sparse = isinstance(block.features, SparseRows)
            labels.add(write_block(out, block, planned.schema, piece, row))
            records += len(block.features)
            row += len(block.features)
    return Facts(
        records=records, feature_dim=planned.schema.feature_dim, labels=labels.summary(), sparse=bool(sparse)
    )


def write_block(out: Any, block: Block, schema: Schema, piece: Piece, row: int) -> np.ndarray | None:
    """Append a block as float32 records; returns its labels. ``row`` is the number of the block's first row."""
    values = block.features.data if isinstance(block.features, SparseRows) else block.features
    # A value beyond float32 becomes an infinity here, which the codec refuses; numpy need not warn as well.
    with np.errstate(over="ignore"):
        features = values.astype(np.float32, copy=False)
        labels = None if block.labels is None else block.labels.astype(np.float32, copy=False)
    if block.labels is not None and labels is not None and block.labels.dtype.kind in "iu":
        _check_whole(block.labels, labels, piece, row)
    try:
        if isinstance(block.features, SparseRows):
            rows = (
                features,
                block.features.indices,
                block.features.indptr,
                (len(block.features), block.features.width),
            )
            write_spmatrix_to_sparse_tensor(out, rows, labels)
        else:
            write_numpy_to_dense_tensor(out, features, labels)
    except InputError as error:
        raise _explained(error, block, features, labels, schema, piece, row) from error
    return labels


def _explained(
    error: InputError,
    block: Block,
    features: np.ndarray,
    labels: np.ndarray | None,
    schema: Schema,
    piece: Piece,
    row: int,
) -> InputError:
    """The codec's error with the object, the row in it and the column's name."""
    if labels is not None and not np.isfinite(labels).all():
        at = int(np.flatnonzero(~np.isfinite(labels))[0])
        column = "label" if schema.label is None else f"label, {schema.column(schema.label)}"
        assert block.labels is not None
        return _refused(piece, row + at, column, block.labels[at])
    flat = features.reshape(-1)
    bad = np.flatnonzero(~np.isfinite(flat))
    if not len(bad):
        return InputError(f"{piece.source.uri}, rows from {row}: {error.message}", remedy=error.remedy)
    first = int(bad[0])
    if isinstance(block.features, SparseRows):
        at = int(np.searchsorted(block.features.indptr, first, side="right")) - 1
        return _refused(
            piece, row + at, f"column {block.features.indices[first]}", block.features.data[first]
        )
    at, feature = divmod(first, features.shape[1])
    return _refused(piece, row + at, schema.column(_position(schema, feature)), block.features[at, feature])


def _position(schema: Schema, feature: int) -> int:
    """The column in the input of a feature."""
    if schema.features is not None:
        return schema.features[feature]
    return feature + (schema.label is not None and feature >= schema.label)


def _refused(piece: Piece, row: int, column: str, value: Any) -> InputError:
    part = "" if piece.first_row is not None else f" of the part from byte {piece.start:,}"
    beyond = bool(np.isfinite(value))
    reason = "is beyond float32" if beyond else "is not a finite number"
    return InputError(
        f"{piece.source.uri}, row {row:,}{part}, {column}: {value!s} {reason}",
        remedy=IN_RANGE if beyond else FINITE,
    )


def _check_whole(given: np.ndarray, cast: np.ndarray, piece: Piece, row: int) -> None:
    """Integer labels name classes: two of them must not become one by rounding."""
    changed = np.flatnonzero(cast.astype(np.float64) != given)
    if len(changed):
        at = int(changed[0])
        raise InputError(
            f"{piece.source.uri}, row {row + at:,}, label: {given[at]} has no exact float32, which the records hold",
            remedy="Renumber the classes from 0, or give the labels as floats if rounding does not matter.",
        )


class LabelRange:
    """Minimum, maximum and wholeness of labels seen block by block."""

    def __init__(self) -> None:
        self._minimum, self._maximum, self._integral = np.inf, -np.inf, True

    def add(self, labels: np.ndarray | None) -> None:
        if labels is None or not len(labels):
            return
        self._minimum = min(self._minimum, float(labels.min()))
        self._maximum = max(self._maximum, float(labels.max()))
        self._integral = self._integral and bool((labels == np.trunc(labels)).all())

    def summary(self) -> Labels | None:
        """None if there was no label."""
        if self._minimum > self._maximum:
            return None
        return Labels(self._minimum, self._maximum, self._integral)


Opened = tuple[Piece, Iterator[Block]]


def _opened(s3: Any, pieces: Iterable[Piece], planned: PlannedChannel) -> Iterator[Opened]:
    """Each piece with its blocks, in order; small objects are opened ahead, up to their first block."""

    def read(piece: Piece) -> Iterator[Block]:
        return format_of(piece.source, planned.source)[1].read(s3, piece, planned.source, planned.schema)

    def open_small(piece: Piece) -> Opened:
        blocks = read(piece)
        first = next(blocks, None)
        return piece, blocks if first is None else chain((first,), blocks)

    for small, run in groupby(pieces, key=lambda piece: piece.source.size <= SMALL_OBJECT):
        if small:
            yield from ahead(open_small, run, width=OBJECTS_AHEAD)
        else:
            yield from ((piece, read(piece)) for piece in run)
