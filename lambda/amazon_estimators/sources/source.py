"""Define a channel's Source: the location of its input and how to read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

from amazon_estimators.errors import RequestError
from amazon_estimators.sources.columns.rules import (
    BY_COLUMN,
    ColumnRules,
    Key,
    by_column,
    is_by_column,
    listed_words,
)
from amazon_estimators.sources.formats import COMPRESSIONS, FORMATS, extensions, formats_with
from amazon_estimators.text import listed, nearest

BLOCK_BYTES = 8 * 2**20
"""Bytes a reader holds at a time, of input or of float32 features, depending on the format."""

LONGEST_SHOWN = 80
"""The most bytes of a user's text that an error shows."""
LISTS = {
    "features": ("columns", "price"),
    "exclude": ("columns", "price"),
    "include": ("patterns", "*.csv"),
    "skip": ("patterns", "*-manifest"),
    "classes": ("words", "yes"),
}
"""The options that hold several values: of what kind, and an example."""
NO_FILL = "leave rows without a class out, drop_incomplete=True"
HEADERS = ("auto", "present", "absent")
QUOTINGS = ("auto", "minimal", "none")
DECIMALS = (".", ",")
SEPARATORS = ("\x01", "\x1f")
"""Control characters that separate fields: Hive's, and ASCII's own."""
ALWAYS = ("prefix", "include", "skip", "format", "partitions")
"""The options that apply to every format. The table of formats lists the others."""
FEATURE_LIMIT = 2**31 - 1
"""The most features of a sparse input: the range of a 32-bit column number."""
COLUMN_LIMIT = 2**22
"""The most columns of a dense input, whatever a header claims: a row is held in memory."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """The location of a channel's input, and the options for reading it.

    Attributes:
        prefix: Key prefix in the data bucket. Default: ``<pipeline prefix>input/<channel>/``.
        include: Patterns such as ``"*.csv"``; only files that match one are read. Default: all data files.
        skip: Patterns such as ``"*-manifest"``; files that match one are left out. Default: none. A pattern
            with a slash is matched with the path below the prefix, one without with the file's name.
        format: ``"auto"`` (by the object's extension), ``"npy"``, ``"npz"``, ``"csv"``, ``"parquet"``,
            ``"libsvm"``, ``"recordio"`` or ``"jsonlines"``. With a format, options of others are refused.
        compression: ``"auto"`` (``.gz``, ``.zst`` by extension), ``"none"``, ``"gzip"`` or ``"zstd"``. Text
            only.
        label: The label's column, by position (0-based; negative counts from the end) or name. Default: no
            label.
        classes: The words of the label, such as ``["no", "yes"]``: the labels are 0 and 1. Any other word is
            an error. Default: none; the label is a number.
        features: The feature columns, by position or name, in this order. Default: all but the label.
        exclude: Columns that are not features, by position or name; all others but the label are. Default:
            none.
        header: ``"auto"`` (present if a column is named, or if a field that is read in the first line is not
            a number), ``"present"`` or ``"absent"``. CSV only.
        delimiter: The character between fields; a blank means any run of blanks and tabs. Default: a tab for
            ``.tsv``, else a comma. CSV only.
        quoting: ``"minimal"`` (a quote that begins a field encloses it), ``"none"`` (quotes are plain
            characters) or ``"auto"`` (what fits the first records; in doubt ``"none"`` for tabs). CSV only.
        escape: The character that escapes the next one, such as a backslash; ``""`` for none. Default: a
            backslash if only that fits the first records. CSV only.
        decimal: The decimal mark of numbers, ``"."`` or ``","``. CSV only.
        quoted_newlines: Whether a quoted field may hold a newline. Default: True. CSV only.
        feature_count: The number of features. Default: the largest index, found by reading all files once.
            libsvm only.
        first_index: The index of the first feature, 0 or 1. Default: 1. libsvm only.
        partitions: Whether ``key=value`` directories below the prefix are columns, after those of the file. A
            directory named in ``label``, ``features`` or ``exclude`` is always a column. Default: False.
        keep_labels: Whether the label each libsvm or RecordIO record carries is kept. Default: True.
        fill: What stands in for a gap, by column: a number, or a word if the column is ``one_hot`` or
            ``hashed``, such as ``{"income": 0}``. Default: none; a gap is an error.
        drop_incomplete: Whether rows with a gap that ``fill`` does not fill are left out. They are counted.
            Default: False.
        one_hot: The words of a column, by column, such as ``{"city": ["Berlin", "Paris"]}``. Each becomes a
            feature that is 1 or 0. Default: none; words are an error.
        unknown: What to do with a word that ``one_hot`` does not list: ``"refuse"``, ``"zeros"`` (all its
            features are 0) or ``"other"`` (one more feature). Default: ``"refuse"``.
        hashed: The number of features that words or ids are hashed to, by column, such as
            ``{"user_id": 2**20}``. Records become sparse. Default: none.
        scale: (mean, deviation) by column, such as ``{"age": (40, 15)}``. The feature is (value - mean) /
            deviation. Default: none.

    The mappings name columns as ``features`` does: by name, or by position.
    """

    prefix: str | None = None
    include: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    format: str = "auto"
    compression: str = "auto"
    label: int | str | None = None
    classes: Sequence[str] = ()
    features: tuple[int | str, ...] | None = None
    exclude: tuple[int | str, ...] = ()
    header: str = "auto"
    delimiter: str | None = None
    quoting: str = "auto"
    escape: str | None = None
    decimal: str = "."
    quoted_newlines: bool = True
    feature_count: int | None = None
    first_index: int = 1
    keep_labels: bool = True
    partitions: bool = False
    fill: Mapping[Key, float | str] | tuple[tuple[Key, float | str], ...] = ()
    drop_incomplete: bool = False
    one_hot: Mapping[Key, Iterable[str]] | tuple[tuple[Key, tuple[str, ...]], ...] = ()
    unknown: str = "refuse"
    hashed: Mapping[Key, int] | tuple[tuple[Key, int], ...] = ()
    scale: Mapping[Key, tuple[float, float]] | tuple[tuple[Key, tuple[float, float]], ...] = ()

    def __post_init__(self) -> None:
        for name, (what, usual) in LISTS.items():
            values = getattr(self, name)
            if isinstance(values, Iterable) and not isinstance(values, str | Mapping):
                object.__setattr__(self, name, tuple(values))
            elif values is not None or name != "features":
                example = values if isinstance(values, str) else usual
                raise RequestError(
                    f"Source: {name} is {values!r}; allowed: a list of {what}, such as [{example!r}]"
                )
        object.__setattr__(self, "classes", listed_words(self.classes))
        for name, (what, sample) in BY_COLUMN.items():
            pairs = by_column(name, getattr(self, name))
            if not is_by_column(pairs):
                raise RequestError(
                    f"Source: {name} is {pairs!r}; allowed: {what} by column, such as {sample}"
                )
            object.__setattr__(self, name, pairs)
        problems = [
            *self._choices(),
            *self._misfits(),
            *self._columns(),
            *self._ruled_columns(),
            *self.rules.problems(),
        ]
        if problems:
            raise RequestError("Source: " + "; ".join(problems))

    def _choices(self) -> Iterator[str]:
        if self.prefix is not None and not isinstance(self.prefix, str):
            yield f"prefix is {self.prefix!r}; allowed: the beginning of a key, such as 'mine/'"
        if self.format != "auto" and (not isinstance(self.format, str) or self.format not in FORMATS):
            others = {extension.removeprefix("."): [name] for extension, name in extensions().items()}
            near = nearest(self.format, FORMATS, others=others)
            hint = f"; did you mean {near!r}?" if near else ""
            yield f"format is {self.format!r}; allowed: auto, {', '.join(FORMATS)}{hint}"
        choices = {
            "header": HEADERS,
            "quoting": QUOTINGS,
            "decimal": DECIMALS,
            "compression": ("auto", "none", *COMPRESSIONS.values()),
            "first_index": (0, 1),
        }
        for name, allowed in choices.items():
            value = getattr(self, name)
            if value not in allowed or isinstance(value, bool):
                yield f"{name} is {value!r}; allowed: {', '.join(map(str, allowed))}"
        for name in ("include", "skip"):
            if wrong := [
                pattern for pattern in getattr(self, name) if not isinstance(pattern, str) or not pattern
            ]:
                yield f"{name} holds {listed(wrong)}; allowed: patterns such as {LISTS[name][1]!r}"
        for name in ("quoted_newlines", "keep_labels", "partitions"):
            if not isinstance(getattr(self, name), bool):
                yield f"{name} is {getattr(self, name)!r}; allowed: True, False"
        if self.delimiter is not None and (not _is_mark(self.delimiter) or self.delimiter in '"+-.'):
            yield (
                f"delimiter is {self.delimiter!r}; allowed: a tab, a blank, one mark such as , ; or |, or "
                f"one of {', '.join(map(repr, SEPARATORS))}"
            )
        if self.escape not in (None, "") and (
            not _is_mark(self.escape) or self.escape in ("\t", " ", '"', self.delimiter or ",")
        ):
            yield f"escape is {self.escape!r}; allowed: one mark such as a backslash, or '' for none"
        count = self.feature_count
        if count is not None and (
            isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= FEATURE_LIMIT
        ):
            yield f"feature_count is {count!r}; allowed: 1 to {FEATURE_LIMIT}"

    def _misfits(self) -> Iterator[str]:
        """Describe the options that do not apply to the format. With ``"auto"`` the format is not known
        yet."""
        entry = FORMATS.get(self.format) if isinstance(self.format, str) else None
        if entry is None:
            return
        for name, value in self.explicit_options.items():
            if name not in (*ALWAYS, *entry.options):
                yield (
                    f"{name} is {value!r}, and format {self.format!r} has no such option: it is for "
                    f"{' and '.join(formats_with(name))}; leave it out"
                )

    @property
    def explicit_options(self) -> dict[str, Any]:
        """Return the options that say something, by name."""
        values = {option.name: getattr(self, option.name) for option in fields(self)}
        return {
            option.name: dict(value) if option.name in BY_COLUMN else value
            for option in fields(self)
            if (value := values[option.name]) != option.default
            and not (option.name == "compression" and value == "none")
        }

    def _columns(self) -> Iterator[str]:
        if self.features is not None and not self.features:
            yield "features is empty; leave it out to take all columns but the label"
        if self.features is not None and self.exclude:
            yield "features and exclude are both given; name the columns to take or those to leave out"
        columns = self._chosen
        wrong = [
            column for column in columns if isinstance(column, bool) or not isinstance(column, int | str)
        ]
        for column in wrong:
            yield f"{column!r} is not a column; allowed: a position (int) or a name (str)"
        if wrong:
            return
        twice = [column for column, times in Counter(self.features).items() if times > 1]
        if twice:
            yield f"features holds {listed(twice)} more than once; allowed: each column once"
        if self.label is not None and self.label in (self.features or ()):
            yield (
                f"label is {self.label!r}, and features holds it too; leave it out of features: a model that "
                "is given its answer learns nothing"
            )
        named = [column for column in self.columns if isinstance(column, str)]
        entry = FORMATS.get(self.format) if isinstance(self.format, str) else None
        if named and entry and entry.labels == "column" and not entry.names:
            yield (
                f"format {self.format!r} has no column names, so there is no {listed(named)}; "
                "allowed: positions"
            )
        if named and entry and "header" in entry.options and self.header == "absent":
            yield f"header is 'absent', so there is no column {listed(named)}; allowed: positions"

    def _ruled_columns(self) -> Iterator[str]:
        """Rules for columns that are not read, or for the label."""
        if self.classes and self.label is None:
            yield f"classes is {list(self.classes)!r}, and there is no label; name its column in label"
        if self.classes and self.label is not None and self.label in dict(self.fill):
            yield f"fill names {self.label!r}, which has classes; {NO_FILL}"
        for name in BY_COLUMN:
            for key, _ in getattr(self, name):
                if key in self.exclude:
                    yield f"{name} names {key!r}, and exclude holds it; allowed: columns that are read"
                elif self.features is not None and _is_elsewhere(key, (*self.features, self.label)):
                    yield (
                        f"{name} names {key!r}, and features does not hold it; allowed: columns that are read"
                    )
                if key == self.label and name != "fill":
                    yield f"{name} names {key!r}, which is the label; allowed: features"

    @cached_property
    def rules(self) -> ColumnRules:
        """Return how columns become features."""
        return ColumnRules.of(self)

    @property
    def _chosen(self) -> tuple[int | str, ...]:
        return (*(self.features or ()), *self.exclude, *(() if self.label is None else (self.label,)))

    @cached_property
    def columns(self) -> tuple[int | str, ...]:
        """Return all columns that options refer to: features, exclude, label and those of rules."""
        return tuple(dict.fromkeys((*self._chosen, *self.rules.keys)))

    def with_columns(self, columns: Callable[[Key], Iterable[Key]], label: Key | None) -> Self:
        """Return the source with other columns, several or none, in place of each; and another label."""

        def others(keys: Iterable[Key]) -> tuple[Key, ...]:
            return tuple(new for key in keys for new in columns(key))

        features = None if self.features is None else others(self.features) or None
        rules = self.rules.renamed(columns).options()
        if label is None:
            rules["classes"] = ()
        return replace(self, label=label, features=features, exclude=others(self.exclude), **rules)

    @property
    def names_columns(self) -> bool:
        """Return True if an option refers to a column by name."""
        return any(isinstance(column, str) for column in self.columns)

    def to_dict(self) -> dict[str, Any]:
        """Return the options as JSON values; :meth:`from_dict` reads them back."""
        values = asdict(self)
        values["features"] = None if self.features is None else list(self.features)
        for name in ("exclude", "include", "skip", "classes"):
            values[name] = list(values[name])
        for name in BY_COLUMN:
            pairs = getattr(self, name)
            values[name] = [[key, list(value) if isinstance(value, tuple) else value] for key, value in pairs]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote. Raises RequestError for a key it does not know."""
        known = {option.name for option in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise RequestError(f"Source has no {', '.join(unknown)}; allowed: {', '.join(sorted(known))}")
        return cls(**values)


def _is_elsewhere(key: Key, columns: tuple[Key | None, ...]) -> bool:
    """Return True if a name is none of those columns. Only the input tells which position a name is."""
    named = isinstance(key, str) and all(isinstance(column, str | None) for column in columns)
    return named and key not in columns


def _is_mark(text: object) -> bool:
    """Return True for a tab, a separator, or one printable ASCII character that is not a letter or digit."""
    return (
        isinstance(text, str)
        and len(text) == 1
        and text.isascii()
        and (text in ("\t", *SEPARATORS) or text.isprintable())
        and not text.isalnum()
    )
