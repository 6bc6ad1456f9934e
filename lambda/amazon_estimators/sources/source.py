"""What every format has in common: the settings of a channel's input, its schema, a piece of it, a block of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from amazon_estimators.errors import RequestError, SchemaError
from amazon_estimators.s3 import InputObject

if TYPE_CHECKING:
    import numpy as np

BLOCK_BYTES = 8 * 2**20
"""Bytes of input or of float32 features a reader holds at a time, whichever it counts in."""

HEADERS = ("auto", "present", "absent")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a channel's input lies and how to read it.

    prefix: key prefix in the data bucket. Default: ``<pipeline prefix>input/<channel>/``.
    format: ``"auto"`` (by the object's extension) or a format's name, such as ``"npy"`` or ``"csv"``.
    header: ``"auto"`` (a first line with a field that is no number is one), ``"present"`` or ``"absent"``. CSV only.
    label: the label's column, by position (0-based; negative counts from the end) or by name. Default: no label.
    features: the feature columns, by position or name, in this order. Default: all but the label.
    """

    prefix: str | None = None
    format: str = "auto"
    header: str = "auto"
    label: int | str | None = None
    features: tuple[int | str, ...] | None = None

    def __post_init__(self) -> None:
        problems = []
        if self.header not in HEADERS:
            problems.append(f"header is {self.header!r}; allowed: {', '.join(HEADERS)}")
        if isinstance(self.features, list):
            object.__setattr__(self, "features", tuple(self.features))
        if self.features is not None and not self.features:
            problems.append("features is empty; leave it out to take all columns but the label")
        columns = (*(self.features or ()), *(() if self.label is None else (self.label,)))
        problems += [
            f"{column!r} is no column; allowed: a position (int) or a name (str)"
            for column in columns
            if isinstance(column, bool) or not isinstance(column, int | str)
        ]
        if problems:
            raise RequestError("Source: " + "; ".join(problems))

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values; :meth:`from_dict` reads them back."""
        values = asdict(self)
        values["features"] = None if self.features is None else list(self.features)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote. Raises RequestError for a key it does not know."""
        known = {one.name for one in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise RequestError(f"Source has no {', '.join(unknown)}; allowed: {', '.join(sorted(known))}")
        return cls(**values)


@dataclass(frozen=True)
class Schema:
    """The columns of one input: how many, their names if it has any, which are features and which is the label."""

    width: int
    names: tuple[str, ...] | None
    features: tuple[int, ...] | None
    """Positions of the features; None for all columns but the label."""
    label: int | None

    @classmethod
    def of(cls, source: Source, *, width: int, names: tuple[str, ...] | None, where: str) -> Self:
        """Resolve names and negative positions of ``source`` against a table of ``width`` columns."""

        def position(column: int | str) -> int:
            if isinstance(column, str):
                if names is None:
                    raise SchemaError(
                        f"{where} has no header, so there is no column {column!r}",
                        remedy="Name columns by position, or give the file a header.",
                    )
                if column not in names:
                    raise SchemaError(f"{where} has no column {column!r}; its columns: {_some(names)}")
                return names.index(column)
            if not -width <= column < width:
                raise SchemaError(f"{where} has no column {column}; it has {width} columns, 0 to {width - 1}")
            return column % width

        label = None if source.label is None else position(source.label)
        features = None if source.features is None else tuple(position(column) for column in source.features)
        schema = cls(width=width, names=names, features=features, label=label)
        if schema.feature_dim < 1:
            raise SchemaError(f"{where} has no feature column beside the label", remedy="Add columns.")
        return schema

    @property
    def feature_dim(self) -> int:
        """The number of feature columns."""
        if self.features is not None:
            return len(self.features)
        return self.width - (self.label is not None)

    def column(self, position: int) -> str:
        """How to name a column to a user: by name where it has one, always by position."""
        return f"column {position}" + (f" ({self.names[position]!r})" if self.names else "")

    def split(self, table: np.ndarray) -> Block:
        """A table of all columns, shape (rows, width), as features and labels."""
        labels = None if self.label is None else table[:, self.label]
        if self.features is not None:
            return Block(table[:, list(self.features)], labels)
        if self.label is None:
            return Block(table, None)
        if self.label == 0:
            return Block(table[:, 1:], labels)
        if self.label == self.width - 1:
            return Block(table[:, :-1], labels)
        import numpy as np

        return Block(np.delete(table, self.label, axis=1), labels)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        def many(name: str) -> Any:
            return None if values[name] is None else tuple(values[name])

        return cls(values["width"], many("names"), many("features"), values["label"])


def _some(names: tuple[str, ...], most: int = 20) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown}, and {len(names) - most} more"


@dataclass(frozen=True)
class Layout:
    """What a look at one object's metadata tells: its schema and how it can be cut.

    A cut is a position between ``start`` and ``stop``: a row number, or a byte offset. ``records`` is None where
    nobody knows before reading. ``row_cuts`` maps a row number to its cut where they differ and both are known.
    """

    schema: Schema
    start: int
    stop: int
    records: int | None = None
    row_cuts: np.ndarray | None = field(default=None, compare=False)

    def cut(self, row: int) -> int:
        """The cut before row ``row``; ``records`` must be known."""
        if self.row_cuts is None:
            return self.start + row
        return int(self.row_cuts[row]) if row < len(self.row_cuts) else self.stop


@dataclass(frozen=True)
class Piece:
    """Cuts ``[start, stop)`` of one object; ``first_row`` is the row number of ``start`` where it is known."""

    source: InputObject
    start: int
    stop: int
    first_row: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        return cls(InputObject(**values["source"]), values["start"], values["stop"], values["first_row"])


@dataclass(frozen=True)
class SparseRows:
    """Consecutive rows as CSR: ``data`` and ``indices`` of shape (nnz,), ``indptr`` of shape (rows + 1,)."""

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    width: int

    def __len__(self) -> int:
        return len(self.indptr) - 1


@dataclass(frozen=True)
class Block:
    """Consecutive rows: ``features`` of shape (rows, feature_dim), ``labels`` of shape (rows,) or None."""

    features: np.ndarray | SparseRows
    labels: np.ndarray | None
