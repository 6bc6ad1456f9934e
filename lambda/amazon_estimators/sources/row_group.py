"""A row group of a Parquet file: rows of the chosen columns, however many columns there are.

A column takes a page and a dictionary in memory while it is read, which writers make of a megabyte each, and
a row needs all columns. So as many columns are read at once as memory has room for, the next ones after them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from amazon_estimators.errors import InputError
from amazon_estimators.s3 import InputObject
from amazon_estimators.sources.column_file import ColumnFile
from amazon_estimators.sources.columns import values_of
from amazon_estimators.sources.parquet_footer import MAGIC, TAIL, Footer, damaged
from amazon_estimators.sources.side_by_side import side_by_side
from amazon_estimators.sources.source import Block, Schema

BATCH_BYTES = 2 * 2**20
"""Bytes of float32 features handed on at a time: the pages they come from are held too."""
WINDOWS = 8 * 2**20
"""Bytes of compressed columns held, over all columns read at once; as much again is on its way."""
WINDOW_SIZES = (16 * 2**10, 2**20)
PAGE_BYTES = 2**20
"""What writers make a page of, and a dictionary, decompressed."""
AT_ONCE_BYTES = 16 * 2**20
"""Bytes that a page and a dictionary of every column read at once may take together."""
WAITING_BYTES = 320 * 2**20
"""Bytes of columns that wait on disk for the others, which a shard of the default size has room in; the rows
of a larger one are read in several turns. A Lambda function's disk has 512 MiB."""
VALUE_BYTES = 32
"""The most bytes a number takes decompressed, its place in a dictionary and its level included."""


