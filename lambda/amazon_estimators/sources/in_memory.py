"""Apply a Source to rows in memory: they become the features that a pipeline makes of files.

Clients encode by it, and predictions take the same rows as the data that a model was trained on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np

from amazon_estimators.errors import InputError, RequestError
from amazon_estimators.sources import float32
from amazon_estimators.sources.blocks import Block, SparseRows
from amazon_estimators.sources.columns.apply import block_of, kept_rows
from amazon_estimators.sources.columns.faults import (
    MOST_COLUMNS,
    MOST_WORDS,
    PAGE,
    ColumnFaultsError,
    ways_with_classes,
    ways_with_words,
)
from amazon_estimators.sources.columns.table import Column, Table
from amazon_estimators.sources.formats import COLUMNS
from amazon_estimators.sources.schema import Schema, check_listed
from amazon_estimators.sources.source import Source

NO_TABLE_READER = "words and ids in memory are read by pyarrow, which is not installed"
LOOKED_AT = 10_000
"""Rows of a column that tell if it holds words: the first ones may have no value."""
WAYS = {
    "timestamp": "Take numbers out of dates, such as frame[name].dt.day_of_week (docs/tables.md).",
    "date": "Take numbers out of dates, such as frame[name].dt.day_of_week (docs/tables.md).",
    "period": "Take numbers out of dates, such as frame[name].dt.day_of_week (docs/tables.md).",
    "duration": "Take numbers out of spans, such as frame[name].dt.total_seconds().",
    "decimal": "Make numbers of decimals: frame[name].astype('float64').",
    "Sparse": "Make it dense: frame[name].sparse.to_dense().",
    "list": "Give each value a column: pandas.DataFrame(frame[name].tolist()).",
}
"""How to make numbers of a column, by a word that its type or the table reader's error has."""
TABLES = "Install the extra tables, in a clone: pip install '.[cli,tables]'."


