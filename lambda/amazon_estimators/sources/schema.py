""""""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from amazon_estimators.errors import SchemaError
from amazon_estimators.sources.blocks import Block
from amazon_estimators.sources.columns.rules import BY_COLUMN, ColumnRules, Key, Recipe
from amazon_estimators.sources.numbers import NUMBER
from amazon_estimators.sources.source import COLUMN_LIMIT, FEATURE_LIMIT, NO_FILL, Source
from amazon_estimators.storage.documents import check_fields
from amazon_estimators.text import listed, nearest

if TYPE_CHECKING:
    import numpy as np


MOST_LEFT_OUT = 8
"""Columns that a remedy names; it counts the rest."""


@dataclass(frozen=True)
class Schema:
    """The columns of one input: how many, their names if any, which are features and which is the label."""

    width: int
    names: tuple[str, ...] | None
    features: tuple[int, ...] | None
    """Positions of the features; None for all columns but the label."""
    label: int | None
    sparse: bool = False
    """True if rows are sparse: then all columns are features, and the label is not a column."""
    at_least: bool = False
    """True if ``width`` is only the highest index seen: other files may have more features."""
    directories: tuple[str, ...] = ()
    """Names of the ``key=value`` directories that follow the file's columns, or hold the label of sparse
    rows."""
    own: Schema | None = None
    """The columns of the file itself, if there are ``directories``."""
    index: tuple[int, ...] = ()
    """Columns that are row names according to the file. They are features only if ``features`` holds them."""
    rules: ColumnRules | None = None
    """How columns become features, by position; None if each feature is a column of numbers."""

    @classmethod
    def of(
        cls,
        source: Source,
        *,
        width: int,
        names: tuple[str, ...] | None,
        where: str,
        index: tuple[int, ...] = (),
    ) -> Self:
        """Resolve names and negative positions of ``source`` against a table of ``width`` columns.

        Columns in ``index`` are features only if ``source.features`` holds them.
        """

        def position(column: int | str) -> int:
            if isinstance(column, str):
                if names is None:
                    raise SchemaError(
                        f"{where} has no header, so there is no column {column!r}",
                        remedy="Name columns by position; in CSV, a header names them.",
                    )
                if column not in names:
                    raise SchemaError(
                        f"{where} has no column {column!r}; its columns: {listed(names)}",
                        remedy=_other_name(column, names),
                    )
                if names.count(column) > 1:
                    raise SchemaError(
                        f"{where} has {names.count(column)} columns named {column!r}",
                        remedy="Name it by position, or rename the others.",
                    )
                return names.index(column)
            if not -width <= column < width:
                raise SchemaError(
                    f"{where} has no column {column}; it has {width} columns, 0 to {width - 1}",
                    remedy="Positions count from 0; negative ones count from the end.",
                )
            return column % width

        if width > COLUMN_LIMIT:
            raise SchemaError(
                f"{where} has {width} columns; allowed: {COLUMN_LIMIT}",
                remedy="Upload wide data as sparse rows: libsvm, or SciPy's CSR.",
            )
        label = None if source.label is None else position(source.label)
        features = None if source.features is None else tuple(position(column) for column in source.features)
        if source.exclude or (features is None and index):
            out = {position(column) for column in source.exclude} | {label, *index}
            features = tuple(column for column in range(width) if column not in out)
        if label is not None and features is not None and label in features:
            raise SchemaError(
                f"{where}: column {source.label!r} is both the label and a feature",
                remedy="Leave the label out of features: a model that is given its answer learns nothing.",
            )
        schema = cls(width=width, names=names, features=features, label=label, index=index)
        if source.rules:
            schema = replace(schema, rules=source.rules.renamed(lambda key: (position(key),)))
            schema.check_rules(where)
        if schema.feature_dim < 1:
            raise SchemaError(
                f"{where} has no feature column beside the label",
                remedy="Take columns out of exclude." if source.exclude else "Add columns.",
            )
        return schema

    def check_rules(self, where: str) -> None:
        """Raise SchemaError for rules that contradict one another, now that names are positions."""
        assert self.rules is not None
        problems = list(self._rule_problems())
        if problems:
            raise SchemaError(f"{where}: {'; '.join(problems)}", remedy="Change the Source.")
        limit, kind = (FEATURE_LIMIT, "sparse") if self.rules.sparse else (COLUMN_LIMIT, "dense")
        if self.feature_dim > limit:
            raise SchemaError(
                f"{where}: its columns become {self.feature_dim:,} {kind} features; allowed: {limit:,}",
                remedy="List fewer words, or hash columns to fewer features.",
            )

    def _rule_problems(self) -> Iterator[str]:
        assert self.rules is not None
        yield from self.rules.problems()
        if self.rules.classes and self.label in dict(self.rules.fill):
            yield f"fill names the label, which has classes; {NO_FILL}"
        for name in BY_COLUMN:
            for key, _ in getattr(self.rules, name):
                assert isinstance(key, int)
                if key not in self.used:
                    yield f"{name} names {self.column(key)}, which is neither feature nor label"
                elif key == self.label and name != "fill":
                    yield f"{name} names {self.column(key)}, which is the label: rules are for features"

    @property
    def feature_dim(self) -> int:
        """The number of features."""
        return self.recipe.starts[-1] if self.rules else self.feature_columns

    @property
    def feature_columns(self) -> int:
        """The number of columns that are features."""
        if self.features is not None:
            return len(self.features)
        return self.width - (self.label is not None)

    @cached_property
    def recipe(self) -> Recipe:
        """Return the rules with the columns that they apply to."""
        label, features = self.label, self.features
        if features is None:
            features = tuple(column for column in range(self.width) if column != label)
        return Recipe(self.rules or ColumnRules(), features, label)

    @property
    def words(self) -> frozenset[int]:
        """The columns that may hold any text."""
        return self.recipe.words if self.rules else frozenset()

    @property
    def numbers(self) -> tuple[int, ...]:
        """The columns that are read and hold numbers, in the order of the input."""
        words = self.words
        return tuple(position for position in self.used if position not in words) if words else self.used

    def may_lack(self, position: int) -> bool:
        """Return True if a column may have gaps."""
        return self.rules is not None and self.rules.may_lack(position)

    @property
    def used(self) -> tuple[int, ...]:
        """The columns that are read, features and label, in the order of the input."""
        if self.features is None:
            return tuple(range(self.width))
        return tuple(sorted({*self.features, *(() if self.label is None else (self.label,))}))

    def position(self, feature: int | None) -> int:
        """Return the column of a feature by its number; of the label, which must exist, for None."""
        if feature is None:
            assert self.label is not None
            return self.label
        if self.rules:
            return self.recipe.features[bisect_right(self.recipe.starts, feature) - 1]
        if self.features is not None:
            return self.features[feature]
        return feature + (self.label is not None and feature >= self.label)

    def column(self, position: int) -> str:
        """Return how messages name a column: its position, and its name if it has one."""
        return f"column {position}" + (f" ({self.names[position]!r})" if self.names else "")

    def key(self, position: int) -> Key:
        """Return what a Source calls a column: its name, or its position where no other way is sure."""
        names = self.names or ()
        return (
            names[position] if names and names[position] and names.count(names[position]) == 1 else position
        )

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """The names of all features, in order; None if columns have no names, or are hashed."""
        if self.names is None or (self.rules and self.rules.sparse):
            return None
        recipe = self.recipe
        return tuple(
            recipe.rules.feature(column, self.names[column], at)
            for column in recipe.features
            for at in range(recipe.rules.width(column))
        )

    def split(self, table: np.ndarray) -> Block:
        """Split a table of all columns, shape (rows, width), into features and labels."""
        labels = None if self.label is None else table[:, self.label]
        if self.features is not None:
            return Block(table[:, list(self.features)], labels)
        if self.label is None:
            return Block(table, None)
        if self.label == 0:
            return Block(table[:, 1:], labels)
        if self.label == self.width - 1:
            return Block(table[:, :-1], labels)
        import numpy as np  # noqa: PLC0415 - a Source is made at synth time, without NumPy

        return Block(np.delete(table, self.label, axis=1), labels)

    def split_used(self, table: np.ndarray) -> Block:
        """Split a table of the ``used`` columns, shape (rows, len(used)), into features and labels."""
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
        check_fields(cls, values, beside={"own", "rules"})

        def many(name: str) -> Any:
            return None if values[name] is None else tuple(values[name])

        lists = {name: many(name) for name in ("names", "features", "index", "directories")}
        own = values["own"] and cls.from_dict(values["own"])
        rules = values.get("rules") and ColumnRules.from_dict(values["rules"])
        return cls(**{**values, **lists, "own": own, "rules": rules})


