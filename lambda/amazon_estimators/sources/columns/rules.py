"""Define how columns become features: a value, without state, so that every shard is made alone.

city     one_hot  →  city=Berlin, city=Paris, city=Rome      income   fill, scale  →  income
user_id  hashed   →  2**20 sparse features, of which a row has one
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import accumulate
from typing import Any, Self

from amazon_estimators.text import listed

Key = int | str
"""A column, by position or by name."""
UNKNOWN = ("refuse", "zeros", "other")
"""What to do with a value that ``one_hot`` does not list."""
OTHER = "other"
WHOLE_WITH_POINT = r"^\s*([+-]?\d+)\.0\s*$"
"""A whole number as tools write it in a column that has gaps."""
LARGEST = (2 - 2**-23) * 2.0**127
"""The largest float32."""
MOST_CATEGORIES = 2**16
MOST_BUCKETS = 2**31 - 1
BY_COLUMN = {
    "fill": ("values", {"income": 0}),
    "one_hot": ("lists of words", {"city": ["Berlin", "Paris"]}),
    "hashed": ("numbers of features", {"user_id": 2**20}),
    "scale": ("pairs (mean, deviation)", {"age": (40, 15)}),
}
"""The options that hold something for each column: of what, and an example."""


@dataclass(frozen=True, kw_only=True)
class ColumnRules:
    """The rules by which columns become features.

    Attributes:
        fill: What stands in for a gap, by column: a number, or a word of a column that is ``one_hot`` or
            ``hashed``.
        drop_incomplete: True to leave out rows with a gap that ``fill`` does not fill.
        one_hot: The words of a column; each becomes a feature that is 1 or 0.
        unknown: For a word that is not listed: ``"refuse"``, ``"zeros"``, or ``"other"``, a feature more.
        hashed: The number of sparse features that a column is hashed to.
        scale: (mean, deviation) by column: the feature is (value - mean) / deviation.
        classes: The words of the label; each row's label is the place of its word.

    Example:
        >>> rules = ColumnRules(one_hot=((0, ("Berlin", "Rome")),), hashed=((2, 1024),))
        >>> rules.width(0), rules.width(1), rules.width(2), rules.sparse
        (2, 1, 1024, True)
    """

    fill: tuple[tuple[Key, float | str], ...] = ()
    drop_incomplete: bool = False
    one_hot: tuple[tuple[Key, tuple[str, ...]], ...] = ()
    unknown: str = "refuse"
    hashed: tuple[tuple[Key, int], ...] = ()
    scale: tuple[tuple[Key, tuple[float, float]], ...] = ()
    classes: tuple[str, ...] = ()

    @classmethod
    def of(cls, options: Any) -> Self:
        """Return the rules among the options of a Source."""
        return cls(**{option.name: getattr(options, option.name) for option in fields(cls)})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read JSON of ``dataclasses.asdict``."""
        by_columns = {name: by_column(name, values[name]) for name in BY_COLUMN}
        return cls(**{**values, **by_columns, "classes": tuple(values.get("classes", ()))})

    def __bool__(self) -> bool:
        return bool(self.drop_incomplete or self.classes) or any(getattr(self, name) for name in BY_COLUMN)

    @property
    def named(self) -> tuple[str, ...]:
        """Return the names of the options that are given."""
        return tuple(option.name for option in fields(self) if getattr(self, option.name) != option.default)

    @property
    def keys(self) -> tuple[Key, ...]:
        """Return every column that a rule names, each once."""
        return tuple(dict.fromkeys(key for name in BY_COLUMN for key, _ in getattr(self, name)))

    @property
    def words(self) -> frozenset[Key]:
        """Return the features whose values are words or ids: they may hold any text."""
        return frozenset(key for key, _ in (*self.one_hot, *self.hashed))

    @property
    def sparse(self) -> bool:
        """True if rows become sparse."""
        return bool(self.hashed)

    def may_lack(self, key: Key) -> bool:
        """Return True if a column may have gaps."""
        return self.drop_incomplete or key in dict(self.fill)

    def width(self, key: Key) -> int:
        """Return how many features a column becomes."""
        if (categories := dict(self.one_hot).get(key)) is not None:
            return len(categories) + (self.unknown == OTHER)
        return dict(self.hashed).get(key, 1)

    def starts(self, columns: Sequence[Key]) -> list[int]:
        """Return the first feature of each column, and at last the number of features.

        Example:
            >>> ColumnRules(one_hot=((3, ("a", "b")),)).starts([1, 3, 4])
            [0, 1, 3, 4]
        """
        widths = {key: self.width(key) for key in self.words}
        return list(accumulate((widths.get(column, 1) for column in columns), initial=0))

    def feature(self, key: Key, name: str, at: int) -> str:
        """Return the name of feature ``at`` of a column called ``name``: ``city=Berlin``, ``user_id#7``."""
        if (categories := dict(self.one_hot).get(key)) is not None:
            return f"{name}={categories[at] if at < len(categories) else OTHER}"
        return f"{name}#{at}" if key in dict(self.hashed) else name

    def renamed(self, rename: Callable[[Key], Iterable[Key]]) -> Self:
        """Return the rules with other columns, or several, in the place of each."""
        by_columns: dict[str, Any] = {
            name: tuple((new, value) for key, value in getattr(self, name) for new in rename(key))
            for name in BY_COLUMN
        }
        unknown = self.unknown if by_columns["one_hot"] else "refuse"
        return replace(self, unknown=unknown, **by_columns)

    def options(self) -> dict[str, Any]:
        """Return the rules as options of a Source."""
        return dict(vars(self))

    def problems(self) -> Iterator[str]:
        """Say what is wrong with the rules, whatever the columns hold."""
        if not isinstance(self.drop_incomplete, bool):
            yield f"drop_incomplete is {self.drop_incomplete!r}; allowed: True, False"
        if self.unknown not in UNKNOWN:
            yield f"unknown is {self.unknown!r}; allowed: {', '.join(UNKNOWN)}"
        elif self.unknown != "refuse" and not self.one_hot:
            yield f"unknown is {self.unknown!r}, and nothing is one_hot; leave it out"
        if self.classes and (problem := _one_hot_problem(self.classes)):
            yield f"classes is {_shortened(self.classes)}; allowed: {problem}"
        for name in BY_COLUMN:
            for key, value in getattr(self, name):
                if problem := _PROBLEMS[name](value):
                    yield f"{name} of {key!r} is {_shortened(value)}; allowed: {problem}"
        twice = [
            f"{name} names {key!r} twice"
            for name in BY_COLUMN
            for key, times in Counter(key for key, _ in getattr(self, name)).items()
            if times > 1
        ]
        yield from (f"{problem}; allowed: each column once" for problem in twice)
        if not twice:
            yield from self._contradictions()

    def _contradictions(self) -> Iterator[str]:
        categories, hashed, scaled = dict(self.one_hot), dict(self.hashed), dict(self.scale)
        for key in categories.keys() & hashed.keys():
            yield f"{key!r} is one_hot and hashed; allowed: one of them"
        for key in scaled.keys() & (categories.keys() | hashed.keys()):
            yield f"{key!r} is scaled, and one_hot or hashed too: there is no number to scale"
        for key, value in self.fill:
            if (
                not isinstance(value, str)
                and _is_number(value)
                and key not in scaled
                and abs(value) > LARGEST
            ):
                yield f"fill of {key!r} is {value!r}, beyond float32; allowed: numbers up to {LARGEST:g}"
            if key not in categories and key not in hashed:
                if isinstance(value, str):
                    yield (
                        f"fill of {key!r} is {value!r}, and the column is one of numbers; allowed: a number, "
                        "or make the column one_hot or hashed"
                    )
            elif (
                self.unknown == "refuse"
                and key in categories
                and not any(plain_word(word) == plain_word(str(value)) for word in categories[key])
            ):
                yield (
                    f"fill of {key!r} is {value!r}, which its one_hot does not list; allowed: "
                    f"{listed(categories[key])}, or unknown='zeros' or 'other'"
                )


