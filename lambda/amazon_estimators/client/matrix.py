"""Read a user's training data as blocks of rows to encode.

Reads NumPy arrays, also mapped from disk, pandas and polars data frames, SciPy sparse matrices or their
compressed rows. Every block is float32, which all first-party algorithms read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from amazon_estimators.encodings.vectors import write_block
from amazon_estimators.errors import InputError
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.sources import Block, Schema, float32
from amazon_estimators.sources.blocks import SparseRows
from amazon_estimators.sources.columns.faults import MOST_WORDS
from amazon_estimators.sources.in_memory import is_frame

BLOCK_BYTES = 4 * 2**20
"""Bytes of float32 features held at a time."""

WORDS = (
    "Leave the column out, or say what becomes of its words: record_set(frame, source=Source(one_hot=…)). "
    "docs/tables.md shows how."
)
FRAME_BYTES = 64
"""Bytes that a record adds to its values, rounded up: frame, tags, label."""


class Matrix(Protocol):
    """Rows of which any range can be encoded."""

    rows: int
    columns: int
    sparse: bool
    record_bytes: int
    """Approximate bytes of an encoded record."""
    block_rows: int
    """Rows encoded at a time."""

    dropped: int
    """Rows that were left out, because a value is missing."""

    @property
    def names(self) -> Sequence[str] | None:
        """Names of the columns, if they have any."""
        ...

    @property
    def schema(self) -> Schema | None:
        """The columns that features were made of, where they were made of others."""
        ...

    def block(self, start: int, stop: int, labels: np.ndarray | None) -> Block:
        """Return the rows ``[start, stop)`` with their labels."""
        ...


def write_rows(
    file: Any,
    matrix: Matrix,
    start: int,
    stop: int,
    labels: np.ndarray | None,
    *,
    first_row: int,
    profile: ProfileBuilder | None = None,
) -> None:
    """Append the rows ``[start, stop)`` as records, a block at a time, and add them to ``profile``.

    Args:
        file: Receives the records.
        matrix: Holds the rows.
        start: The first row.
        stop: The row after the last.
        labels: Labels of these rows, shape (stop - start,), or None.
        first_row: The number of row ``start`` in errors.
        profile: Adds up the features. Default: none.

    Raises:
        InputError: A value that float32 cannot hold. The error names it.
    """
    for first in range(start, stop, matrix.block_rows):
        last = min(first + matrix.block_rows, stop)
        part = None if labels is None else labels[first - start : last - start]
        place = RowsInMemory(first_row + first - start, matrix.names, matrix.schema)
        write_block(file, matrix.block(first, last, part), place, profile)


def matrix_of(train: Any) -> Matrix:
    """Return ``train`` as a :class:`Matrix`. Raises InputError unless it holds numbers in rows and
    columns."""
    if hasattr(train, "tocsr"):
        if len(train.shape) != 2:
            raise _not_rows(train.shape)
        csr = train.tocsr()
        return Sparse(csr.data, csr.indices, csr.indptr, tuple(csr.shape))
    if isinstance(train, tuple) and len(train) == 4:
        return Sparse(*train)
    if is_frame(train):
        return Frame([str(name) for name in train.columns], [_column(train, name) for name in train.columns])
    return Dense(_array(train))


def split_frame(frame: Any, label: str) -> tuple[Matrix, np.ndarray]:
    """Split a data frame into features and one column of labels. Raises InputError if it lacks the column."""
    names = list(frame.columns)
    if label not in names:
        raise InputError(
            f"the data frame has no column {label!r} for the labels; it has {', '.join(map(str, names[:20]))}"
        )
    features = [name for name in names if name != label]
    column = _column(frame, label)
    labels = _column_values(str(label), column, 0, frame.shape[0], text=_with_classes(label, column))
    return Frame([str(name) for name in features], [_column(frame, name) for name in features]), labels


def labels_of(labels: Any, rows: int) -> np.ndarray | None:
    """Return labels of shape (rows,) in their own type, or None. Raises InputError for any other shape or
    type.

    They become float32 when they are written, which refuses whole numbers that float32 would round.
    """
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.shape != (rows,):
        raise InputError(
            f"labels have shape {array.shape}, expecting one label per row: shape ({rows},)",
            remedy="Pass as many labels as there are rows, as one dimension: labels.ravel().",
        )
    return _numeric(array, "labels")


@dataclass(frozen=True)
class RowsInMemory:
    """Names values in memory for errors. ``row`` is the number of a block's first row."""

    row: int
    names: Sequence[str] | None = None
    schema: Schema | None = None
    counted: str = float32.COUNTED
    label: str = "label"
    fillable: bool = True

    @property
    def rows(self) -> str:
        """Return the name of the block's rows."""
        return f"rows from {self.row}"

    def of(self, at: int, column: str) -> str:
        """Return the name of a value, by row and column."""
        return f"row {self.row + at}, {column}"

    def feature(self, number: int) -> str:
        """Return the name of a feature's column."""
        if self.schema is not None:
            return self.schema.column(self.schema.position(number))
        return f"column {number}" + (f" ({self.names[number]!r})" if self.names else "")


@dataclass
class Dense:
    """An array of shape (rows, columns), in memory or mapped."""

    array: np.ndarray
    sparse = False
    names = schema = None
    dropped = 0

    def __post_init__(self) -> None:
        self.rows, self.columns = self.array.shape
        self.record_bytes = 4 * self.columns + FRAME_BYTES
        self.block_rows = dense_rows(self.columns)

    def block(self, start: int, stop: int, labels: np.ndarray | None) -> Block:
        return Block(self.array[start:stop], labels)


