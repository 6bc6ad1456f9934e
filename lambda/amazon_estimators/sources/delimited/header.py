"""Decide from the first rows of all files whether delimited files begin with a header.

Words above columns of numbers are a header. A first row of numbers is data, unless it looks like column
numbers that a tool wrote, and unlike the rows below:

    0,1,2            2019,2020,2021        17,42,99
    0.25,1.5,-3.1    1.5,2.25,3.75         0.5,1.25,7.75

If there is evidence for both, it is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from amazon_estimators.errors import InputError, SchemaError
from amazon_estimators.sources.delimited.dialect import Dialect
from amazon_estimators.sources.delimited.fronts import Front, dialect_of
from amazon_estimators.sources.delimited.header_levels import refuse_levels
from amazon_estimators.sources.numbers import is_missing, is_whole, number_pattern, value_of
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import Source

PRESENT, ABSENT, UNCERTAIN = "present", "absent", "uncertain"
NUMBER, WORD, NOTHING = "number", "word", "nothing"

YEARS = (1900, 2100)
MANY = 5
"""With at least this many columns, a progression in the first row alone is not an accident."""
VERY_MANY = 8
LEAST_NUMBERS = 3
"""With at least this many numbers, other decimals in the first row alone are not an accident."""


@dataclass(frozen=True)
class Verdict:
    """One file's evidence about its first row: verdict, reason and certainty."""

    front: Front
    first: tuple[bytes, ...]
    answer: str
    why: str = ""
    numbers: bool = False
    """True if every cell of the first row that is read is a number."""
    alone: bool = False
    """True if there is no other row."""


def header_of(fronts: Sequence[Front], source: Source) -> str:
    """Return "present" or "absent".

    Raises:
        InputError: A first row may be either, or several rows are the header. The error names ``header=``.
        SchemaError: Some files begin with a header and others do not.
    """
    if source.header != "auto":
        return source.header
    for front in fronts:
        refuse_levels(front, source)
    if source.names_columns:
        return PRESENT
    verdicts = [verdict for front in fronts if (verdict := _verdict(front, source)) is not None]
    return _over_all([verdict for verdict in verdicts if not verdict.alone] or verdicts, source)


def _over_all(decided: list[Verdict], source: Source) -> str:
    """Combine the verdicts of all files."""
    present = [verdict for verdict in decided if verdict.answer == PRESENT]
    absent = [verdict for verdict in decided if verdict.answer == ABSENT]
    uncertain = [verdict for verdict in decided if verdict.answer == UNCERTAIN]
    if present and absent:
        raise SchemaError(
            f"{present[0].front.input_object.uri} and {absent[0].front.input_object.uri} disagree: one has a "
            f"header, the other none: {_shown(present[0].first)} against {_shown(absent[0].first)}",
            remedy="Give all files of a channel a header, or none.",
        )
    if present:
        return PRESENT
    first_rows = {verdict.first for verdict in decided}
    contents = {verdict.front.text for verdict in decided}
    same = len(first_rows) == 1 and len(contents) > 1
    if uncertain and len(first_rows) == 1 and not same:
        raise _uncertain(uncertain[0])
    if uncertain:
        # A header is the same in every file, and a row is not.
        return PRESENT if same else ABSENT
    if same and _is_repeated(decided, source):
        raise _uncertain(
            Verdict(
                decided[0].front,
                decided[0].first,
                UNCERTAIN,
                "every file begins with it, and no other row is the same",
            )
        )
    return ABSENT


