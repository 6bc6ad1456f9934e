"""Read NumPy's .npz as a table of arrays side by side; a matrix is several columns. CSR stays sparse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from amazon_estimators.errors import InputError, ObjectChangedError, SchemaError
from amazon_estimators.sources.blocks import Block
from amazon_estimators.sources.columns.table import Column, Table
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.numpy_files import scipy_csr as csr
from amazon_estimators.sources.numpy_files.stored_array import StoredArray
from amazon_estimators.sources.numpy_files.zip_archive import Archive, opened
from amazon_estimators.sources.schema import Schema, check_listed
from amazon_estimators.sources.source import BLOCK_BYTES, Source
from amazon_estimators.storage.s3 import InputObject

NAMES_LIMIT = 2**20
"""The most columns accepted, whatever the arrays' headers claim: each gets a name."""


def look(s3: Any, input_object: InputObject, source: Source) -> Layout:
    """Read names, shapes and dtypes from the headers of the arrays."""
    with opened(s3, input_object) as archive:
        if set(archive.names) >= csr.SIGNS:
            return csr.look(archive, input_object, source)
        table = _Table(archive, input_object, source)
        return Layout(schema=table.schema, start=0, stop=table.rows, records=table.rows)


def read(s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block | Table]:
    """Read the rows ``[start, stop)``. To reach them, a deflated array is decompressed from its start."""
    with opened(s3, piece.source) as archive:
        if set(archive.names) >= csr.SIGNS:
            yield from csr.read(archive, piece, source, schema)
            return
        table = _Table(archive, piece.source, source)
        if table.schema != schema:
            raise SchemaError(
                f"{piece.source.uri} has other columns: {', '.join(archive.names[:20])}",
                remedy="Give all files of a channel arrays of the same names and widths.",
            )
        yield from table.blocks(piece.start, piece.stop)


