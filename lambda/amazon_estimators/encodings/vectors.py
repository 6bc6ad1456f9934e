"""Rows of numbers as RecordIO-protobuf: float32 records, dense or sparse as their source is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any, Protocol

import numpy as np

from amazon_estimators.encodings.contract import Facts, PlannedChannel
from amazon_estimators.errors import InputError, SchemaError
from amazon_estimators.prefetch import ahead
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.recordio import write_numpy_to_dense_tensor, write_spmatrix_to_sparse_tensor
from amazon_estimators.sources import Block, Layout, Piece, Schema, Source, float32, format_of, readers
from amazon_estimators.sources.blocks import SparseRows
from amazon_estimators.sources.formats import FORMATS
from amazon_estimators.storage.multipart_upload import ObjectWriter
from amazon_estimators.storage.object_list import ObjectList
from amazon_estimators.storage.s3 import InputObject
from amazon_estimators.summaries import LabelRange

SMALL_OBJECT = 2**18
"""Bytes. Of thousands of small objects the next ones are opened ahead, or each would wait for S3 in turn."""
OBJECTS_AHEAD = 16


def resolve(s3: Any, objects: ObjectList, source: Source) -> Source:
    """Return the source with what it leaves out found out over all objects."""
    return readers.resolve(s3, objects, source)


def look(s3: Any, found: InputObject, source: Source) -> Layout:
    return format_of(found, source)[1].look(s3, found, source)


def encode(
    s3: Any,
    out: ObjectWriter,
    pieces: Iterable[Piece],
    planned: PlannedChannel,
    profile: ProfileBuilder,
) -> Facts:
    records, dropped, labels = 0, 0, LabelRange()
    sparse: bool | None = None
    for piece, blocks in _opened(s3, pieces, planned):
        row = 0 if piece.first_row is None else piece.first_row
        options = FORMATS[format_of(piece.source, planned.source)[0]].options
        text, fillable = "header" in options, "fill" in options
        counted = float32.COUNTED_BELOW_HEADER if text else float32.COUNTED
        for block in blocks:
            if sparse not in (None, isinstance(block.features, SparseRows)):
                raise SchemaError(
                    f"{piece.source.uri} and {planned.example} disagree: one is sparse, the other dense",
                    remedy="Give all files of a channel the same kind.",
                )
            sparse = isinstance(block.features, SparseRows)
            if len(block.features):
                written = write_block(
                    out, block, Place(piece, planned.schema, row, counted, fillable), profile
                )
                if written is not None:
                    labels.add(written)
            records += len(block.features)
            dropped += block.rows_read - len(block.features)
            row += block.rows_read
    return Facts(
        records=records,
        feature_dim=planned.schema.feature_dim,
        labels=None if labels.empty else labels.summary(),
        sparse=bool(sparse),
        dropped=dropped,
    )


class Location(Protocol):
    """Names the values of a block for errors: ``at`` is a row of the block, ``number`` a feature."""

    @property
    def rows(self) -> str:
        """Return the name for the block's rows."""
        ...

    @property
    def counted(self) -> str:
        """Return the way rows are counted."""
        ...

    @property
    def fillable(self) -> bool:
        """Return True if a Source may fill gaps there."""
        ...

    @property
    def label(self) -> str:
        """Return the label's name."""
        ...

    def of(self, at: int, column: str) -> str:
        """Return where a value of a row and a column is."""
        ...

    def feature(self, number: int) -> str:
        """Return the name of a feature's column."""
        ...


@dataclass(frozen=True)
class Place:
    """The origin of a block of rows, for errors. ``row`` is the number of its first row."""

    piece: Piece
    schema: Schema
    row: int
    counted: str = float32.COUNTED
    fillable: bool = True

    def of(self, at: int, column: str) -> str:
        """Name the place in the input of a value of row ``at`` of the block."""
        return f"{self.piece.source.uri}, {self.piece.row(self.row + at)}, {column}"

    def feature(self, number: int) -> str:
        """Name a feature's column in the input."""
        return self.schema.column(self.schema.position(number))

    @property
    def rows(self) -> str:
        """Return the name for the block's rows."""
        return f"{self.piece.source.uri}, rows from {self.row}"

    @property
    def label(self) -> str:
        """Return the label's name."""
        return "label" if self.schema.label is None else f"label, {self.schema.column(self.schema.label)}"


def write_block(
    out: Any, block: Block, place: Location, profile: ProfileBuilder | None = None
) -> np.ndarray | None:
    """Append a block as float32 records, add its rows to ``profile`` and return its labels.

    Raises:
        InputError: A value that float32 cannot hold, which the error names.
    """
    rows = block.features
    values = rows.data if isinstance(rows, SparseRows) else rows
    # A value beyond float32 becomes an infinity here, which the codec refuses; numpy need not warn as well.
    with np.errstate(over="ignore"):
        features = values.astype(np.float32, copy=False)
        labels = None if block.labels is None else block.labels.astype(np.float32, copy=False)
    if block.labels is not None and block.labels.dtype.kind in "iu":
        at = float32.first_rounded(block.labels)
        if at is not None:
            where = place.of(block.row(at), place.label)
            raise float32.not_exact(where, int(block.labels[at]), place.counted)
    try:
        if isinstance(rows, SparseRows):
            parts = (features, rows.indices, rows.indptr, (len(rows), rows.width))
            write_spmatrix_to_sparse_tensor(out, parts, labels)
        else:
            write_numpy_to_dense_tensor(out, features, labels)
    except InputError as error:
        raise _explained(error, block, place) from error
    if profile is not None and isinstance(rows, SparseRows):
        profile.add_sparse(features, rows.indices, rows.indptr, rows.width)
    elif profile is not None:
        profile.add_dense(features)
    return labels


def _explained(error: InputError, block: Block, place: Location) -> InputError:
    """Return the codec's error with the object, the row in it and the column's name."""
    at = _first_not_float32(block.labels)
    if block.labels is not None and at is not None:
        value = block.labels[at] if block.written_value is None else block.written_value(at, None)
        fillable = place.fillable and not isinstance(block.features, SparseRows)
        where = place.of(block.row(at), place.label)
        return float32.not_finite(where, value, place.counted, fillable=fillable)
    rows = block.features
    values = rows.data if isinstance(rows, SparseRows) else rows
    at = _first_not_float32(values)
    if at is None:
        return InputError(f"{place.rows}: {error.message}", remedy=error.remedy)
    if isinstance(rows, SparseRows):
        row = int(np.searchsorted(rows.indptr, at, side="right")) - 1
        feature = int(rows.indices[at])
        if block.written_value is None:
            where = place.of(row, f"column {feature}")
            return float32.not_finite(where, values[at], place.counted, fillable=False)
    else:
        row, feature = divmod(at, values.shape[1])
    value = values[row, feature] if block.written_value is None else block.written_value(row, feature)
    where = place.of(block.row(row), place.feature(feature))
    return float32.not_finite(where, value, place.counted, fillable=place.fillable)


def _first_not_float32(values: np.ndarray | None) -> int | None:
    """Return the flat index of the first value that is not a finite float32."""
    if values is None:
        return None
    with np.errstate(over="ignore"):
        bad = np.flatnonzero(~np.isfinite(values.astype(np.float32)))
    return int(bad[0]) if len(bad) else None


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