@dataclass(frozen=True)
class Recipe:
    """The rules, and what they apply to: positions of the features, in order, and of the label."""

    rules: ColumnRules
    features: tuple[int, ...]
    label: int | None

    def categories(self, column: int) -> tuple[str, ...] | None:
        """Return the words of a column whose words are listed: a feature, or the label; None for others."""
        if column == self.label:
            return self.rules.classes or None
        return dict(self.rules.one_hot).get(column)

    @cached_property
    def words(self) -> frozenset[int]:
        """Return the columns whose values are words or ids, the label's too."""
        label = {self.label} if self.rules.classes else set()
        return frozenset(column for column in (*self.rules.words, *label) if isinstance(column, int))

    @cached_property
    def used(self) -> tuple[int, ...]:
        """Return the columns that are read."""
        return (*self.features, *(() if self.label is None else (self.label,)))

    @cached_property
    def starts(self) -> list[int]:
        """Return the first feature of each column, and at last the number of features."""
        return self.rules.starts(self.features)


def by_column(name: str, option: Any) -> Any:
    """Return an option of :data:`BY_COLUMN` as pairs (column, value), whatever shape it was given in.

    JSON has no positions as keys: there it is a list of pairs. What is no such thing is returned as it is.

    Example:
        >>> by_column("one_hot", {"city": ["Berlin", "Rome"]})
        (('city', ('Berlin', 'Rome')),)
    """
    pairs = option.items() if isinstance(option, Mapping) else option
    if isinstance(pairs, str) or not isinstance(pairs, Iterable):
        return option
    pairs = tuple(pairs)
    if not all(isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2 for pair in pairs):
        return option
    return tuple((key, _value(name, value)) for key, value in pairs)