class RowGroup:
    """Row group number ``group`` of a file; its first row is number ``before`` of the file's."""

    def __init__(
        self, s3: Any, found: InputObject, footer: Footer, schema: Schema, *, group: int, before: int
    ) -> None:
        self._s3, self._found, self._footer, self._schema = s3, found, footer, schema
        self._group, self._before = group, before
        with damaged(found, "data"):
            self._chunks = _chunks(footer, schema, found, group)
        self._features = schema.features or tuple(
            column for column in range(schema.width) if column != schema.label
        )

    def rows(self, low: int, high: int) -> Iterator[Block]:
        """Rows ``[low, high)``. Raises InputError naming row and column of a missing value."""
        features, label = self._features, self._schema.label
        if self._memory(self._schema.used) <= AT_ONCE_BYTES:
            for row, batch in self._batches(self._schema.used, low, high):
                labels = None if label is None else self._column(row, batch, label)
                yield Block(self._matrix(row, batch, features), labels)
            return
        turn = max(1, WAITING_BYTES // (4 * len(features) + 8))
        for start in range(low, high, turn):
            yield from self._joined(start, min(start + turn, high))

    def _joined(self, low: int, high: int) -> Iterator[Block]:
        """The rows from passes over a part of the columns each."""
        tables = (self._table(part, low, high) for part in self._parts())
        label = self._schema.label
        labels = () if label is None else (self._labels(label, low, high),)
        at_once = max(1, BATCH_BYTES // (4 * len(self._features)))
        for arrays in side_by_side(chain(tables, labels), high - low, at_once):
            found = None if label is None else arrays.pop()
            yield Block(np.concatenate(arrays, axis=1), found)

    def _parts(self) -> Iterator[Sequence[int]]:
        """The features in order, as many at a time as memory has room for."""
        start = 0
        for stop in range(1, len(self._features) + 1):
            following = self._features[start : stop + 1]
            if stop == len(self._features) or self._memory(following) > AT_ONCE_BYTES:
                yield self._features[start:stop]
                start = stop

    def _memory(self, columns: Sequence[int]) -> int:
        """What reading columns at once may take."""
        chunks = (self._chunks[self._footer.names[column]] for column in columns)
        return sum(min(chunk.unpacked, 2 * PAGE_BYTES) for chunk in chunks)

    def _table(self, columns: Sequence[int], low: int, high: int) -> Iterator[np.ndarray]:
        for row, batch in self._batches(columns, low, high):
            yield self._matrix(row, batch, columns)

    def _labels(self, label: int, low: int, high: int) -> Iterator[np.ndarray]:
        for row, batch in self._batches((label,), low, high):
            yield self._column(row, batch, label)

    def _batches(self, columns: Sequence[int], low: int, high: int) -> Iterator[tuple[int, Any]]:
        """(number of the first row in the file, columns) of rows ``[low, high)``."""
        names = [self._footer.names[column] for column in columns]
        chunks = (self._chunks[name] for name in names)
        spans = sorted((chunk.start, chunk.stop) for chunk in chunks)
        smallest, largest = WINDOW_SIZES
        window = max(smallest, min(largest, WINDOWS // len(spans)))
        at_once = max(1, BATCH_BYTES // (4 * len(spans)))
        at = 0
        with damaged(self._found, "data"), ColumnFile(self._s3, self._found, spans, window) as source:
            file = parquet.ParquetFile(
                pa.PythonFile(source, mode="r"),
                metadata=self._footer.metadata,
                buffer_size=smallest,
                pre_buffer=False,
                page_checksum_verification=True,
            )
            for batch in file.iter_batches(
                at_once, row_groups=[self._group], columns=names, use_threads=False
            ):
                first, last = max(low - at, 0), min(high - at, batch.num_rows)
                if first < last:
                    yield self._before + at + first, batch.slice(first, last - first)
                at += batch.num_rows
                if at >= high:
                    return
        raise InputError(
            f"{self._found.uri}: row group {self._group} holds {at} rows of {high}", remedy="Write it again."
        )

    def _matrix(self, row: int, batch: Any, columns: Sequence[int]) -> np.ndarray:
        """Columns of a batch as float32, shape (rows, columns)."""
        table = np.empty((batch.num_rows, len(columns)), np.float32)
        with np.errstate(over="ignore"):
            for place, column in enumerate(columns):
                table[:, place] = self._column(row, batch, column)
        return table

    def _column(self, row: int, batch: Any, position: int) -> np.ndarray:
        """A column of a batch, whose first row is number ``row``, in its own type."""
        column = batch.column(batch.schema.get_field_index(self._footer.names[position]))
        if column.null_count:
            missing = int(np.flatnonzero(values_of(column.is_null()))[0])
            raise InputError(
                f"{self._found.uri}, row {row + missing}, {self._schema.column(position)}: no value",
                remedy="Rows are counted from 0. Fill it in, or exclude the column.",
            )
        return values_of(column)


@dataclass(frozen=True)
class _Chunk:
    """A column of a row group: bytes ``[start, stop)`` of the file, and how many they are decompressed."""

    start: int
    stop: int
    unpacked: int


def _chunks(footer: Footer, schema: Schema, found: InputObject, group: int) -> dict[str, _Chunk]:
    """The used columns of a row group by name, checked before anything is read by them."""
    metadata = footer.metadata.row_group(group)
    used = {footer.names[position] for position in schema.used}
    chunks = {}
    for number in range(metadata.num_columns):
        chunk = metadata.column(number)
        name = chunk.path_in_schema
        if name not in used:
            continue
        where = f"{found.uri}: row group {group}, column {name!r}"
        first = chunk.data_page_offset
        if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < first:
            first = chunk.dictionary_page_offset
        stop = first + chunk.total_compressed_size
        unpacked = chunk.total_uncompressed_size
        if not len(MAGIC) <= first < stop <= found.size - TAIL or chunk.num_values != metadata.num_rows:
            raise InputError(
                f"{where} claims {chunk.num_values} values of {metadata.num_rows} "
                f"in bytes {first} to {stop} of {found.size}",
                remedy="The file is cut off or damaged: write it again.",
            )
        if unpacked > VALUE_BYTES * metadata.num_rows + PAGE_BYTES:
            raise InputError(
                f"{where} claims {unpacked} bytes for {metadata.num_rows} numbers",
                remedy="The file is damaged: write it again.",
            )
        chunks[name] = _Chunk(first, stop, unpacked)
    if len(chunks) < len(used):
        raise InputError(
            f"{found.uri}: row group {group} lacks {', '.join(sorted(used - chunks.keys())[:20])}",
            remedy="The file is damaged: write it again.",
        )
    return chunks