class Frame:
    """The columns of a data frame; each is converted to numbers a block of rows at a time."""

    sparse = False
    schema = None
    dropped = 0

    def __init__(self, names: Sequence[str], columns: Sequence[Any]) -> None:
        if not columns:
            raise InputError(
                "the data frame has no feature columns", remedy="Pass at least one column of numbers."
            )
        self.names, self._columns = names, columns
        self.rows, self.columns = len(columns[0]), len(columns)
        self.record_bytes = 4 * self.columns + FRAME_BYTES
        self.block_rows = dense_rows(self.columns)

    def block(self, start: int, stop: int, labels: np.ndarray | None) -> Block:
        columns = [
            _column_values(name, column, start, stop)
            for name, column in zip(self.names, self._columns, strict=True)
        ]
        table = np.empty((stop - start, self.columns), np.float32)
        with np.errstate(over="ignore"):
            for index, values in enumerate(columns):
                table[:, index] = values
        return Block(table, labels, partial(_given, columns, labels))


class Sparse:
    """Compressed rows, which are written as sparse records."""

    sparse = True
    names = schema = None
    dropped = 0

    def __init__(self, data: Any, indices: Any, indptr: Any, shape: tuple[int, int]) -> None:
        self._data, self._indices, self._indptr = np.asarray(data), np.asarray(indices), np.asarray(indptr)
        self.rows, self.columns = shape
        if self._indptr.shape != (self.rows + 1,):
            raise InputError(
                f"compressed rows of shape {shape} need {self.rows + 1} row pointers, not "
                f"{self._indptr.shape}"
            )
        per_row = len(self._data) // max(1, self.rows)
        self.record_bytes = 8 * per_row + FRAME_BYTES
        self.block_rows = max(1, BLOCK_BYTES // self.record_bytes)

    def block(self, start: int, stop: int, labels: np.ndarray | None) -> Block:
        pointers = self._indptr[start : stop + 1]
        low, high = int(pointers[0]), int(pointers[-1])
        data = _numeric(self._data[low:high], "features")
        return Block(SparseRows(data, self._indices[low:high], pointers - low, self.columns), labels)


def dense_rows(columns: int) -> int:
    """Return how many rows of so many columns are encoded at a time."""
    return max(1, BLOCK_BYTES // (4 * columns))


def _array(train: Any) -> np.ndarray:
    if isinstance(train, np.ma.MaskedArray):
        raise InputError("the data are a masked array", remedy="Fill it first: array.filled(value).")
    try:
        array = np.asarray(train)
    except ValueError as error:
        raise InputError(
            f"the data are not an array: {error}", remedy="Pass the same number of values in every row."
        ) from error
    if array.ndim != 2 or not array.shape[1]:
        raise _not_rows(array.shape)
    return _numeric(array, "features")


def _not_rows(shape: tuple[int, ...]) -> InputError:
    return InputError(
        f"the data have shape {shape}, expecting rows and columns: (records, features)",
        remedy="Reshape them, for example array.reshape(len(array), -1).",
    )


def _given(columns: Sequence[np.ndarray], labels: np.ndarray | None, row: int, feature: int | None) -> float:
    """Return the value as the data frame has it."""
    values = labels if feature is None else columns[feature]
    return float("nan") if values is None else float(values[row])


def _numeric(array: np.ndarray, what: str) -> np.ndarray:
    """Return the array if it holds numbers. Raises InputError for another type."""
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"{what} are of dtype {array.dtype}, expecting numbers: bool, integers or floats",
            remedy="Cast them first: array.astype('float32').",
        )
    return array


def _column(frame: Any, name: Any) -> Any:
    column = frame[name]
    if getattr(column, "ndim", 1) != 1:
        raise InputError(
            f"the data frame has several columns named {name!r}", remedy="Give each column its own name."
        )
    return column


def _with_classes(label: str, column: Any) -> str:
    """Return the remedy for a label of words."""
    words = {value for value in np.asarray(column[: 2**20], object) if isinstance(value, str)}
    classes = sorted(word.strip() for word in words) if 0 < len(words) <= MOST_WORDS else ["no", "yes"]
    return f"Name its classes: record_set(frame, source=Source(label={label!r}, classes={classes}))."


def _column_values(name: str, column: Any, start: int, stop: int, *, text: str = WORDS) -> np.ndarray:
    """Return rows of a column as numbers. Raises InputError, with the remedy ``text``, for anything else."""
    part = column.iloc[start:stop] if hasattr(column, "iloc") else column[start:stop]
    values = np.asarray(part)
    if values.dtype.kind in "biuf":
        return values
    if values.dtype.kind == "O":
        try:
            if all(isinstance(value, int | np.integer) for value in values):
                return np.array([int(value) for value in values])  # keeps whole numbers exact
            return np.array([_number(value) for value in values], np.float64)
        except (TypeError, ValueError):
            pass
    row, shown = next(
        ((row, value) for row, value in enumerate(values) if not _is_number(value)), (0, values[:1])
    )
    raise InputError(
        f"column {name!r}, row {start + row}: {shown!r} is not a number",
        remedy=f"{float32.COUNTED} {text}",
    )


def _is_number(value: object) -> bool:
    try:
        _number(value)
    except (TypeError, ValueError):
        return False
    return True


def _number(value: Any) -> float:
    if isinstance(value, str | bytes):
        raise TypeError
    return float(value)
