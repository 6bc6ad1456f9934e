"""Read rows of the chosen columns from a row group of a Parquet file, however many columns there are.

While a column is read, a page and a dictionary of it are in memory. Writers make them a megabyte each. If
memory has room for all columns, they are read side by side. Otherwise each pass reads a few to their end, and
they wait for the others. That is also faster: a dictionary stays in the processor's cache.
If a page turns out to be larger, reading continues with fewer columns side by side.

For example, a page and a dictionary of 1 MiB each and the reader's 16 KiB make 2.02 MiB per column, so 16 MiB
hold 7 columns. A row group of 7 columns is read at once, and one of 8 column by column.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from amazon_estimators.errors import InputError
from amazon_estimators.sources.arrow_values import truths, values_of
from amazon_estimators.sources.blocks import Block
from amazon_estimators.sources.columns.faults import ColumnFault, ColumnFaultsError
from amazon_estimators.sources.columns.table import Column, Table
from amazon_estimators.sources.files.waiting_columns import WaitingColumns, waiting_columns
from amazon_estimators.sources.float32 import COUNTED
from amazon_estimators.sources.gaps import OF_SOURCE
from amazon_estimators.sources.parquet.footer import PAGE_BYTES, Footer, damaged, footer_of
from amazon_estimators.sources.parquet.pages import LargerPage, PageFile
from amazon_estimators.sources.parquet.small_groups import GroupSpan
from amazon_estimators.sources.schema import Schema
from amazon_estimators.storage.s3 import InputObject

BATCH_BYTES = 2 * 2**20
"""Bytes of float32 features yielded at a time, while the pages they come from are still in memory."""
WINDOWS = 8 * 2**20
"""Bytes of compressed columns held, over all columns read at once. What is fetched ahead comes on top."""
WINDOW_SIZES = (16 * 2**10, 2 * 2**20)
"""The smallest and the largest window of a column."""
AT_ONCE_BYTES = 16 * 2**20
"""The most bytes for a page and a dictionary of every column read at once, together."""
PASS_SHARE = 4
"""A pass over some of the columns takes this part of AT_ONCE_BYTES."""
COLUMN_BYTES = 16 * 2**10
"""Further bytes that the table reader needs for every column."""
ROOM = 2 * PAGE_BYTES
"""Bytes reserved for a column's page and dictionary until a larger page is met."""
WAITING_BYTES = 320 * 2**20
"""The most bytes of columns that wait for the others. A shard of the default size fits; a larger one
is read in several turns. A Lambda function's disk has 512 MiB."""

Values = Callable[[int, dict[int, Any], int], np.ndarray]
"""Returns a column of a batch by its position; takes the number of the batch's first row and the batch."""


class PlainWords(Exception):  # noqa: N818 - not an error: the row group is read on without dictionaries
    """The table reader makes no dictionary of words of this encoding, such as DELTA_BYTE_ARRAY."""


