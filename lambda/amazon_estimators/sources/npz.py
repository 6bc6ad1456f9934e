"""NumPy's .npz as a table: arrays side by side, a matrix being several columns. CSR stays sparse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from amazon_estimators.errors import InputError, SchemaError
from amazon_estimators.s3 import InputObject
from amazon_estimators.sources import csr
from amazon_estimators.sources.archive import Archive, opened
from amazon_estimators.sources.arrays import StoredArray
from amazon_estimators.sources.source import BLOCK_BYTES, Block, Layout, Piece, Schema, Source

NAMES_LIMIT = 2**20
"""The most columns: each gets a name, whatever the arrays' headers claim."""


def look(s3: Any, found: InputObject, source: Source) -> Layout:
    """Names, shapes and dtypes from the headers of the arrays that are used."""
    with opened(s3, found) as archive:
        if set(archive.names) >= csr.MEMBERS:
            return csr.look(archive, found, source)
        table = _Table(archive, found, source)
        return Layout(schema=table.schema, start=0, stop=table.rows, records=table.rows)


def read(s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block]:
    """Rows ``[start, stop)``. A deflated array is decompressed from its start to reach them."""
    with opened(s3, piece.source) as archive:
        if set(archive.names) >= csr.MEMBERS:
            yield from csr.read(archive, piece, source, schema)
            return
        table = _Table(archive, piece.source, source)
        if table.schema != schema:
            raise SchemaError(
                f"{piece.source.uri} has other columns: {', '.join(archive.names[:20])}",
                remedy="Give all files of a channel arrays of the same names and widths.",
            )
        at_once = max(1, BLOCK_BYTES // (8 * schema.width))
        for blocks in zip(*(one.rows(piece.start, piece.stop, at_once) for one in table.arrays), strict=True):
            yield table.block(blocks)


class _Table:
    """The arrays as columns: a vector ``y`` is one named y, a matrix ``x`` those named x[0], x[1], …."""

    def __init__(self, archive: Archive, found: InputObject, source: Source) -> None:
        arrays = {name: self._array(archive, name, found) for name in archive.names}
        if not arrays:
            raise InputError(f"{found.uri} holds no array", remedy="Remove it, or write it with numpy.savez.")
        rows = {name: one.shape[0] for name, one in arrays.items()}
        if len(set(rows.values())) > 1:
            counts = ", ".join(f"{name} {count}" for name, count in rows.items())
            raise InputError(
                f"{found.uri}: its arrays differ in rows: {counts}", remedy="Save arrays of one length."
            )
        self.rows = next(iter(rows.values()))
        self.arrays = list(arrays.values())
        width = sum(one.width for one in self.arrays)
        if width > NAMES_LIMIT:
            raise SchemaError(
                f"{found.uri} has arrays of {width} columns; allowed: {NAMES_LIMIT}",
                remedy="Save one matrix as .npy, or sparse rows with scipy.sparse.save_npz.",
            )
        columns = {
            name: (name,)
            if len(one.shape) == 1
            else tuple(f"{name}[{column}]" for column in range(one.width))
            for name, one in arrays.items()
        }
        names = tuple(column for group in columns.values() for column in group)

        def whole(chosen: tuple[int | str, ...]) -> tuple[int | str, ...]:
            """The chosen columns; an array's name stands for all of its columns."""
            groups = ((one,) if isinstance(one, int) else columns.get(one, (one,)) for one in chosen)
            return tuple(column for group in groups for column in group)

        features = None if source.features is None else whole(source.features)
        resolved = replace(source, features=features, exclude=whole(source.exclude))
        self.schema = Schema.of(resolved, width=len(names), names=names, where=found.uri)

    def _array(self, archive: Archive, name: str, found: InputObject) -> StoredArray:
        array = archive.array(name)
        if len(array.shape) not in (1, 2) or not array.width:
            raise InputError(
                f"{found.uri}, {name}: its shape is {array.shape}; allowed: (rows,) or (rows, columns)",
                remedy="Reshape it, or leave it out of the file.",
            )
        return array

    def block(self, blocks: tuple[np.ndarray, ...]) -> Block:
        """Labels keep their own type, so that whole numbers stay exact."""
        tables = [one[:, np.newaxis] if one.ndim == 1 else one for one in blocks]
        with np.errstate(over="ignore"):
            rows = np.column_stack([one.astype(np.float32, copy=False) for one in tables])
        features = self.schema.split(rows).features
        if self.schema.label is None:
            return Block(features, None)
        column = self.schema.label
        for one in tables:
            if column < one.shape[1]:
                return Block(features, one[:, column])
            column -= one.shape[1]
        raise AssertionError("the label is one of the columns")