def _other_name(column: str, names: Sequence[str]) -> str:
    """Return what to do about a name that is none of the columns'."""
    if f"{column}[0]" in names:
        return (
            f"It is a list: name one of its values, such as {column + '[0]'!r}, or all of them as features."
        )
    near = nearest(column, names)
    return f"Did you mean {near!r}?" if near else "Name one of these, or a position."


def without(schema: Schema, source: Source, positions: Sequence[int]) -> str:
    """Return a sentence that says how to set the Source so that columns are not read; "" if none would be
    left.

    The label is always read. Columns are named, or numbered if their names are not unique.
    """
    out = [position for position in positions if position != schema.label]
    if not out or len(out) >= schema.feature_columns:
        return ""
    columns = [schema.key(position) for position in out[:MOST_LEFT_OUT]]
    more = f" and {len(out) - MOST_LEFT_OUT:,} more" if len(out) > MOST_LEFT_OUT else ""
    if source.features is not None:
        return f"Or take columns out of features: {listed(columns)}{more}."
    if source.exclude:
        return f"Or add columns to exclude: {columns}{more}."
    return f"Or leave columns out, exclude={columns}{more}."


def check_listed(schema: Schema, position: int, where: str) -> None:
    """Raise SchemaError if a column holds numbers, and the Source lists words for it."""
    option = "classes" if position == schema.label else "one_hot"
    categories = schema.recipe.categories(position) or ()
    if words := [word for word in categories if not NUMBER.fullmatch(word.encode())]:
        raise SchemaError(
            f"{where}, {schema.column(position)}: it holds numbers, and {option} lists {listed(words)}",
            remedy="Leave classes out if labels count from 0; else list the numbers, as in classes=[1, 2]."
            if option == "classes"
            else "List the numbers that it holds, as in one_hot={'kind': [1, 2, 3]}.",
        )