def _verdict(front: Front, source: Source) -> Verdict | None:
    """Return the evidence in a file's first rows; None if there is none."""
    dialect = dialect_of(front.input_object, source)
    rows = [row for row in front.rows(dialect) if row]
    if not rows:
        return None
    width = len(rows[0])
    number = number_pattern(dialect.decimal)

    def kind(cell: bytes) -> str:
        if is_missing(cell):
            return NOTHING
        return NUMBER if number.fullmatch(cell) else WORD

    first, below = tuple(rows[0]), [row for row in rows[1:] if len(row) == width]
    schema = Schema.of(source, width=width, names=None, where=front.input_object.uri)
    used = set(schema.numbers)
    heads = [kind(cell) for cell in first]
    columns = [[cell for row in below if kind(cell := row[column]) != NOTHING] for column in range(width)]
    numeric = [
        bool(cells) and 2 * sum(kind(cell) == NUMBER for cell in cells) > len(cells) for cells in columns
    ]

    def count(head: str, positions: Sequence[int] | range) -> int:
        return sum(heads[column] == head and numeric[column] for column in positions)

    every = range(width)
    mine = [column for column in every if column in used]
    others = [*set(every).difference(schema.used)]
    titles, titles_of_others = count(WORD, mine), count(WORD, others)
    data = count(NUMBER, mine)
    values = [column for column in every if heads[column] == NUMBER and numeric[column]]
    names, unlike = _looks_like_names(
        [first[column] for column in values],
        [
            [row[column] for column in values]
            for row in below
            if all(kind(row[column]) == NUMBER for column in values)
        ],
        dialect.decimal,
    )
    if below and dialect.quotes and _only_first_is_quoted(front, dialect):
        return Verdict(front, first, PRESENT)
    words = any(heads[column] == WORD for column in mine)
    all_numbers = not words and any(heads[column] == NUMBER for column in mine)
    answer, why = ABSENT, ""
    if words and titles and data and not (names and (unlike or len(values) > 2)):
        answer = UNCERTAIN
        why = "some of it are words above numbers, and some of it are numbers like those below"
    elif (
        (words and (titles or not data or not below))
        or (names and unlike and len(values) > 2)
        or _numbers_rows_and_columns(first, below)
    ):
        answer = PRESENT
    elif names:
        answer, why = UNCERTAIN, names
    elif not schema.numbers:
        answer, why = UNCERTAIN, "all columns that are read hold words or ids, as a header does"
    elif titles_of_others:
        answer, why = UNCERTAIN, "a column that is not read has a word above numbers, the others have numbers"
    return Verdict(front, first, answer, why, numbers=all_numbers, alone=not below)


def _only_first_is_quoted(front: Front, dialect: Dialect) -> bool:
    """Return True if the first row has quotes around every field, and no other row has a quote at all."""
    head, *below = front.rows(replace(dialect, quotes=False))
    return all(len(cell) > 1 and cell[:1] == cell[-1:] == b'"' for cell in head) and not any(
        b'"' in cell for row in below for cell in row
    )


def _numbers_rows_and_columns(first: tuple[bytes, ...], below: list[list[bytes]]) -> bool:
    """Return True for 0,1,2 after an empty field above numbered rows, as pandas writes a frame."""
    columns, rows = first[1:], [row[0] for row in below]
    return (
        first[0] == b""
        and min(len(columns), len(rows)) > 1
        and all(cell == b"%d" % at for cells in (columns, rows) for at, cell in enumerate(cells))
    )


def _looks_like_names(first: list[bytes], below: list[list[bytes]], decimal: bytes) -> tuple[str, bool]:
    """Return why numbers in a first row may be column names, or ""; and True if no column resembles them.

    If a row below shows the same pattern, the first row is data.
    """
    if not first or not below:
        return "", False
    head = [value_of(cell, decimal) for cell in first]
    rows = [[value_of(cell, decimal) for cell in row] for row in below]
    whole_head = all(is_whole(cell) for cell in first)
    whole_above_parts = [
        is_whole(cell) and not any(is_whole(row[at]) for row in below) for at, cell in enumerate(first)
    ]
    outside = [
        len(rows) > 2 and not min(row[at] for row in rows) <= value <= max(row[at] for row in rows)
        for at, value in enumerate(head)
    ]
    parts_below = all(whole_above_parts) and len(below) > 1
    if len(head) == 1:
        alone = whole_head and (head[0] == 0 or _is_year(head[0])) and parts_below
        if alone:
            return "it is a whole number, and all others have decimals", False
        year = whole_head and _is_year(head[0]) and outside[0] and not any(_is_year(row[0]) for row in rows)
        return ("it is a year, and no other is" if year else ""), False
    if len(set(head)) < len(head):
        return "", False
    why = next(
        (
            text
            for text, pattern in _PATTERNS.items()
            if whole_head >= pattern.whole and pattern.fits(head) and not pattern.is_of_rows(head, rows)
        ),
        "",
    )
    if not why:
        return _other_decimals(first, below, parts_below=parts_below), False
    certain = len(head) >= VERY_MANY and why == FROM_0
    return why, certain or all(part or out for part, out in zip(whole_above_parts, outside, strict=True))


