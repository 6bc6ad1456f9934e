"""Say what no rule makes numbers of, all columns at once, and how to set the Source so that one does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from amazon_estimators.errors import InputError
from amazon_estimators.sources.columns.rules import ColumnRules, Key, Recipe
from amazon_estimators.sources.columns.table import Column
from amazon_estimators.sources.gaps import LEAVE_OUT
from amazon_estimators.text import listed

if TYPE_CHECKING:
    import numpy as np

MOST_COLUMNS = 8
"""Columns that an error names; of more it tells how many."""
MOST_WORDS = 12
"""Different words of a column that an error proposes to list; more are better hashed."""
BUCKETS = 2**16
"""The number of features that an error proposes to hash a column to."""
PAGE = "docs/tables.md shows how to fill gaps and encode categories and dates."


@dataclass(frozen=True)
class ColumnFault:
    """Values of a column that stop the encoding: gaps, or words that are not listed."""

    position: int
    kind: Literal["gap", "unknown"]
    rows: np.ndarray
    column: Column


class ColumnFaultsError(Exception):
    """The faults of all columns of a table of ``rows`` rows."""

    def __init__(self, faults: Sequence[ColumnFault], rows: int) -> None:
        super().__init__(len(faults))
        self.faults = sorted(faults, key=lambda fault: (int(fault.rows[0]), fault.position))
        self.rows = rows

    def explained(
        self,
        recipe: Recipe,
        *,
        where: Callable[[int], str],
        column: Callable[[int], str],
        key: Callable[[Any], Key],
        counted: str,
    ) -> InputError:
        """Return the error for a user.

        Args:
            recipe: The rules, by position, and what they apply to.
            where: Names a row of the table.
            column: Names a column by its position.
            key: Returns what a Source calls a column.
            counted: Says how rows are counted.
        """
        rules = recipe.rules
        first, *others = self.faults
        rows = f"{self.rows:,} rows"
        what = "no value" if first.kind == "gap" else f"{_shown(first)} {_not_listed(first, recipe)}"
        more = f" ({_counted(first)} of {rows})" if len(first.rows) > 1 else ""
        message = f"{where(int(first.rows[0]))}, {column(first.position)}: {what}{more}"
        for fault in others[:MOST_COLUMNS]:
            value = "" if fault.kind == "gap" else f" {_shown(fault)}"
            message += (
                f"; {column(fault.position)}: {_counted(fault)} of {rows}, first{value} in "
                f"{where(int(fault.rows[0])).rpartition(', ')[2]}"
            )
        if len(others) > MOST_COLUMNS:
            message += f"; and {len(others) - MOST_COLUMNS:,} more columns"
        gaps = [fault.position for fault in self.faults if fault.kind == "gap"]
        unknown = {fault.position: _words(fault) for fault in self.faults if fault.kind == "unknown"}
        ways = ways_with_gaps(gaps, rules, key, recipe.label)
        if recipe.label in unknown:
            ways += ways_with_classes(rules, unknown.pop(recipe.label))
        ways += ways_with_unknown(unknown, rules, key)
        return InputError(message, remedy=f"{counted} {' '.join(ways)} {PAGE}")


def ways_with_gaps(
    positions: Sequence[int], rules: ColumnRules, key: Callable[[Any], Key], label: int | None
) -> list[str]:
    """Return how to set the Source so that columns may have gaps. Nothing sensible fills a label."""
    if not positions:
        return []
    categories, hashed = dict(rules.one_hot), dict(rules.hashed)
    fills: dict[int, Any] = {
        position: categories[position][0] if position in categories else "none" if position in hashed else 0
        for position in positions[:MOST_COLUMNS]
        if position != label
    }
    if not fills:
        return [f"{LEAVE_OUT[0].upper()}{LEAVE_OUT[1:]}."]
    fill = {key(position): value for position, value in (*rules.fill, *fills.items())}
    return [f"Fill gaps, fill={fill}, or {LEAVE_OUT}."]


def with_words(rules: ColumnRules, words: Mapping[int, Iterable[str] | None]) -> ColumnRules:
    """Return the rules as they are once the ways of :func:`ways_with_words` are taken."""
    few = tuple((at, tuple(sorted(known))) for at, known in words.items() if known is not None)
    many = tuple((at, BUCKETS) for at, known in words.items() if known is None)
    return replace(rules, one_hot=(*rules.one_hot, *few), hashed=(*rules.hashed, *many))


def ways_with_words(
    words: Mapping[int, Iterable[str] | None], rules: ColumnRules, key: Callable[[Any], Key]
) -> list[str]:
    """Return how to set the Source so that columns of text become features; None for very many words."""
    few = {position: sorted(known) for position, known in words.items() if known is not None}
    many = [position for position, known in words.items() if known is None]
    ways = []
    if few:
        one_hot = {key(position): [*known] for position, known in (*rules.one_hot, *few.items())}
        ways.append(f"Give each word a feature, one_hot={one_hot}.")
    if many or few:
        hashed = {key(position): count for position, count in rules.hashed}
        hashed |= {key(position): BUCKETS for position in many or few}
        ways.append(f"{'Or hash' if few and not many else 'Hash'} many words or ids, hashed={hashed}.")
    ruled = [key(at) for at in words if at in {**dict(rules.scale), **dict(rules.fill)}]
    if ruled:
        ways.append(f"Leave {listed(ruled)} out of scale, and of fill unless it is a word.")
    if many:
        ways.append("If words are few, list them in one_hot; amazon-estimators profile finds them.")
    return ways


def ways_with_classes(rules: ColumnRules, words: Iterable[str] | None) -> list[str]:
    """Return how to set the Source so that the words of the label are classes; None for very many words."""
    if words is None:
        return ["Name the classes of the label, classes=[…]; amazon-estimators profile finds them."]
    return [f"Name the classes of the label in order, classes={[*rules.classes, *sorted(words)]}."]


def ways_with_unknown(
    words: Mapping[int, list[str] | None], rules: ColumnRules, key: Callable[[Any], Key]
) -> list[str]:
    """Return how to set the Source so that words which are not listed are no fault."""
    one_hot = dict(rules.one_hot)
    listed: dict[Key, list[str]] = {at: known for at, known in words.items() if known and at in one_hot}
    ways = []
    if listed:
        options = {key(position): [*known, *listed.get(position, ())] for position, known in rules.one_hot}
        ways.append(f"List them too, one_hot={options}.")
    if any(position in one_hot for position in words):
        ways.append(
            "Let words that are not listed be 0 in all features, unknown='zeros', or one feature more, "
            "unknown='other'."
        )
    if any(position not in one_hot for position in words):
        ways.append("Hash words and whole numbers only: leave the column out of hashed, or round it.")
    return ways


def _counted(fault: ColumnFault) -> str:
    kind = "without a value" if fault.kind == "gap" else "not listed"
    return f"{len(fault.rows):,} {kind}"


def _not_listed(fault: ColumnFault, recipe: Recipe) -> str:
    if recipe.categories(fault.position) is not None:
        return f"is not listed in {'classes' if fault.position == recipe.label else 'one_hot'}"
    return "is not a whole number, and hashed takes words and whole numbers"


def _shown(fault: ColumnFault) -> str:
    from amazon_estimators.sources.columns.words import word_at  # noqa: PLC0415 - the table reader

    return word_at(fault.column, int(fault.rows[0]))


def _words(fault: ColumnFault) -> list[str] | None:
    from amazon_estimators.sources.columns.words import words_of  # noqa: PLC0415

    return words_of(fault.column, fault.rows, MOST_WORDS)
