"""Refuse a header of several rows, as pandas writes columns of several levels.

2019,2019,2020,2020
1,2,1,2                     the second row would be read as data, in silence
0.5,1.25,7.75,3.5

Rows of numbers are taken for levels if they form a grid and the rows below do not, or if they are whole and
all rows below have decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, groupby, pairwise, product

from amazon_estimators.errors import InputError
from amazon_estimators.sources.delimited.fronts import Front, dialect_of
from amazon_estimators.sources.numbers import is_whole, number_pattern, value_of
from amazon_estimators.sources.source import Source

MOST_LEVELS = 4
LEAST_COLUMNS = 4
CERTAIN_COLUMNS = 6
"""With at least this many columns, a grid of numbers is not an accident."""
ACCIDENT = 1e-3
"""With fewer columns, a grid is an accident if rows like those below make one in 1,000 tables or more."""
LEAST_BELOW = 2
REMEDY = (
    "Write one row of names: frame.columns = ['_'.join(map(str, names)) for names in frame.columns], then "
    'frame.to_csv(path, index=False). If they are rows, set header="absent" in the Source; if only the first '
    'is a header, header="present".'
)

Rows = Sequence[Sequence[bytes]]


def refuse_levels(front: Front, source: Source) -> None:
    """Raise InputError if the first rows of a file look like a header of several rows."""
    dialect = dialect_of(front.input_object, source)
    rows = [row for row in front.rows(dialect) if row]
    width = len(rows[0]) if rows else 0
    rows = [row for row in rows if len(row) == width]
    number = number_pattern(dialect.decimal)
    for count in range(min(MOST_LEVELS, len(rows) - LEAST_BELOW), 1, -1):
        head, below = rows[:count], rows[count:]
        for index in (0, 1):  # an index has no name, or those of the levels
            if index and all(number.fullmatch(row[0]) for row in head):
                continue
            levels, data = ([row[index:] for row in part] for part in (head, below))
            data = [row for row in data if all(map(number.fullmatch, row))]
            if len(data) >= LEAST_BELOW and _are_levels(levels, data, dialect.decimal):
                raise _several(front, head)


def _several(front: Front, head: Rows) -> InputError:
    shown = " and ".join(repr(b",".join(row)[:60].decode("utf-8", "replace")) for row in head)
    return InputError(
        f"{front.input_object.uri}: its first {len(head)} rows, {shown}, look like a header of {len(head)} "
        "rows, as pandas writes columns of several levels",
        remedy=REMEDY,
    )


def _are_levels(head: Rows, below: Rows, decimal: bytes) -> bool:
    """Return True if rows name columns together: no two alike, the upper names in runs, unlike the others."""
    columns = list(zip(*head, strict=True))
    runs = [name for name, _ in groupby(head[0])]
    names = [cell for row in head for cell in row]
    if (
        not LEAST_COLUMNS <= len(columns) == len(set(columns))
        or not 1 < len(runs) == len(set(runs)) < len(columns)
        or not all(is_whole(name) or _has_words([name], decimal) for name in names)
    ):
        return False
    if _has_words(names, decimal):
        return _is_grid(head, decimal) or _has_decimals(below)
    return _has_decimals(below) or (_is_grid(head, decimal) and not _resemble(head, below, decimal))


def _resemble(head: Rows, below: Rows, decimal: bytes) -> bool:
    """Return True if rows of whole numbers could be rows like those below."""
    values, rows = _numbers(head, decimal), _numbers(below, decimal)
    known = {value for row in values for value in row}
    if all(value in known for row in rows for value in row):
        return True
    if any(_is_grid(pair, decimal) for pair in pairwise(below)):
        return True
    spans = [(min(column), max(column)) for column in zip(*rows, strict=True)]
    outside = sum(any(not low <= row[at] <= high for row in values) for at, (low, high) in enumerate(spans))
    if len(spans) >= CERTAIN_COLUMNS or 2 * outside > len(spans):
        return False
    return _chance(values, rows) > ACCIDENT


def _chance(grid: list[list[float]], rows: list[list[float]]) -> float:
    """Return how often rows like these have equal cells where the rows of a grid have them.

    In 2,2,3,3 above 1,2,1,2 the first cell is the second, and so on: four times, chance would have to do it.
    """
    chance = 0.5 ** len(grid)  # numbers ascend
    for level in grid:
        for first, second in combinations(range(len(level)), 2):
            if level[first] == level[second]:
                alike = sum(row[first] == row[second] for row in rows)
                chance *= (alike + 1) / (len(rows) + 1)
    return chance


def _is_grid(rows: Rows, decimal: bytes) -> bool:
    """Return True for every name of a level above every name of the next, numbers in order."""
    levels = [list(dict.fromkeys(row)) for row in rows]
    if min(map(len, levels)) < 2 or list(zip(*rows, strict=True)) != list(product(*levels)):
        return False
    numbers = [
        [value_of(cell, decimal) for cell in level] for level in levels if not _has_words(level, decimal)
    ]
    return all(before < after for level in numbers for before, after in pairwise(level))


def _has_words(cells: Sequence[bytes], decimal: bytes) -> bool:
    return not all(map(number_pattern(decimal).fullmatch, cells))


def _numbers(rows: Rows, decimal: bytes) -> list[list[float]]:
    return [[value_of(cell, decimal) for cell in row] for row in rows]


def _has_decimals(rows: Rows) -> bool:
    """Return True if no cell is a whole number."""
    return not any(is_whole(cell) for row in rows for cell in row)