def _other_decimals(first: list[bytes], below: list[list[bytes]], *, parts_below: bool) -> str:
    """Return how a first row of numbers differs from all others in their decimals, or ""."""
    if len(first) < LEAST_NUMBERS:
        return ""
    if parts_below:
        return "its numbers are whole, and all others have decimals"
    whole_below = len(below) > 2 and all(is_whole(cell) for row in below for cell in row)
    if whole_below and not any(map(is_whole, first)):
        return "its numbers have decimals, and all others are whole"
    return ""


@dataclass(frozen=True)
class _Pattern:
    """One way in which tools number columns. ``whole``: only with numbers that have no decimal mark."""

    least: int
    whole: bool = True
    step: float | None = None
    start: float | None = None
    within: tuple[float, float] = (float("-inf"), float("inf"))

    def is_of_rows(self, head: list[float], rows: list[list[float]]) -> bool:
        """Return True if rows below show the pattern too, so that ``head`` is not a header.

        With small numbers some row counts by chance, such as 5,6,7 below 0,1,2. If the pattern includes a
        start, the same row must come again, or most rows must count from any start.
        """
        if self.start is None or len(head) == 2:
            return any(map(self.fits, rows))
        return head in rows or 2 * sum(map(replace(self, start=None).fits, rows)) > len(rows)

    def fits(self, row: list[float]) -> bool:
        """Return True if the numbers rise or fall as the pattern says."""
        if len(row) < self.least or not all(self.within[0] <= value <= self.within[1] for value in row):
            return False
        if self.start is not None and row[0] != self.start:
            return False
        steps = [after - before for before, after in pairwise(row)]
        if self.step is not None:
            return all(step == self.step for step in steps)
        if self.within == YEARS:
            return all(step > 0 for step in steps) or all(step < 0 for step in steps)
        if self.least == MANY:
            return steps[0] != 0 and all(abs(step - steps[0]) <= 1e-6 * abs(steps[0]) for step in steps)
        return all(step > 0 for step in steps)


FROM_0 = "it counts columns from 0, as pandas writes a frame without names"
_PATTERNS = {
    FROM_0: _Pattern(2, step=1, start=0),
    "it counts columns from 1": _Pattern(4, step=1, start=1),
    "its numbers are years in order": _Pattern(2, within=YEARS),
    "its numbers are equally spaced": _Pattern(MANY, whole=False),
    "its numbers ascend, and those of no other row do": _Pattern(VERY_MANY, whole=False),
}


def _is_year(value: float) -> bool:
    return YEARS[0] <= value <= YEARS[1]


def _is_repeated(verdicts: list[Verdict], source: Source) -> bool:
    """Return True if files share a first row, of three different numbers or more, that none repeats below."""
    first = verdicts[0].first
    if not all(verdict.numbers for verdict in verdicts) or len(set(first)) < max(3, len(first)):
        return False
    return not any(
        tuple(row) == first
        for verdict in verdicts
        for row in verdict.front.rows(dialect_of(verdict.front.input_object, source))[1:]
    )


def _shown(fields: tuple[bytes, ...]) -> str:
    text = ",".join(field.decode("utf-8", "replace") for field in fields[:12])
    return repr(text if len(text) <= 80 else text[:80] + "…")


def _uncertain(verdict: Verdict) -> InputError:
    return InputError(
        f"{verdict.front.input_object.uri}: its first row, {_shown(verdict.first)}, may be a header or a "
        f"row: {verdict.why}",
        remedy='Set header="present" or header="absent" in the Source.',
    )
