"""Split delimited text into records and fields, and find where records begin and end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from amazon_estimators.sources.delimited.dialect import Dialect
from amazon_estimators.sources.numbers import number_pattern
from amazon_estimators.sources.source import COLUMN_LIMIT

QUOTE = ord('"')
NEWLINE = ord("\n")
TEXT = b"x"
"""Stands for quoted text that is not a number."""


_BLANKS = re.compile(rb"[ \t]++")
_BLANK_LINES = re.compile(rb"(?:\r*+\n)++")
_LINE_OF_BLANKS = re.compile(rb"(?:\A|\n)[ \t]+\r?(?:\n|\Z)")


@dataclass
class Record:
    """A record's fields as bytes, without their quotes; ``stop`` is the offset after its end."""

    start: int
    stop: int
    fields: list[bytes]
    ended: bool
    """False if the text ends before the record's newline."""
    unclosed: bool = False
    """True if it ends inside quotes."""
    problem: str = ""
    """Why the text after ``fields`` is not a field."""


class Records(NamedTuple):
    """Whole records: the first ``stop`` bytes of ``data``. So nothing is copied to cut off the rest."""

    data: bytes
    stop: int
    plain_quotes: bool
    """True if the records are :func:`well_quoted`."""

    @property
    def text(self) -> bytes:
        """A copy of the records, if anything follows them."""
        return self.data[: self.stop]


def walk(text: bytes, dialect: Dialect, at: int = 0) -> Iterator[Record]:
    """Yield the records from ``at``, where one begins. Stops after a record with a problem.

    Skips blank lines, unless the table has one column.
    """
    while at < len(text):
        if not dialect.one_column and (blank_lines := _BLANK_LINES.match(text, at)):
            at = blank_lines.end()  # at once: megabytes of them would be as many records
            continue
        record = record_at(text, dialect, at)
        ends = b" \t\r\n" if dialect.runs else b"\r\n"
        if not record.ended or record.problem or text[at : record.stop].strip(ends):
            yield record
        elif dialect.one_column:
            yield replace(record, fields=[b""])
        if record.problem:
            return
        at = record.stop


def record_at(text: bytes, dialect: Dialect, start: int) -> Record:
    """Read a record, or the rest of one, from the field that begins at ``start``.

    Of a line without quotes, at most one field more than a table may have columns; the last holds the rest.
    """
    newline = text.find(b"\n", start)
    line = text[start:] if newline < 0 else text[start:newline]
    if not any(mark in line for mark in dialect.special_marks):
        parts = _BLANKS.split(line) if dialect.runs else line.split(dialect.delimiter, COLUMN_LIMIT + 1)
        fields = [part.strip(b" \t\r\n") for part in parts]
        if dialect.runs:
            fields = [field for field in fields if field]
        return Record(start, len(text) if newline < 0 else newline + 1, fields, newline >= 0)
    at, fields = start, list[bytes]()
    while True:
        match = dialect.field.match(text, at)
        if match is None and text.find(b"\n", at) < 0:
            return Record(start, len(text), fields, False, unclosed=True)
        if match is None:
            problem = "a blank before a quote, after which readers differ on where the field ends"
            return Record(start, at, fields, False, problem=problem)
        kind = match.lastgroup
        between_quotes = kind in ("quoted", "spaced")
        value = _unescaped(match[kind], dialect) if kind and between_quotes else match[0].strip(b" \t\r\n")
        if value or between_quotes or not dialect.runs:
            fields.append(value)
        at = match.end()
        if at < len(text) and text[at] in (b" \t" if dialect.runs else dialect.delimiter):
            at += 1
            continue
        newline = text.find(b"\n", at)
        if newline < 0:
            return Record(start, len(text), fields, False, unclosed=match.lastgroup == "open")
        return Record(start, newline + 1, fields, True)


def _unescaped(inner: bytes, dialect: Dialect) -> bytes:
    if dialect.escape and dialect.escape in inner:
        inner = re.sub(rb"%b(.)" % re.escape(dialect.escape), rb"\1", inner, flags=re.DOTALL)
    return inner.replace(b'""', b'"')


def record_end(data: bytes, start: int, dialect: Dialect) -> int | None:
    """Return the offset after the newline that ends the record at ``start``, or None if there is none."""
    end = data.find(b"\n", start) + 1
    if dialect.newline_ends or not end:
        return end or None
    match = dialect.record.match(data, start)
    if match is not None:
        return match.end()
    record = record_at(data, dialect, start)
    # A faulty record ends with its line: the fault is reported when the record is read.
    return data.find(b"\n", record.stop) + 1 or None if record.problem else None


def last_record_end(data: bytes, dialect: Dialect) -> tuple[int, bool]:
    """Return the offset after the last record that ends in ``data``, or 0. ``data`` begins with a record.

    Also returns True if all quotes up to there stand at the edges of fields, or doubled inside.
    """
    stop = data.rfind(b"\n") + 1
    if dialect.newline_ends or not (b'"' in data or (dialect.escape and dialect.escape in data)):
        return stop, well_quoted(data, dialect, stop)
    octets = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(octets == QUOTE)
    while stop and np.searchsorted(quotes, stop) % 2:
        stop = data.rfind(b"\n", 0, stop - 1) + 1
    inside = quotes[: np.searchsorted(quotes, stop)]
    plain = not _is_escaped(data, dialect, stop) and _at_edges(octets[:stop], inside, dialect)
    # If some quotes are plain text, only reading the records finds where they end: counting does not.
    match = dialect.records.match(data, stop if plain else 0)
    at = match.end() if match else 0
    if plain and at == stop:
        return stop, True
    record = record_at(data, dialect, at) if at < len(data) else None
    if record is not None and record.problem:
        at = data.rfind(b"\n") + 1
    return at, False


