"""Define a number in text: the table reader's definition, for every reader."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import product

MISSING = frozenset(
    (
        b"",
        b"?",
        b"-",
        b"--",
        b".",
        b"..",
        b"na",
        b"n/a",
        b"#n/a",
        b"nan",
        b"null",
        b"none",
        b"\\n",
        b"missing",
        *(b"<na>", b"#na", b"#n/a n/a", b"n.a.", b"nil"),
        *(b"1.#ind", b"-1.#ind", b"1.#qnan", b"-1.#qnan"),
        *(b"#div/0!", b"#null!", b"#num!", b"#ref!", b"#value!", b"#name?"),
    )
)
"""Texts, in lower case, that people write for a missing value. No algorithm reads them."""

_BLANKS = b" \t\r\n"


@cache
def number_pattern(decimal: bytes = b".") -> re.Pattern[bytes]:
    """Return the pattern of a number whose decimal mark is ``decimal``, with blanks around it.

    Example:
        >>> [bool(number_pattern().fullmatch(text)) for text in (b" 1e-3", b"-nan(ind)", b"1,5", b"1_0")]
        [True, True, False, False]
        >>> bool(number_pattern(b",").fullmatch(b"1,5"))
        True
    """
    mark = re.escape(decimal)
    return re.compile(
        rb"[ \t\r\n]*+[+-]?(?:(?:\d++(?:%b\d*+)?|%b\d++)(?:[eE][+-]?\d++)?"
        rb"|(?i:inf(?:inity)?|nan(?:\(\w*+\))?))[ \t\r\n]*+" % (mark, mark)
    )


NUMBER = number_pattern()
"""A number with a decimal point."""


def parts_thousands(texts: Iterable[bytes], decimal: bytes = b".") -> bool:
    """Return True if every text has the mark that is not ``decimal``, and only where it may separate
    thousands.

    Such a text may also be a number with decimals: there is no way to tell.

    Example:
        >>> parts_thousands([b"1,234", b"6,000,000"]), parts_thousands([b"1,234", b"0,5"])
        (True, False)
    """
    mark = b"," if decimal == b"." else b"."
    pattern = re.compile(
        rb"[ \t\r\n]*[+-]?[1-9]\d{0,2}(?:%b\d{3})+(?:%b\d*)?[ \t\r\n]*"
        % (re.escape(mark), re.escape(decimal))
    )
    return all(pattern.fullmatch(text) for text in texts)


def is_whole(text: bytes) -> bool:
    """Return True for digits alone, with signs before and blanks around them.

    Example:
        >>> [is_whole(text) for text in (b" -3 ", b"3.0", b"")]
        [True, False, False]
    """
    return text.strip().lstrip(b"+-").isdigit()


def is_missing(text: bytes) -> bool:
    """Return True if the text stands for a missing value.

    Example:
        >>> is_missing(b" N/A "), is_missing(b"0")
        (True, False)
    """
    return text.strip(_BLANKS).lower() in MISSING


@cache
def spellings() -> frozenset[bytes]:
    """Return the marks of a missing value in upper and lower case."""
    return frozenset(
        "".join(letters).encode()
        for mark in MISSING
        for letters in product(*({letter, letter.upper()} for letter in mark.decode()))
    )


def value_of(text: bytes, decimal: bytes = b".") -> float:
    """Return the value of a text that :func:`number_pattern` matches. Windows writes NaN as ``nan(ind)``,
    too.

    Example:
        >>> value_of(b" 1,5", b","), value_of(b"-nan(ind)")
        (1.5, nan)
    """
    plain = text.strip(_BLANKS).partition(b"(")[0]
    return float(plain.replace(decimal, b"."))
