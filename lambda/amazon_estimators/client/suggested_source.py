"""Suggest the Source of a table from what its columns hold, for people to read and to change."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields
from itertools import islice
from typing import Any

import numpy as np

from amazon_estimators.client.table_survey import ColumnSurvey, Survey
from amazon_estimators.sources import Source
from amazon_estimators.sources.delimited.written_numbers import without_marks
from amazon_estimators.sources.numbers import NUMBER

FEW_WORDS = 50
"""Different words up to which each gets a feature."""
MOSTLY_DIFFERENT = 0.9
"""Share of different values from which on a column tells rows apart, and nothing else."""
FEW_GAPS = 0.05
"""Share of rows with a gap up to which they are left out."""
FAR_APART = 1000.0
"""Ratio of standard deviations from which on numbers are scaled."""
ID = re.compile(
    r"(?i)(^|[_ .-])(id|ids|uuid|guid|key|code|number|no)$|(?-i:[a-z](Id|ID|Key|Code)$)|^(user|item)$"
)
LABEL = re.compile(
    r"(?i)^(y|label|target|class|outcome|response|rating|score|churned|churn|default|survived|price)$"
)


@dataclass
class Suggestion:
    """A Source for a table.

    Attributes:
        options: The options of Source, as a user writes them.
        reasons: Why, a line for each column that is not simply a number.
        questions: Columns that may be the label, with what speaks for it.
    """

    options: dict[str, Any] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    def code(self) -> str:
        """Return the Source as Python."""
        lines = "".join(f"    {name}={value!r},\n" for name, value in self.options.items())
        return f"Source(\n{lines})" if lines else "Source()"


def suggested(found: Survey, given: Source) -> Suggestion:
    """Return a Source that makes features of what was found.

    Args:
        found: What the columns hold.
        given: The options that a user gave; they are kept.
    """
    suggestion = Suggestion()
    for option in fields(given):
        if (value := getattr(given, option.name)) != option.default and option.name != "exclude":
            suggestion.options[option.name] = value
    exclude: list[Any] = list(given.exclude)
    numbers: list[ColumnSurvey] = []
    for column in found.columns:
        why = _useless(column)
        if column.name == given.label:
            _label(column, suggestion)
        elif why:
            exclude.append(column.name)
            suggestion.reasons.append(f"{column.name}: left out, {why}")
        elif column.words or column.text or _is_id(column):
            _words(column, suggestion, complete=found.complete)
        else:
            numbers.append(column)
            _gaps(column, suggestion)
        if given.label is None and not why and (reason := _may_be_label(column)):
            suggestion.questions.append(f"{column.name}: {reason}")
    _scale(numbers, suggestion)
    if exclude:
        suggestion.options["exclude"] = exclude
    return suggestion


def _useless(column: ColumnSurvey) -> str:
    """Return why a column is not a feature; "" if it may be one."""
    values, different = column.rows - column.gaps, _different(column)
    unique = different >= MOSTLY_DIFFERENT * values and values > FEW_WORDS
    reasons = {
        column.unreadable: bool(column.unreadable),
        "it has no value in any row": not values,
        f"dates such as {column.first_word!r}: take numbers out of them (docs/tables.md)": 2 * column.dates
        > column.words,
        f"{column.beyond:,} of its values are infinite or beyond float32: empty those cells, or scale the "
        "column": column.beyond > 0,
        f"numbers with marks or units such as {column.first_word!r}: take them off (docs/tables.md)": (
            _has_units(column)
        ),
        "all its values are the same": different == 1 and values > 1,
        f"{column.words:,} of its {values:,} values are words, first {column.first_word!r}, and the others "
        "numbers: empty those cells if they mark gaps": 0 < 2 * column.words < values
        and different > FEW_WORDS,
        "almost every row has another value, which tells a model nothing": unique
        and (column.words > 0 or column.text or (column.whole and _counts(column))),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _has_units(column: ColumnSurvey) -> bool:
    """True for a column whose texts are numbers with a unit or with marks."""
    texts = [word.decode("utf-8", "replace") for word in islice(column.different or (), FEW_WORDS)]
    words = [text for text in texts if not NUMBER.fullmatch(text.encode())]
    return column.words > 0 and without_marks(words) is not None


def _counts(column: ColumnSurvey) -> bool:
    """True for numbers that count rows or look like ids."""
    steps = np.diff(column.numbers)
    return bool(ID.search(str(column.name))) or bool(len(steps) and (steps == 1).all())


def _is_id(column: ColumnSurvey) -> bool:
    return column.whole and bool(ID.search(str(column.name))) and _different(column) > 2


def _different(column: ColumnSurvey) -> float:
    return math.inf if column.different is None else len(column.different)


def _words(column: ColumnSurvey, suggestion: Suggestion, *, complete: bool) -> None:
    different = _different(column)
    if different <= FEW_WORDS and column.different is not None:
        words = sorted(word.decode("utf-8", "replace") for word in column.different)
        suggestion.options.setdefault("one_hot", {})[column.name] = words
        suggestion.reasons.append(f"{column.name}: one_hot, it has {len(words)} different words")
        if not complete:
            suggestion.options["unknown"] = "other"
    else:
        known = column.rows if column.different is None else len(column.different)
        count = 2 ** min(24, max(10, math.ceil(math.log2(4 * known))))
        suggestion.options.setdefault("hashed", {})[column.name] = count
        many = f"more than {known:,}" if column.different is None else f"{known:,}"
        suggestion.reasons.append(f"{column.name}: hashed, it has {many} different words or ids")
    if column.text and not column.words:
        suggestion.reasons.append(
            f"{column.name}: its numbers are stored as text: cast them if their order counts"
        )
    if column.gaps:
        suggestion.options["drop_incomplete"] = True
        suggestion.reasons.append(
            f"{column.name}: {column.gaps:,} of {column.rows:,} rows have a gap, left out"
        )


def _gaps(column: ColumnSurvey, suggestion: Suggestion) -> None:
    """Leave out rows with a gap where they are few, else fill it with the median."""
    if not column.gaps:
        return
    said = f"{column.name}: {column.gaps:,} of {column.rows:,} rows have a gap"
    if column.gaps <= FEW_GAPS * column.rows:
        suggestion.options["drop_incomplete"] = True
        suggestion.reasons.append(f"{said}, left out")
    else:
        median = _rounded(float(np.median(column.numbers)))
        suggestion.options.setdefault("fill", {})[column.name] = median
        suggestion.reasons.append(f"{said}, filled with the median")


def _label(column: ColumnSurvey, suggestion: Suggestion) -> None:
    if column.words:
        _classes(column, suggestion)
    if column.gaps:
        suggestion.options["drop_incomplete"] = True
        suggestion.reasons.append(f"{column.name}: {column.gaps:,} rows have no label, left out")


def _classes(column: ColumnSurvey, suggestion: Suggestion) -> None:
    if column.different is None or column.words < column.rows - column.gaps:
        suggestion.reasons.append(
            f"{column.name}: the label has words, first {column.first_word!r}: correct them, or number the "
            "classes"
        )
        return
    words = sorted(word.decode("utf-8", "replace") for word in column.different)
    suggestion.options["classes"] = words
    suggestion.reasons.append(f"{column.name}: its {len(words)} words are classes, numbered in this order")


def _may_be_label(column: ColumnSurvey) -> str:
    if column.words or column.gaps:
        return ""
    if LABEL.match(str(column.name)):
        return f"{_different(column):g} different numbers"
    return "two different numbers" if _different(column) == 2 else ""


def _scale(columns: list[ColumnSurvey], suggestion: Suggestion) -> None:
    spread = {column.name: float(np.std(column.numbers)) for column in columns if _different(column) > 2}
    spread = {name: deviation for name, deviation in spread.items() if deviation > 0}
    if len(spread) < 2 or max(spread.values()) < FAR_APART * min(spread.values()):
        return
    means = {column.name: float(np.mean(column.numbers)) for column in columns}
    suggestion.options["scale"] = {
        name: (_rounded(means[name]), _rounded(deviation)) for name, deviation in spread.items()
    }
    widest, narrowest = max(spread, key=spread.__getitem__), min(spread, key=spread.__getitem__)
    suggestion.reasons.append(
        f"scale: {widest} varies {spread[widest] / spread[narrowest]:,.0f} times as much as {narrowest}"
    )


def _rounded(value: float) -> float:
    rounded = float(f"{value:.4g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
