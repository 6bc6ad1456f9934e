"""Describe where an object can be cut, and the pieces between cuts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import LONGEST_SHOWN
from amazon_estimators.storage.documents import check_fields
from amazon_estimators.storage.s3 import InputObject

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Layout:
    """The schema of an object and its possible cuts, according to its metadata.

    A cut is a position between ``start`` and ``stop``. If ``records`` is known, every cut is at the start of
    a row, and ``row_cuts`` maps row numbers to positions unless they are equal. Otherwise a cut is a byte
    offset, and a record belongs to the piece that holds its first byte. A ``whole`` object can only be cut at
    its ends.
    """

    schema: Schema
    start: int
    stop: int
    records: int | None = None
    row_cuts: np.ndarray | range | None = field(default=None, compare=False)
    whole: bool = False
    notes: tuple[str, ...] = field(default=(), compare=False)
    """Things that look odd but may be intended: shown to the user, not errors."""

    def of_width(self, width: int, *, known: bool = False) -> Layout:
        """Return the layout with another number of features; whether it is known, or still the highest
        seen."""
        own = self.schema.own and replace(self.schema.own, width=width, at_least=not known)
        return replace(self, schema=replace(self.schema, width=width, at_least=not known, own=own))

    def cut(self, row: int) -> int:
        """Return the cut before row ``row``; ``records`` must be known."""
        if self.row_cuts is None:
            return self.start + row
        return int(self.row_cuts[row]) if row < len(self.row_cuts) else self.stop


@dataclass(frozen=True)
class Piece:
    """The part ``[start, stop)`` of one object; ``first_row`` is the number of the row at ``start``, if
    known."""

    source: InputObject
    start: int
    stop: int
    first_row: int | None = None

    def row(self, number: int, text: bytes = b"") -> str:
        """Return the name of row ``number`` for messages, with its ``text`` if the number of the first row is
        unknown."""
        if self.first_row is not None or self.start == 0:
            return f"row {number:,}"
        shown = text[:LONGEST_SHOWN].decode("utf-8", "replace").strip()
        begins = f", which begins {shown!r}" if shown else ""
        return f"row {number:,} of the part from byte {self.start:,}{begins}"

    def to_dict(self) -> dict[str, Any]:
        """Return the piece as JSON values. ``asdict`` would take a minute for a million pieces."""
        return {**vars(self), "source": vars(self.source)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        check_fields(cls, values)
        return cls(InputObject(**values["source"]), values["start"], values["stop"], values["first_row"])