def check_schema(expected: Schema, example: str, actual: Schema, uri: str) -> None:
    """Raise SchemaError, naming both objects, unless their schemas are the same.

    For sparse rows of which only the highest index is known, it may be lower than expected.
    """
    if expected.sparse and actual.sparse and (expected.at_least or actual.at_least):
        looked_at, known = (actual, expected) if actual.at_least else (expected, actual)
        if known.at_least or looked_at.width <= known.width:
            return
        where = uri if looked_at is actual else example
        raise SchemaError(
            f"{where} has a feature of number {looked_at.width - 1:,}; expected {known.width:,} features",
            remedy="Set feature_count in the Source to the number of features of all files.",
        )
    if actual != expected:
        remedy = "Give all files of a channel the same columns in the same order."
        if expected.sparse != actual.sparse:
            remedy = (
                "Write all files of a channel sparse, or all dense; or read one kind, by include or skip."
            )
        elif expected.directories != actual.directories:
            remedy = "Put all files of a channel below the same key=value directories."
        raise SchemaError(f"{example} and {uri} disagree: {_difference(expected, actual)}", remedy=remedy)


def _difference(expected: Schema, actual: Schema) -> str:
    if expected.sparse != actual.sparse:
        return "one is sparse, the other dense"
    if expected.width != actual.width:
        return f"{expected.width:,} columns against {actual.width:,}"
    if expected.names and actual.names:
        pairs = zip(expected.names, actual.names, strict=True)
        column, (before, after) = next((at, pair) for at, pair in enumerate(pairs) if pair[0] != pair[1])
        return f"column {column} is {before!r} against {after!r}"
    if expected.names or actual.names:
        return "one has a header, the other none"
    return f"{expected} against {actual}"