class RowGroup:
    """A row group of a file; its first row is row number ``before`` of the file."""

    def __init__(
        self,
        s3: Any,
        input_object: InputObject,
        footer: Footer,
        schema: Schema,
        span: GroupSpan,
        *,
        before: int,
        room: int = ROOM,
    ) -> None:
        self._s3, self._input_object, self._footer, self._schema = s3, input_object, footer, schema
        self._group, self._chunks, self._before = span.group, span.chunks, before
        self.room = room
        self._dictionaries = True
        self._features = schema.features or tuple(
            column for column in range(schema.width) if column != schema.label
        )
        self._waiting = 4 * len(self._features) + 8  # bytes per row

    def rows(self, low: int, high: int) -> Iterator[Block | Table]:
        """Read the rows ``[low, high)``. Raises InputError naming row and column of a missing value."""
        while low < high:
            try:
                for block in self._blocks(low, high):
                    yield block
                    low += block.rows_read
            except LargerPage as page:
                self.room = max(2 * self.room, page.room)
            except PlainWords:
                self._dictionaries = False

    @property
    def _fits(self) -> bool:
        """True if all columns may be read at once."""
        return sum(map(self._memory, self._footer.columns_at(self._schema.used))) <= AT_ONCE_BYTES

    def _blocks(self, low: int, high: int) -> Iterator[Block | Table]:
        features, label = self._features, self._schema.label
        if self._fits:
            for row, arrays in self._batches(self._schema.used, low, high):
                labels = None if label is None else self._column(row, arrays, label)
                written_value = partial(self._written_value, row - self._before)
                yield Block(self._matrix(row, arrays, features), labels, written_value)
            return
        turn = max(1, WAITING_BYTES // self._waiting)
        for start in range(low, high, turn):
            yield from self._joined(start, min(start + turn, high))

    def _joined(self, low: int, high: int) -> Iterator[Block | Table]:
        """Yield the rows, joined from passes over some of the columns each."""
        label = self._schema.label
        with ExitStack() as stack:
            features = self._features_on(stack, low, high, self._column)
            labels = None if label is None else self._label_on(stack, low, high, self._column)
            for start, stop in self._cuts(high - low):
                label_values = None if labels is None else labels.strips(start, stop)[0]
                written_value = partial(self._written_value, low + start)
                rows = np.ascontiguousarray(features.strips(start, stop).T)
                yield Block(rows, label_values, written_value)

    def _cuts(self, rows: int) -> Iterator[tuple[int, int]]:
        """Yield ``[start, stop)`` of each block that ``rows`` rows are yielded in."""
        at_once = max(1, BATCH_BYTES // (4 * len(self._features)))
        for start in range(0, rows, at_once):
            yield start, min(start + at_once, rows)

    def _features_on(
        self, stack: ExitStack, low: int, high: int, values: Values, kind: Any = np.float32
    ) -> WaitingColumns:
        """Return the features of the rows ``[low, high)``, as ``values`` makes them of batches."""
        waiting = stack.enter_context(waiting_columns(len(self._features), high - low, kind))
        passes = list(self._passes())
        with self._opened([list(one_pass) for one_pass in passes], high) as file:
            for one_pass in passes:
                for row, arrays in self._batches_of(file, list(one_pass), low, high):
                    for place in chain.from_iterable(one_pass.values()):
                        column = values(row, arrays, self._features[place])
                        waiting.put(place, row - self._before - low, column)
        return waiting

    def _label_on(self, stack: ExitStack, low: int, high: int, values: Values) -> WaitingColumns:
        """Return the label, as ``values`` makes it, in that type: whole numbers stay exact."""
        label = self._schema.label
        waiting: WaitingColumns | None = None
        assert label is not None
        for row, arrays in self._batches((label,), low, high):
            column = values(row, arrays, label)
            if waiting is None:
                waiting = stack.enter_context(waiting_columns(1, high - low, column.dtype))
            waiting.put(0, row - self._before - low, column)
        assert waiting is not None
        return waiting

    def _passes(self) -> Iterator[dict[int, list[int]]]:
        """Yield the columns of the file, as many as a pass takes, with their places among the features."""
        places: dict[int, list[int]] = {}
        for place, position in enumerate(self._features):
            places.setdefault(self._footer.places[position][0], []).append(place)
        one_pass: dict[int, list[int]] = {}
        taken = 0
        for column in sorted(places, key=lambda column: self._chunks[column].start):
            memory = self._memory(column)
            if one_pass and taken + memory > AT_ONCE_BYTES // PASS_SHARE:
                yield one_pass
                one_pass, taken = {}, 0
            one_pass[column] = places[column]
            taken += memory
        yield one_pass

    def _memory(self, column: int) -> int:
        """Return the memory that reading a column may need."""
        return min(self._chunks[column].unpacked, self.room) + COLUMN_BYTES

    def _batches(self, positions: Sequence[int], low: int, high: int) -> Iterator[tuple[int, dict[int, Any]]]:
        """Yield (number of the first row in the file, arrays by column) for the rows ``[low, high)``."""
        columns = self._footer.columns_at(positions)
        with self._opened([columns], high) as file:
            yield from self._batches_of(file, columns, low, high)

    def _opened(self, passes: Sequence[Sequence[int]], high: int) -> PageFile:
        """Return a file of the columns of each pass, to be read up to row ``high``."""
        where = f"{self._input_object.uri}: row group {self._group}, column"
        parts = [
            [(f"{where} {self._footer.names[column]!r}", self._chunks[column]) for column in columns]
            for columns in passes
        ]
        smallest, largest = WINDOW_SIZES
        window = max(smallest, min(largest, WINDOWS // max(map(len, parts))))
        if max(map(self._packed, passes)) <= WINDOWS:
            window = largest if len(passes) == 1 else WINDOWS
        share = high / self._footer.group_rows[self._group]
        with damaged(self._input_object, "data"):
            return PageFile(self._s3, self._input_object, parts, window=window, room=self.room, share=share)

    def _packed(self, columns: Sequence[int]) -> int:
        """Return the bytes of columns in the file."""
        return sum(self._chunks[column].stop - self._chunks[column].start for column in columns)

    def _batches_of(
        self, source: PageFile, columns: Sequence[int], low: int, high: int
    ) -> Iterator[tuple[int, dict[int, Any]]]:
        rows = self._footer.group_rows[self._group]
        # No batch reads beyond the last row that is wanted.
        at_once = math.ceil(high / math.ceil(high / self._at_once(columns)))
        # A column that is read to its end, and not too large, is handed over at once: see COLUMN_BYTES.
        whole = high == rows and self._packed(columns) <= WINDOWS
        at = 0
        with damaged(self._input_object, "data"):
            file = parquet.ParquetFile(
                pa.PythonFile(source, mode="r"),
                metadata=footer_of([self._chunks[column] for column in columns], rows),
                buffer_size=0 if whole else COLUMN_BYTES,
                pre_buffer=False,
                page_checksum_verification=True,
                read_dictionary=[
                    self._footer.names[column]
                    for column in columns
                    if self._dictionaries and self._chunks[column].holds_words
                ],
            )
            for batch in self._read(file, at_once):
                first, last = max(low - at, 0), min(high - at, batch.num_rows)
                if first < last:
                    row = self._before + at + first
                    arrays = zip(columns, batch.slice(first, last - first).columns, strict=True)
                    yield row, {column: self._lists(row, column, array) for column, array in arrays}
                at += batch.num_rows
                if at >= high:
                    return
        raise InputError(
            f"{self._input_object.uri}: row group {self._group} holds {at} rows of {high}",
            remedy="Write it again.",
        )

    def _read(self, file: Any, at_once: int) -> Iterator[Any]:
        try:
            yield from file.iter_batches(at_once, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            if not self._dictionaries or "Not yet implemented" not in str(error):
                raise
            raise PlainWords from None

    def _at_once(self, columns: Sequence[int]) -> int:
        """Return the rows of these columns that are read at once."""
        return max(1, BATCH_BYTES // sum(map(self._row_bytes, columns)))

    def _row_bytes(self, column: int) -> int:
        """Return the bytes of a column in a row, of words on average."""
        chunk = self._chunks[column]
        words = chunk.unpacked // max(1, chunk.rows) if chunk.holds_words else 0
        return 4 * (self._footer.lengths[column] or 1) + words

    def _matrix(self, row: int, arrays: dict[int, Any], columns: Sequence[int]) -> np.ndarray:
        """Return columns of a batch as float32, shape (rows, columns)."""
        table = np.empty((len(next(iter(arrays.values()))), len(columns)), np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            for place, column in enumerate(columns):
                table[:, place] = self._column(row, arrays, column)
        return table

    def _column(self, row: int, arrays: dict[int, Any], position: int) -> np.ndarray:
        """Return a column of a batch, whose first row is number ``row``, in its own type."""
        file_column, at = self._footer.places[position]
        column = arrays[file_column]
        if isinstance(column, np.ndarray):
            values: np.ndarray = column[:, at]
            return values
        if column.null_count:
            raise self._gaps(row, arrays)
        return values_of(column)

    def _written_value(self, first: int, at: int, feature: int | None) -> Any:
        """Return the value that the file has in row ``at`` of a block which begins with row ``first``."""
        position = self._schema.position(feature)
        row, arrays = next(self._batches((position,), first + at, first + at + 1))
        return self._column(row, arrays, position)[0]

    def _gaps(self, row: int, arrays: dict[int, Any]) -> InputError:
        """Return the error for the missing values of all columns of a batch, whichever of them it has."""
        lacking = {
            column: truths(array.is_null())
            for column, array in arrays.items()
            if not isinstance(array, np.ndarray) and array.null_count
        }
        rows = len(next(iter(arrays.values())))
        used = self._footer.columns_at(self._schema.used)
        if len(arrays) < len(used):
            at_once, first = self._at_once(used), min(int(mask.argmax()) for mask in lacking.values())
            start = first // at_once * at_once
            rows = min(at_once, rows - start)
            row += start
            lacking = self._lacking(used, row - self._before, row - self._before + rows)
        positions = {self._footer.places[position][0]: position for position in self._schema.used}
        faults = [
            ColumnFault(positions[column], "gap", np.flatnonzero(mask), Column(mask))
            for column, mask in lacking.items()
        ]
        return ColumnFaultsError(faults, rows).explained(
            self._schema.recipe,
            where=lambda at: f"{self._input_object.uri}, row {row + at:,}",
            column=self._schema.column,
            key=self._schema.key,
            counted=COUNTED,
        )

    def _lacking(self, columns: Sequence[int], low: int, high: int) -> dict[int, np.ndarray]:
        """Return which of the rows ``[low, high)`` have no value, of each column that lacks one."""
        lacking: dict[int, np.ndarray] = {}
        for column in columns:
            with self._opened([[column]], high) as file:
                batches = self._batches_of(file, [column], low, high)
                masks = [
                    truths(array.is_null())
                    for _, arrays in batches
                    if not isinstance(array := arrays[column], np.ndarray)
                ]
            if masks and (mask := np.concatenate(masks)).any():
                lacking[column] = mask
        return lacking

    def _lists(self, row: int, column: int, array: Any) -> Any:
        """Return lists of one length as a matrix, shape (rows, length); any other array unchanged."""
        length = self._footer.lengths[column]
        if length is None:
            return array
        name = f"column {column} ({self._footer.names[column]!r})"
        lacking = truths(array.is_null()) if array.null_count else None
        filled = any(
            self._schema.may_lack(at) for at in self._schema.used if self._footer.places[at][0] == column
        )
        if lacking is not None and not filled:
            raise self._missing(row + int(np.flatnonzero(lacking)[0]), name)
        values, lengths = array.flatten(), np.diff(values_of(array.offsets))
        if (lengths != (length if lacking is None else np.where(lacking, 0, length))).any():
            raise InputError(
                f"{self._input_object.uri}, rows from {row}, {name}: lists whose length is not {length}",
                remedy="The file is damaged: write it again.",
            )
        if values.null_count and not filled:
            missing = int(np.flatnonzero(values_of(values.is_null()))[0])
            raise self._missing(row + missing // length, f"{name}, value {missing % length}")
        if lacking is None and not values.null_count:
            return values_of(values).reshape(-1, length)
        if not pa.types.is_floating(values.type):
            values = values.cast(pa.float64())
        present = values_of(values.fill_null(np.nan)).reshape(-1, length)
        if lacking is None:
            return present
        table = np.full((len(array), length), np.nan, present.dtype)
        table[~lacking] = present
        return table

    def _missing(self, row: int, column: str) -> InputError:
        return InputError(
            f"{self._input_object.uri}, row {row}, {column}: no value",
            remedy=f"{COUNTED} {OF_SOURCE} Or exclude the column.",
        )
