"""A row group whose columns have rules: words and gaps come with the numbers.

If there are too many columns to read at once, those read first wait on disk as numbers: words are coded as
soon as they are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from amazon_estimators.sources.arrow_values import values_of
from amazon_estimators.sources.columns.apply import coded
from amazon_estimators.sources.columns.table import Column, Table
from amazon_estimators.sources.columns.words import column_of
from amazon_estimators.sources.files.disk_spill import side_by_side
from amazon_estimators.sources.float32 import ALL_HELD
from amazon_estimators.sources.parquet.footer import damaged
from amazon_estimators.sources.parquet.row_group import BATCH_BYTES, WAITING_BYTES, RowGroup


class RuledRowGroup(RowGroup):
    """Yields tables of the columns as they are, for the rules to be applied."""

    def _blocks(self, low: int, high: int) -> Iterator[Table]:
        used = self._schema.used
        if self._fits:
            for row, arrays in self._batches(used, low, high):
                columns = {position: self._raw(row, arrays, position) for position in used}
                yield Table(columns, len(next(iter(columns.values())).values))
            return
        turn = max(1, WAITING_BYTES // (8 * len(used) + 1))
        for start in range(low, high, turn):
            yield from self._joined(start, min(start + turn, high))

    def _joined(self, low: int, high: int) -> Iterator[Table]:
        """Yield the rows, joined from passes over some of the columns each."""
        label = self._schema.label
        tables = [self._coded(part, low, high) for part in self._parts()]
        if label is not None:
            # Labels keep their own type, so that whole numbers stay exact.
            tables += [self._of_label(label, low, high, gaps=gaps) for gaps in (False, True)]
        at_once = max(1, BATCH_BYTES // (8 * len(self._features)))
        row = low
        for arrays in side_by_side(tables, high - low, at_once, 8 * len(self._schema.used) + 1):
            columns = {}
            if label is not None:
                gaps, values = arrays.pop(), arrays.pop()
                word = partial(self._word, label, row) if label in self._schema.words else None
                columns[label] = Column(values, None if word else gaps.view(bool), word=word)
            matrix = np.asfortranarray(np.concatenate(arrays, axis=1))  # rules work on columns
            for at, position in enumerate(self._features):
                word = partial(self._word, position, row) if position in self._schema.words else None
                columns[position] = Column(matrix[:, at], word=word)
            yield Table(columns, len(matrix))
            row += len(matrix)

    def _coded(self, positions: Sequence[int], low: int, high: int) -> Iterator[np.ndarray]:
        """Yield columns as floats, shape (rows, columns): words as their codes, gaps as NaN."""
        recipe = self._schema.recipe
        kind = np.float32 if all(map(self._fits_float32, positions)) else np.float64
        for row, arrays in self._batches(positions, low, high):
            table = np.empty((len(next(iter(arrays.values()))), len(positions)), kind)
            for at, position in enumerate(positions):
                column = self._raw(row, arrays, position)
                if position in self._schema.words:
                    table[:, at] = coded(position, column, recipe)
                    continue
                table[:, at] = column.values
                if column.gaps is not None:
                    if not self._schema.may_lack(position):
                        raise self._missing(
                            row + int(np.flatnonzero(column.gaps)[0]), self._schema.column(position)
                        )
                    table[column.gaps, at] = np.nan
            yield table

    def _fits_float32(self, position: int) -> bool:
        """Return True if float32 holds every value that the column may have, or every code of its words."""
        if position in self._schema.words:
            return self._schema.recipe.rules.width(position) <= ALL_HELD
        column, _ = self._footer.places[position]
        kind = self._footer.types[column]
        if self._footer.lengths[column] is not None or pa.types.is_dictionary(kind):
            kind = kind.value_type
        return bool(np.can_cast(kind.to_pandas_dtype(), np.float32))

    def _of_label(self, label: int, low: int, high: int, *, gaps: bool) -> Iterator[np.ndarray]:
        for row, arrays in self._batches((label,), low, high):
            column = self._raw(row, arrays, label)
            if label in self._schema.words:
                column = Column(coded(label, column, self._schema.recipe))
            if not gaps:
                yield column.values
            else:
                yield (
                    np.zeros(len(column.values), np.uint8)
                    if column.gaps is None
                    else column.gaps.view(np.uint8)
                )

    def _raw(self, row: int, arrays: dict[int, Any], position: int) -> Column:
        """Return a column of a batch as it is."""
        file_column, at = self._footer.places[position]
        array = arrays[file_column]
        if isinstance(array, np.ndarray):
            return Column(array[:, at])
        if pa.types.is_null(array.type) and position in self._schema.words:
            return Column(pa.nulls(len(array), pa.string()))
        with damaged(self._input_object, "data"):
            if self._schema.may_lack(position) and pa.types.is_floating(array.type) and array.null_count:
                return Column(values_of(array.fill_null(np.nan)))
            return column_of(array)

    def _word(self, position: int, first: int, at: int) -> Any:
        """Return the value in row ``at`` of a block whose first row is number ``first``."""
        _, arrays = next(self._batches((position,), first + at, first + at + 1))
        return arrays[self._footer.places[position][0]][0].as_py()
