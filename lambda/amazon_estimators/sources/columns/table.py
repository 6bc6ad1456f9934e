"""Rows as a reader has them before rules apply: column by column, gaps included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Column:
    """The values of a column.

    Attributes:
        values: Numbers in their own type, shape (rows,); or words, an Arrow array of strings, bytes or a
            dictionary of them, in which null is a gap.
        gaps: True where a number is missing, shape (rows,); None for none but NaN.
        marks: True if a word such as ``NA`` marks a gap, as in text.
        word: Returns the word of a row, where ``values`` hold what :func:`apply.coded` made of the words:
            a reader without room for them codes them early.
    """

    values: np.ndarray | Any
    gaps: np.ndarray | None = None
    marks: bool = False
    word: Callable[[int], Any] | None = None

    def part(self, rows: slice) -> Column:
        """Return some rows of the column."""
        gaps = None if self.gaps is None else self.gaps[rows]
        return replace(self, values=self.values[rows], gaps=gaps)


@dataclass(frozen=True)
class Table:
    """Consecutive rows: the columns that are used, by position."""

    columns: Mapping[int, Column]
    rows_read: int

    def part(self, rows: slice) -> Table:
        """Return some rows of the table."""
        columns = {position: column.part(rows) for position, column in self.columns.items()}
        return Table(columns, len(range(self.rows_read)[rows]))