@dataclass(frozen=True)
class ColumnsInMemory:
    """Columns of equal length, and the schema by which they become features.

    Attributes:
        schema: Which columns are features, and the rules.
        columns: Every column that is read, by position: an array, or a series of pandas or polars.
        rows: The number of rows.
        numbered: The number of the first row, in errors.
    """

    schema: Schema
    columns: dict[int, Any]
    rows: int
    numbered: int = field(default=0, kw_only=True)

    @classmethod
    def of(cls, rows: Any, source: Source, *, numbered: int = 0) -> ColumnsInMemory:
        """Return the columns of a data frame, or of an array of shape (rows, columns).

        Raises:
            RequestError: The source has options that only files have.
            SchemaError: The rows do not have the columns that the source names.
            InputError: A column holds neither numbers nor words.
        """
        check_options(source)
        if is_frame(rows):
            names: tuple[str, ...] | None = tuple(map(str, rows.columns))
            labels = list(rows.columns)
            count, width = rows.shape
        else:
            rows = np.asarray(rows)
            if rows.ndim != 2 or rows.dtype.kind not in "biuf":
                raise InputError(
                    f"the data are of dtype {rows.dtype} and shape {rows.shape}; expecting numbers in rows "
                    "and columns, or a data frame",
                    remedy="Give a data frame if columns have types of their own.",
                )
            names, labels, (count, width) = None, [], rows.shape
        where = "the data" if names is None else "the data frame"
        schema = Schema.of(source, width=width, names=names, where=where)
        columns = {
            position: rows[:, position] if names is None else _series(rows, labels[position], position)
            for position in schema.used
        }
        in_memory = cls(schema, columns, count, numbered=numbered)
        for position in schema.words:
            first = _column(columns[position], 0, min(count, LOOKED_AT), schema.column(position))
            if isinstance(first.values, np.ndarray) and not _has_nothing(first):
                check_listed(schema, position, where)
        return in_memory

    @cached_property
    def kept(self) -> np.ndarray | None:
        """The rows that are not left out; None for all. Raises InputError for values that no rule covers."""
        if self.schema.rules is None or not self.schema.rules.drop_incomplete:
            return None
        try:
            return kept_rows(self.table(0, self.rows), self.schema.recipe)
        except ColumnFaultsError as faults:
            raise self._explained(faults, 0) from None

    def table(self, start: int, stop: int) -> Table:
        """Return rows ``[start, stop)`` as they are."""
        columns = {
            position: _column(column, start, stop, self.schema.column(position))
            for position, column in self.columns.items()
        }
        for position in self.schema.words:
            if _has_nothing(columns[position]):
                columns[position] = _nothing(stop - start)  # None alone is of no type
        wrong = [
            position
            for position, column in columns.items()
            if position not in self.schema.words and not isinstance(column.values, np.ndarray)
        ]
        if wrong:
            raise self._text(wrong, columns, start)
        return Table(columns, stop - start)

    def _text(self, positions: list[int], columns: dict[int, Column], start: int) -> InputError:
        """Return the error for columns of text that should be numbers."""
        from amazon_estimators.sources.columns.words import word_at, words_of  # noqa: PLC0415 - pyarrow

        rules, schema = self.schema.recipe.rules, self.schema
        first = {at: int(np.flatnonzero(~_nulls(columns[at].values))[0]) for at in positions}
        before = self.numbered + start
        told = [
            f"row {before + first[at]:,}, {schema.column(at)}: {word_at(columns[at], first[at])}"
            for at in positions[:MOST_COLUMNS]
        ]
        rows = np.arange(len(columns[positions[0]].values))
        words = {at: words_of(columns[at], rows, MOST_WORDS) for at in positions}
        ways = ways_with_words({at: words[at] for at in positions if at != schema.label}, rules, schema.key)
        if schema.label in words:
            ways += ways_with_classes(rules, words[schema.label])
        more = f"; and {len(positions) - len(told):,} more columns" if len(positions) > len(told) else ""
        return InputError(
            f"{'; '.join(told)}{more}, which is text", remedy=f"{float32.COUNTED} {' '.join(ways)} {PAGE}"
        )

    def block(self, start: int, stop: int) -> Block:
        """Return rows ``[start, stop)`` of those kept, as features. Raises InputError naming a row."""
        kept = self.kept
        first, last = (start, stop) if kept is None else (int(kept[start]), int(kept[stop - 1]) + 1)
        return self.features(first, last)

    def features(self, start: int, stop: int) -> Block:
        """Return what is kept of rows ``[start, stop)`` as features. Raises InputError naming a row."""
        try:
            return block_of(self.table(start, stop), self.schema.recipe)
        except ColumnFaultsError as faults:
            raise self._explained(faults, start) from None

    def _explained(self, faults: ColumnFaultsError, first: int) -> InputError:
        return faults.explained(
            self.schema.recipe,
            where=lambda at: f"row {self.numbered + first + at:,}",
            column=self.schema.column,
            key=self.schema.key,
            counted=float32.COUNTED,
        )


def features_of(rows: Any, source: Source) -> Block:
    """Return rows in memory as the features, and labels, that a pipeline makes of files with this source.

    Args:
        rows: A data frame of pandas or polars, or an array of shape (rows, columns).
        source: As the channel was read: label, features, exclude and the rules of columns.

    Raises:
        InputError: A value that no rule makes a number of, or that float32 does not hold; it names row and
            column.

    Example:
        >>> rows = np.array([[1.0, 40], [2, 55]])
        >>> features_of(rows, Source(one_hot={0: [1, 2]}, scale={1: (40, 15)})).features
        array([[1., 0., 0.],
               [0., 1., 1.]], dtype=float32)
    """
    columns = ColumnsInMemory.of(rows, source)
    block = columns.features(0, columns.rows)
    _check_finite(block, columns.schema)
    return block


