"""What every format has in common: a channel's Source, its schema, a piece of it, a block of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Self

from amazon_estimators.errors import RequestError, SchemaError
from amazon_estimators.s3 import InputObject

if TYPE_CHECKING:
    import numpy as np

BLOCK_BYTES = 8 * 2**20
"""Bytes of input or of float32 features a reader holds at a time, whichever it counts in."""

LONGEST_SHOWN = 80
"""Bytes of a user's text that an error shows."""
COLUMN_FORMATS = ("npy", "csv", "parquet")
"""Formats in which a label is a column that the Source names."""
LABELLED_FORMATS = ("libsvm", "recordio")
"""Formats in which each record has a place for a label, and no columns."""
TABLES = (*COLUMN_FORMATS, "npz")
NUMBER_FORMATS = (*TABLES, *LABELLED_FORMATS)
"""Formats of feature vectors."""
FORMATS = (*NUMBER_FORMATS, "jsonlines")
APPLIES_TO = {
    "compression": ("csv", "libsvm", "jsonlines"),
    "label": TABLES,
    "features": TABLES,
    "exclude": TABLES,
    "header": ("csv",),
    "delimiter": ("csv",),
    "quoted_newlines": ("csv",),
    "feature_count": ("libsvm",),
    "first_index": ("libsvm",),
    "keep_labels": LABELLED_FORMATS,
}
"""The formats that an option says something of. Those not here go with every format."""
HEADERS = ("auto", "present", "absent")
COMPRESSIONS = ("auto", "none", "gzip", "zstd")
FEATURE_LIMIT = 2**31 - 1
"""The most features of a sparse input: what a column number of 32 bits can name."""
COLUMN_LIMIT = 2**22
"""The most columns of a dense input: a row of them is held in memory, whatever a header claims."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a channel's input lies and how to read it.

    prefix: key prefix in the data bucket. Default: ``<pipeline prefix>input/<channel>/``.
    format: ``"auto"`` (by the object's extension), ``"npy"``, ``"npz"``, ``"csv"``, ``"parquet"``,
        ``"libsvm"``, ``"recordio"`` or ``"jsonlines"``. With a format, options of others are refused.
    compression: ``"auto"`` (``.gz``, ``.zst`` by extension), ``"none"``, ``"gzip"`` or ``"zstd"``. Text only.
    label: the label's column, by position (0-based; negative counts from the end) or name. Default: no label.
    features: the feature columns, by position or name, in this order. Default: all but the label.
    exclude: columns that are no features, by position or name; the others but the label are. Default: none.
    header: ``"auto"`` (one is there if a column is named, or if the first line has a field to read that is
        no number), ``"present"`` or ``"absent"``. CSV only.
    delimiter: the character between fields. Default: a tab for ``.tsv``, else a comma. CSV only.
    quoted_newlines: whether a quoted field may hold a newline. Default: True. CSV only.
    feature_count: the number of features. Default: the largest index found by reading all once. libsvm only.
    first_index: the index of the first feature, 0 or 1. Default: 1. libsvm only.
    keep_labels: whether the label each libsvm or RecordIO record carries is kept. Default: True.
    """

    prefix: str | None = None
    format: str = "auto"
    compression: str = "auto"
    label: int | str | None = None
    features: tuple[int | str, ...] | None = None
    exclude: tuple[int | str, ...] = ()
    header: str = "auto"
    delimiter: str | None = None
    quoted_newlines: bool = True
    feature_count: int | None = None
    first_index: int = 1
    keep_labels: bool = True

    def __post_init__(self) -> None:
        for name in ("features", "exclude"):
            columns = getattr(self, name)
            if isinstance(columns, Iterable) and not isinstance(columns, str | Mapping):
                object.__setattr__(self, name, tuple(columns))
            elif columns is not None or name == "exclude":
                example = columns if isinstance(columns, str) else "price"
                raise RequestError(
                    f"Source: {name} is {columns!r}; allowed: a list of columns, such as [{example!r}]"
                )
        problems = [*self._choices(), *self._misfits(), *self._columns()]
        if problems:
            raise RequestError("Source: " + "; ".join(problems))

    def _choices(self) -> Iterator[str]:
        if self.prefix is not None and not isinstance(self.prefix, str):
            yield f"prefix is {self.prefix!r}; allowed: the beginning of a key, such as 'mine/'"
        if self.format not in ("auto", *FORMATS):
            near = get_close_matches(str(self.format).lower(), FORMATS, n=1, cutoff=0.4)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield f"format is {self.format!r}; allowed: auto, {', '.join(FORMATS)}{hint}"
        choices = {"header": HEADERS, "compression": COMPRESSIONS, "first_index": (0, 1)}
        for name, allowed in choices.items():
            value = getattr(self, name)
            if value not in allowed or isinstance(value, bool):
                yield f"{name} is {value!r}; allowed: {', '.join(map(str, allowed))}"
        for name in ("quoted_newlines", "keep_labels"):
            if not isinstance(getattr(self, name), bool):
                yield f"{name} is {getattr(self, name)!r}; allowed: True, False"
        separator = self.delimiter
        if separator is not None and not (
            isinstance(separator, str)
            and len(separator) == 1
            and (separator == "\t" or separator.isprintable())
            and separator.isascii()
            and not separator.isalnum()
            and separator not in '"+-. '
        ):
            yield f"delimiter is {separator!r}; allowed: a tab or one mark such as , ; or |"
        count = self.feature_count
        if count is not None and (
            isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= FEATURE_LIMIT
        ):
            yield f"feature_count is {count!r}; allowed: 1 to {FEATURE_LIMIT}"

    def _misfits(self) -> Iterator[str]:
        """Options that do not apply to the format. What ``"auto"`` finds is not known beforehand."""
        if self.format not in FORMATS:
            return
        for option in fields(self):
            allowed, value = APPLIES_TO.get(option.name, FORMATS), getattr(self, option.name)
            says_nothing = value == option.default or (option.name == "compression" and value == "none")
            if self.format not in allowed and not says_nothing:
                yield (
                    f"{option.name} is {value!r}, and format {self.format!r} has no such option: it is for "
                    f"{' and '.join(allowed)}; leave it out"
                )

    def _columns(self) -> Iterator[str]:
        if self.features is not None and not self.features:
            yield "features is empty; leave it out to take all columns but the label"
        if self.features is not None and self.exclude:
            yield "features and exclude are both given; name the columns to take or those to leave out"
        columns = (*(self.features or ()), *self.exclude, *(() if self.label is None else (self.label,)))
        wrong = [one for one in columns if isinstance(one, bool) or not isinstance(one, int | str)]
        for column in wrong:
            yield f"{column!r} is no column; allowed: a position (int) or a name (str)"
        if wrong:
            return
        twice = [column for column, times in Counter(self.features).items() if times > 1]
        if twice:
            yield f"features holds {_some(twice)} more than once; allowed: each column once"
        if self.label is not None and self.label in (self.features or ()):
            yield (
                f"label is {self.label!r}, and features holds it too; leave it out of features: a model that "
                "is given its answer learns nothing"
            )
        named = [column for column in dict.fromkeys(columns) if isinstance(column, str)]
        if named and self.format == "npy":
            yield f"format 'npy' names no columns, so there is no {_some(named)}; allowed: positions"
        if named and self.format == "csv" and self.header == "absent":
            yield f"header is 'absent', so there is no column {_some(named)}; allowed: positions"

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values; :meth:`from_dict` reads them back."""
        values = asdict(self)
        values["features"] = None if self.features is None else list(self.features)
        values["exclude"] = list(self.exclude)
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
    """The columns of one input: how many, their names if any, which are features and which is the label."""

    width: int
    names: tuple[str, ...] | None
    features: tuple[int, ...] | None
    """Positions of the features; None for all columns but the label."""
    label: int | None
    sparse: bool = False
    """Whether rows are sparse: then all columns are features, and a label is in no column."""

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
                if names.count(column) > 1:
                    raise SchemaError(
                        f"{where} has {names.count(column)} columns named {column!r}",
                        remedy="Name it by position, or rename the others.",
                    )
                return names.index(column)
            if not -width <= column < width:
                raise SchemaError(f"{where} has no column {column}; it has {width} columns, 0 to {width - 1}")
            return column % width

        if width > COLUMN_LIMIT:
            raise SchemaError(
                f"{where} has {width} columns; allowed: {COLUMN_LIMIT}",
                remedy="Upload wide data as sparse rows: libsvm, or SciPy's CSR.",
            )
        label = None if source.label is None else position(source.label)
        features = None if source.features is None else tuple(position(column) for column in source.features)
        if source.exclude:
            out = {position(column) for column in source.exclude} | {label}
            features = tuple(column for column in range(width) if column not in out)
        if label is not None and features is not None and label in features:
            raise SchemaError(
                f"{where}: column {source.label!r} is both the label and a feature",
                remedy="Leave the label out of features: a model that is given its answer learns nothing.",
            )
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

    @property
    def used(self) -> tuple[int, ...]:
        """The columns that are read, in the order of the input: features and label."""
        if self.features is None:
            return tuple(range(self.width))
        return tuple(sorted({*self.features, *(() if self.label is None else (self.label,))}))

    def position(self, feature: int | None) -> int:
        """The column of a feature by its number, or of the label for None; there is one."""
        if feature is None:
            assert self.label is not None
            return self.label
        if self.features is not None:
            return self.features[feature]
        return feature + (self.label is not None and feature >= self.label)

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
        import numpy as np  # noqa: PLC0415 - a Source is made at synth time, without numpy

        return Block(np.delete(table, self.label, axis=1), labels)

    def split_used(self, table: np.ndarray) -> Block:
        """A table of the columns ``used`` names, shape (rows, len(used)), as features and labels."""
        if self.features is None:
            return self.split(table)
        place = {column: at for at, column in enumerate(self.used)}
        features = [place[column] for column in self.features]
        labels = None if self.label is None else table[:, place[self.label]]
        if features == list(range(len(features))):
            return Block(table[:, : len(features)], labels)
        return Block(table[:, features], labels)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        def many(name: str) -> Any:
            return None if values[name] is None else tuple(values[name])

        return cls(
            values["width"], many("names"), many("features"), values["label"], values.get("sparse", False)
        )


def _some(names: Sequence[int | str], most: int = 20) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown}, and {len(names) - most} more"


@dataclass(frozen=True)
class Layout:
    """What a look at one object's metadata tells: its schema and how it can be cut.

    A cut is a position between ``start`` and ``stop``. Where ``records`` is known a cut is before a row, and
    ``row_cuts`` maps row numbers to positions unless they are the same. Else a cut is a byte offset: a record
    belongs to the piece in which its first byte lies. An object that is ``whole`` has no cut but its ends.
    """

    schema: Schema
    start: int
    stop: int
    records: int | None = None
    row_cuts: np.ndarray | range | None = field(default=None, compare=False)
    whole: bool = False

    def cut(self, row: int) -> int:
        """The cut before row ``row``; ``records`` must be known."""
        if self.row_cuts is None:
            return self.start + row
        return int(self.row_cuts[row]) if row < len(self.row_cuts) else self.stop


@dataclass(frozen=True)
class Piece:
    """Cuts ``[start, stop)`` of one object; ``first_row`` numbers the row at ``start``, if known."""

    source: InputObject
    start: int
    stop: int
    first_row: int | None = None

    def row(self, number: int, text: bytes = b"") -> str:
        """How row ``number`` is named to a user: in a part that knows no first row, by its ``text`` too."""
        if self.first_row is not None or self.start == 0:
            return f"row {number:,}"
        shown = text[:LONGEST_SHOWN].decode("utf-8", "replace").strip()
        begins = f", which begins {shown!r}" if shown else ""
        return f"row {number:,} of the part from byte {self.start:,}{begins}"

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
    """Consecutive rows: ``features`` of shape (rows, feature_dim), ``labels`` of shape (rows,) or None.

    A reader that casts to float32 says by ``given(row, feature)``, or ``given(row, None)`` for the label,
    what the input has there: of a value beyond float32 the cast leaves an infinity, and an error names it.
    """

    features: np.ndarray | SparseRows
    labels: np.ndarray | None
    given: Callable[[int, int | None], Any] | None = None