def well_quoted(data: bytes, dialect: Dialect, stop: int | None = None) -> bool:
    """Return True if all quotes of whole records stand at the edges of fields, or doubled inside.

    Then counting quotes finds where fields end, and the table reader agrees. ``data`` has carriage returns
    only before newlines. ``stop`` is the end of the records, by default that of ``data``.
    """
    stop = len(data) if stop is None else stop
    if _is_escaped(data, dialect, stop):
        return False
    if not dialect.quotes or data.find(b'"', 0, stop) < 0:
        return True
    if dialect.runs:
        return False
    octets = np.frombuffer(data, np.uint8, stop)
    return _at_edges(octets, np.flatnonzero(octets == QUOTE), dialect)


def _is_escaped(data: bytes, dialect: Dialect, stop: int) -> bool:
    return bool(dialect.escape) and data.find(dialect.escape, 0, stop) >= 0


def _at_edges(octets: np.ndarray, quotes: np.ndarray, dialect: Dialect) -> bool:
    """Return True if the quotes at the offsets ``quotes`` stand at the edges of fields, or doubled inside."""
    if len(quotes) % 2:
        return False
    if not dialect.quoted_newlines:
        newlines = np.flatnonzero(octets == NEWLINE)
        if (np.searchsorted(quotes, newlines) % 2).any():
            return False
    edges = np.zeros(256, bool)
    edges[[dialect.delimiter[0], NEWLINE, QUOTE]] = True
    before, after = quotes[::2] - 1, quotes[1::2] + 1
    opened = edges[octets[before[before >= 0]]].all()
    edges[ord("\r")] = True
    closed = edges[octets[after[after < len(octets)]]].all()
    return bool(opened and closed)


def without_quotes(data: bytes, dialect: Dialect, *, keep_words: bool = False) -> bytes | None:
    """Return whole records without quotes, with TEXT in place of quoted text that is not a number.

    With ``keep_words``, quoted text stays: every such field is enclosed in quotes, with its quotes doubled.
    Returns None if part of the text is not a field.

    Example:
        >>> without_quotes(b'5" pipe, "1.5","a,b"\\n', Dialect(b","))
        b'x,1.5,x\\n'
        >>> without_quotes(b'5" pipe, "1.5","a,b"\\n', Dialect(b","), keep_words=True)
        b'"5"" pipe","1.5","a,b"\\n'
    """
    no_number = re.compile(b"[%b%b%b\n\r \t]" % (dialect.special, re.escape(dialect.delimiter), b'"'))
    special, number = re.compile(b"[%b]" % dialect.special), number_pattern(dialect.decimal)
    out, at = list[bytes](), 0
    for match in dialect.tokens.finditer(data):
        text, kind = match[0], match.lastgroup
        if match.start() != at or (dialect.newline_ends and kind != "run" and b"\n" in text):
            return None
        at = match.end()
        if keep_words and (kind in ("quoted", "spaced") or (kind != "run" and special.search(text))):
            word = (
                _unescaped(match[kind], dialect) if kind in ("quoted", "spaced") else text.strip(b" \t\r\n")
            )
            out.append(b'"%b"' % word.replace(b'"', b'""'))
        elif kind in ("quoted", "spaced"):
            inner = match[kind].strip(b" \t")
            if number.fullmatch(inner) and dialect.delimiter in inner:
                out.append(b'"%b"' % inner)  # a decimal comma between commas
            elif no_number.search(inner):
                out.append(TEXT)
            else:
                out.append(inner or (b'""' if dialect.runs else b""))
        elif kind == "run" or not special.search(text):
            out.append(text)
        else:
            out.append(TEXT)
    return b"".join(out) if at == len(data) else None


def record_starts(data: bytes, dialect: Dialect) -> np.ndarray:
    """Return the offsets at which a record begins, shape (records,), int64.

    A blank line is a record only if the table has one column, and not at the end of the data.
    """
    octets = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(octets == NEWLINE)
    if not dialect.newline_ends:
        if not well_quoted(data, dialect):
            ends = _read_ends(data, dialect)
        elif b'"' in data:
            quotes = np.flatnonzero(octets == QUOTE)
            ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    starts = np.concatenate(([0], ends + 1))
    if dialect.runs and _LINE_OF_BLANKS.search(data):
        starts = starts[
            [bool(data[start:end].strip()) for start, end in zip(starts, [*ends, len(data)], strict=True)]
        ]
        return starts.astype(np.int64)
    lengths = np.concatenate((ends, [len(data)])) - starts
    filled = lengths > 0
    single = lengths == 1
    filled[single] = octets[starts[single]] != ord("\r")
    if dialect.one_column and filled.any():
        filled[: int(np.flatnonzero(filled)[-1]) + 1] = True
    return starts[filled].astype(np.int64)


def _read_ends(data: bytes, dialect: Dialect) -> np.ndarray:
    """Return the offsets of the newlines that end records."""
    ends, at = [], 0
    while (end := record_end(data, at, dialect)) is not None:
        ends.append(end - 1)
        at = end
    return np.array(ends, np.int64)