def is_by_column(pairs: Any) -> bool:
    """Return True for what :func:`by_column` understands."""
    return isinstance(pairs, tuple) and all(
        isinstance(pair, tuple) and isinstance(pair[0], int | str) and not isinstance(pair[0], bool)
        for pair in pairs
    )


def _value(name: str, value: Any) -> Any:
    if name in ("one_hot", "scale") and isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        values = tuple(value)
        return listed_words(values) if name == "one_hot" else values
    return value


def listed_words(values: Iterable[Any]) -> tuple[Any, ...]:
    """Return listed words: ``one_hot={"kind": [1, 2]}`` is meant for 1 and 2 in the file.

    Example:
        >>> listed_words(["no", 7])
        ('no', '7')
    """
    return tuple(
        str(value) if isinstance(value, int) and not isinstance(value, bool) else value for value in values
    )


def plain_word(word: str) -> str:
    """Return a word as words are compared: 7.0, which tools write of 7 in a column with gaps, is 7.

    Example:
        >>> [plain_word(word) for word in ("7.0", "-7.0", "7.5", "v1.0")]
        ['7', '-7', '7.5', 'v1.0']
    """
    return re.sub(WHOLE_WITH_POINT, r"\1", word)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _fill_problem(value: Any) -> str:
    return "" if _is_number(value) or (isinstance(value, str) and value) else "a number or a word"


def _one_hot_problem(value: Any) -> str:
    good = (
        isinstance(value, tuple)
        and 1 <= len(value) <= MOST_CATEGORIES
        and all(isinstance(word, str) and word == word.strip() for word in value)
    )
    if not good or len(set(map(plain_word, value))) < len(value):
        return f"a list of 1 to {MOST_CATEGORIES:,} different words, without blanks around them"
    return ""


def _hashed_problem(value: Any) -> str:
    good = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_BUCKETS
    return "" if good else f"a whole number of features, 1 to {MOST_BUCKETS:,}"


def _scale_problem(value: Any) -> str:
    good = isinstance(value, tuple) and len(value) == 2 and all(map(_is_number, value)) and value[1] != 0
    return "" if good else "a pair (mean, deviation) of numbers, the deviation not 0"


_PROBLEMS: dict[str, Callable[[Any], str]] = {
    "fill": _fill_problem,
    "one_hot": _one_hot_problem,
    "hashed": _hashed_problem,
    "scale": _scale_problem,
}


def _shortened(value: Any) -> str:
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 80 else f"{text[:80]}…"
