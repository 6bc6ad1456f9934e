"""A row group whose columns have rules: words and gaps come with the numbers.

If there are too many columns to read at once, those read first wait as numbers: words are coded as soon as
they are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from amazon_estimators.sources.arrow_values import values_of
from amazon_estimators.sources.columns.apply import coded
from amazon_estimators.sources.columns.table import Column, Table
from amazon_estimators.sources.columns.words import column_of
from amazon_estimators.sources.float32 import ALL_HELD
from amazon_estimators.sources.parquet.footer import damaged
from amazon_estimators.sources.parquet.row_group import WAITING_BYTES, RowGroup


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
        label, words = self._schema.label, self._schema.words
        kind = np.float32 if all(map(self._fits_float32, self._features)) else np.float64
        with ExitStack() as stack:
            features = self._features_on(stack, low, high, self._coded, kind)
            if label is not None:
                labels = self._label_on(stack, low, high, self._label_values)
                gaps = self._label_on(stack, low, high, self._label_gaps)
            for start, stop in self._cuts(high - low):
                columns = {}
                if label is not None:
                    word = partial(self._word, label, low + start) if label in words else None
                    lacking = None if word else gaps.strips(start, stop)[0]
                    columns[label] = Column(labels.strips(start, stop)[0], lacking, word=word)
                strips = features.strips(start, stop)
                for strip, position in zip(strips, self._features, strict=True):
                    word = partial(self._word, position, low + start) if position in words else None
                    columns[position] = Column(strip, word=word)
                yield Table(columns, stop - start)

    def _coded(self, row: int, arrays: dict[int, Any], position: int) -> np.ndarray:
        """Return a column of a batch as numbers: words as their codes, gaps as NaN."""
        column = self._raw(row, arrays, position)
        if position in self._schema.words:
            return coded(position, column, self._schema.recipe)
        values: np.ndarray = column.values
        if column.gaps is None:
            return values
        if not self._schema.may_lack(position):
            raise self._missing(row + int(np.flatnonzero(column.gaps)[0]), self._schema.column(position))
        values = values.astype(np.float32 if self._fits_float32(position) else np.float64)
        values[column.gaps] = np.nan
        return values

    def _label_values(self, row: int, arrays: dict[int, Any], label: int) -> np.ndarray:
        column = self._raw(row, arrays, label)
        if label in self._schema.words:
            return coded(label, column, self._schema.recipe)
        values: np.ndarray = column.values
        return values

    def _label_gaps(self, row: int, arrays: dict[int, Any], label: int) -> np.ndarray:
        column = self._raw(row, arrays, label)
        return np.zeros(len(column.values), bool) if column.gaps is None else column.gaps

    def _fits_float32(self, position: int) -> bool:
        """Return True if float32 holds every value that the column may have, or every code of its words."""
        if position in self._schema.words:
            return self._schema.recipe.rules.width(position) <= ALL_HELD
        column, _ = self._footer.places[position]
        kind = self._footer.types[column]
        if self._footer.lengths[column] is not None or pa.types.is_dictionary(kind):
            kind = kind.value_type
        return bool(np.can_cast(kind.to_pandas_dtype(), np.float32))

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