class _Table:
    """The arrays as columns: a vector ``y`` is the column y, a matrix ``x`` the columns x[0], x[1], ….

    An array without a used column is not read and may have any shape; if it is not a table, it counts as one
    column.
    """

    def __init__(self, archive: Archive, input_object: InputObject, source: Source) -> None:
        if not archive.names:
            raise InputError(
                f"{input_object.uri} holds no array", remedy="Remove it, or write it with numpy.savez."
            )
        arrays = {name: _table_or_fault(archive, name, input_object) for name in archive.names}
        widths = [1 if isinstance(array, InputError) else array.width for array in arrays.values()]
        if sum(widths) > NAMES_LIMIT:
            raise SchemaError(
                f"{input_object.uri} has arrays of {sum(widths)} columns; allowed: {NAMES_LIMIT}",
                remedy="Save one matrix as .npy, or sparse rows with scipy.sparse.save_npz.",
            )
        self.schema = _schema(arrays, source, input_object)
        owners = [array for array, width in zip(arrays.values(), widths, strict=True) for _ in range(width)]
        for position in self.schema.words:
            if isinstance(fault := owners[position], InputError):
                raise fault
            check_listed(self.schema, int(position), input_object.uri)
        used = np.array(self.schema.used)
        starts = np.cumsum([0, *widths])
        self._read: dict[str, _Read] = {}
        for (name, array), start, (first, last) in zip(
            arrays.items(), starts[:-1], pairwise(np.searchsorted(used, starts)), strict=True
        ):
            if first == last:
                continue
            if isinstance(array, InputError):
                raise array
            self._read[name] = _Read(archive.in_rows(array), int(start), used[first:last] - start)
        rows = {name: chosen.array.shape[0] for name, chosen in self._read.items()}
        if len(set(rows.values())) > 1:
            counts = ", ".join(f"{name} {count}" for name, count in rows.items())
            raise InputError(
                f"{input_object.uri}: its arrays differ in rows: {counts}",
                remedy="Save arrays of one length.",
            )
        self.rows = next(iter(rows.values()))
        label, features = self.schema.label, self.schema.features
        self._positions = used[used != label] if features is None else np.array(features)
        places = np.searchsorted(used, self._positions)
        in_order = (np.diff(places) == 1).all()
        self._features = slice(int(places[0]), int(places[-1]) + 1) if in_order else places

    def blocks(self, start: int, stop: int) -> Iterator[Block | Table]:
        """Yield the rows ``[start, stop)`` in blocks of bounded size over all arrays."""
        arrays = [chosen.array for chosen in self._read.values()]
        at_once = max(1, BLOCK_BYTES // (8 * sum(array.width for array in arrays)))
        shares = (replace(array, waiting=array.waiting // len(arrays)) for array in arrays)
        for blocks in zip(*(share.rows(start, stop, at_once) for share in shares), strict=True):
            tables = [block[:, np.newaxis] if block.ndim == 1 else block for block in blocks]
            yield self._columns(tables) if self.schema.rules else self._block(tables)

    def _columns(self, tables: list[np.ndarray]) -> Table:
        """Return the columns in their own types, for the rules to be applied."""
        columns = {
            int(chosen.start + column): Column(table[:, column])
            for table, chosen in zip(tables, self._read.values(), strict=True)
            for column in chosen.columns
        }
        return Table(columns, len(tables[0]))

    def _block(self, tables: list[np.ndarray]) -> Block:
        """Join the arrays to a block. Labels keep their own type, so that whole numbers stay exact."""
        rows = np.empty(
            (len(tables[0]), sum(len(chosen.columns) for chosen in self._read.values())), np.float32
        )
        at = 0
        with np.errstate(over="ignore"):
            for table, chosen in zip(tables, self._read.values(), strict=True):
                stop = at + len(chosen.columns)
                rows[:, at:stop] = (
                    table if len(chosen.columns) == table.shape[1] else table[:, chosen.columns]
                )
                at = stop

        def column(position: Any) -> np.ndarray:
            for table, chosen in zip(tables, self._read.values(), strict=True):
                if chosen.start <= position < chosen.start + table.shape[1]:
                    return table[:, position - chosen.start]
            raise AssertionError("a used column is in an array that is read")

        label = self.schema.label
        labels = None if label is None else column(label)
        return Block(
            rows[:, self._features],
            labels,
            lambda row, feature: column(label if feature is None else self._positions[feature])[row],
        )


@dataclass(frozen=True)
class _Read:
    """An array that is read: the position of its first column among all, and its used columns."""

    array: StoredArray
    start: int
    columns: np.ndarray


def _table_or_fault(archive: Archive, name: str, input_object: InputObject) -> StoredArray | InputError:
    """Return an array's header or, if it is not a table, the error to raise if it is used."""
    try:
        array = archive.header(name)
    except ObjectChangedError:
        raise
    except InputError as error:
        return error
    if len(array.shape) in (1, 2) and array.width:
        return array
    return InputError(
        f"{input_object.uri}, {name}: its shape is {array.shape}; allowed: (rows,) or (rows, columns)",
        remedy="Reshape it, or exclude it.",
    )


def _schema(arrays: dict[str, StoredArray | InputError], source: Source, input_object: InputObject) -> Schema:
    """Return the schema of all arrays. An array's name stands for all of its columns."""
    columns = {
        name: tuple(f"{name}[{column}]" for column in range(array.width))
        if isinstance(array, StoredArray) and len(array.shape) == 2
        else (name,)
        for name, array in arrays.items()
    }
    names = tuple(column for group in columns.values() for column in group)

    def whole(column: int | str) -> tuple[int | str, ...]:
        return (column,) if isinstance(column, int) else columns.get(column, (column,))

    label = source.label
    if label is not None and len(whole(label)) == 1:
        label = whole(label)[0]  # a matrix of one column is its column
    resolved = source.with_columns(whole, label)
    return Schema.of(resolved, width=len(names), names=names, where=input_object.uri)