def _check_finite(block: Block, schema: Schema) -> None:
    """Raise InputError for a feature that float32 does not hold, as for rows of files."""
    rows = block.features
    values = rows.data if isinstance(rows, SparseRows) else rows
    with np.errstate(over="ignore"):
        bad = np.flatnonzero(~np.isfinite(values.astype(np.float32)))
    if not len(bad):
        return
    at = int(bad[0])
    if isinstance(rows, SparseRows):
        row, feature = int(np.searchsorted(rows.indptr, at, side="right")) - 1, int(rows.indices[at])
    else:
        row, feature = divmod(at, rows.shape[1])
    value = values.ravel()[at] if block.written_value is None else block.written_value(row, feature)
    where = f"row {block.row(row):,}, {schema.column(schema.position(feature))}"
    raise float32.not_finite(where, value)


def of_memory(source: Source) -> Source:
    """Return the part of a Source that applies to rows in memory: its columns and their rules.

    ``record_set.json`` keeps the Source of a RecordSet, ``read_as``: with it, rows become features as the
    training data did.

    Example:
        >>> of_memory(Source(header="present", fill={"age": 0})) == Source(fill={"age": 0})
        True
    """
    return Source(**{name: getattr(source, name) for name in COLUMNS})


def is_frame(value: Any) -> bool:
    """Return True if ``value`` is a data frame of pandas or polars."""
    return hasattr(value, "columns") and hasattr(value, "to_numpy") and hasattr(value, "shape")


def check_options(source: Source) -> None:
    """Raise RequestError for options of a Source that only files have."""
    others = [
        f"{option.name} {getattr(source, option.name)!r}"
        for option in fields(source)
        if option.name not in COLUMNS and getattr(source, option.name) != option.default
    ]
    if others:
        raise RequestError(
            f"data in memory have no {', '.join(others)}; allowed: {', '.join(COLUMNS)}",
            remedy="Leave it out of the Source.",
        )


def _way_out(dtype: str, reason: str) -> str:
    """Return how to make numbers, or words, of a column that holds neither."""
    known = (way for word, way in WAYS.items() if word in dtype or word in reason)
    return next(known, "Make it one or the other, such as frame[name].astype('string').")


def _has_nothing(column: Column) -> bool:
    """Tell whether every value is missing: pandas holds such a column as NaN, whatever it was of."""
    if column.gaps is not None:
        return bool(column.gaps.all())
    values = column.values
    return isinstance(values, np.ndarray) and values.dtype.kind == "f" and bool(np.isnan(values).all())


def _nothing(rows: int) -> Column:
    """Return a column of words in which every value is missing."""
    import pyarrow as pa  # noqa: PLC0415 - only words need it

    return Column(pa.nulls(rows, pa.string()))


def _nulls(words: Any) -> np.ndarray:
    from amazon_estimators.sources.arrow_values import truths  # noqa: PLC0415 - pyarrow

    return truths(words.is_null())


def _series(frame: Any, label: Any, position: int) -> Any:
    column = frame[label]
    if getattr(column, "ndim", 1) != 1:
        raise InputError(
            f"the data frame has several columns named {label!r}", remedy="Give each column its own name."
        )
    return column


def _column(values: Any, start: int, stop: int, name: str) -> Column:
    """Return rows of a column. Raises InputError if it holds neither numbers nor words."""
    part = values.iloc[start:stop] if hasattr(values, "iloc") else values[start:stop]
    numbers = getattr(part, "to_numpy", lambda: part)() if str(part.dtype)[:1].islower() else part
    if isinstance(numbers, np.ndarray) and numbers.dtype.kind in "biuf":
        return Column(numbers)
    try:
        import pyarrow as pa  # noqa: PLC0415 - numbers do without it

        from amazon_estimators.sources.columns.words import column_of  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise InputError(NO_TABLE_READER, remedy=TABLES) from error
    try:
        array = part.to_arrow() if hasattr(part, "to_arrow") else pa.array(part, from_pandas=True)
        return column_of(array)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(
            f"{name} holds neither numbers nor words alone: {error}",
            remedy=_way_out(str(part.dtype), str(error)),
        ) from error
