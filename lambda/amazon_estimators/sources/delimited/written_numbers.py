"""Recognise numbers that people write with marks and units, and dates: text for a reader, not words."""

from __future__ import annotations

import re
from collections.abc import Collection

_THIN = "\u00a0\u2007\u2009\u202f\ufffd"
"""Blanks that stand between thousands; the last one for a byte that is not UTF-8."""
_NUMBER = rf"[+\-\u2212]?(?:\d{{1,3}}(?:[ ,'_\u2019{_THIN}]\d{{3}})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?)"
_MARK = r"[^\w\s.,+\-\u2212()<>=\u2264\u2265/:]"
"""A mark that says nothing of the number: (5) may be -5, and <5 any number below."""
_MARKED = re.compile(
    rf"(?P<before>{_MARK}{{0,2}}) ?(?P<number>{_NUMBER})\s?(?P<after>{_MARK}?[^\W\d_]{{0,4}}{_MARK}?)"
)
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
_DATE = re.compile(
    r"(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{2,4})"
    rf"(?:[T ]+{_TIME}\s*(?:Z|[+-]\d\d:?\d\d)?)?"
    rf"|{_TIME}"
)
DATES = (
    "Take numbers out of dates and times, such as the weekday, "
    "pandas.to_datetime(frame[{0!r}]).dt.day_of_week, or the days since a day."
)
TIMES = "Take numbers out of times, such as the hour, pandas.to_datetime(frame[{0!r}]).dt.hour."


def numbers_of_dates(texts: Collection[str]) -> str:
    """Return how to make numbers of texts that are dates, or times; "" for other texts.

    In the advice, ``{0!r}`` stands for the column.

    Example:
        >>> numbers_of_dates(["2024-01-31", "2024-02-01 12:30"]) == DATES, numbers_of_dates(["1.2.3"])
        (True, '')
    """
    if not texts or not all(map(_DATE.fullmatch, texts)):
        return ""
    return TIMES if all(re.fullmatch(_TIME, text) for text in texts) else DATES


def without_marks(texts: Collection[str]) -> str | None:
    """Return the code of pandas that makes numbers of texts with one unit or mark; None for other texts.

    In the code, ``{0!r}`` stands for the column.

    Example:
        >>> without_marks(["5 kg", "12.5 kg"]).format("weight")
        "frame['weight'].str.replace('[^0-9.+-]', '', regex=True).astype('float64')"
        >>> without_marks(["a5", "b7"]) is None
        True
    """
    matches = [match for text in texts if (match := _MARKED.fullmatch(text.strip()))]
    units = {(match["before"], match["after"]) for match in matches}
    if not texts or len(matches) < len(texts) or len(units) > 1:
        return None
    ((before, after),) = units
    numbers = [match["number"] for match in matches]
    if (
        not before
        and not after
        and not any(re.search(rf"['_\u2019\u2212 {_THIN}]", number) for number in numbers)
    ):
        return None
    if after[:1].isalpha() and len(texts) < 2:
        return None  # one such text may be a name, as a house's number 7b
    point = ""
    if any(re.search(r",\d+\Z", number) for number in numbers):
        if any("." in number or re.search(r",\d{3}\Z", number) for number in numbers):
            return None  # a comma may part thousands
        point = ".str.replace(',', '.')"
    minus = ".str.replace('\u2212', '-')" if any("\u2212" in number for number in numbers) else ""
    return f"frame[{{0!r}}]{minus}{point}.str.replace('[^0-9.+-]', '', regex=True).astype('float64')"
