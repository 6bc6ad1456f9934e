"""Records of delimited text (RFC 4180): where they end, and whether a place in a file lies between quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

QUOTE = ord('"')
NEWLINE = ord("\n")


@dataclass(frozen=True)
class Dialect:
    """How fields are told apart. ``quoted_newlines``: whether a newline between quotes is part of a field."""

    delimiter: bytes
    quoted_newlines: bool = True

    @cached_property
    def field(self) -> re.Pattern[bytes]:
        """One field. Group 1 is the text between quotes; ``open`` matches if they are never closed."""
        mark = re.escape(self.delimiter)
        end = rb"(?=%b|\r?\n|\r?\Z)" % mark
        quoted = rb'[ \t]*+"((?:[^"]++|"")*+)"[ \t]*+%b' % end
        unclosed = rb'[ \t]*+"(?:[^"]++|"")*+(?P<open>\Z)'
        return re.compile(rb'%b|%b|[^"\n%b]*+(?=%b|\n|\Z)' % (quoted, unclosed, mark, mark))

    @cached_property
    def tail(self) -> re.Pattern[bytes]:
        """The rest of a field between quotes, from anywhere in it."""
        mark = re.escape(self.delimiter)
        return re.compile(rb'(?:[^"]++|"")*+(?:"[ \t]*+(?=%b|\r?\n|\r?\Z)|(?P<open>\Z))' % mark)

    @cached_property
    def plain(self) -> re.Pattern[bytes]:
        """The rest of a field without quotes."""
        mark = re.escape(self.delimiter)
        return re.compile(rb'[^"\n%b]*+(?=%b|\n|\Z)' % (mark, mark))


LINES = Dialect(b" ", quoted_newlines=False)
"""Every line is a record, whatever it holds."""


@dataclass
class Record:
    """Fields as bytes without their quotes; ``stop`` is the offset after the record's end."""

    start: int
    stop: int
    fields: list[bytes]
    ended: bool
    """False if the text stops before the record's newline."""
    unclosed: bool = False
    """True if it stops between quotes."""
    problem: str = ""
    """Why what follows ``fields`` is no field."""


def walk(text: bytes, dialect: Dialect, at: int = 0) -> Iterator[Record]:
    """The records from ``at``, where one begins. Blank lines are left out; one with a problem is the last."""
    while at < len(text):
        record = record_at(text, dialect, at)
        if record.problem or not record.ended or record.fields != [b""]:
            yield record
        if record.problem:
            return
        at = record.stop


def record_at(text: bytes, dialect: Dialect, start: int) -> Record:
    """The record, or the rest of one, that goes on with a field at ``start``."""
    at, fields = start, list[bytes]()
    while True:
        match = dialect.field.match(text, at)
        if match is None:
            return Record(
                start, at, fields, False, problem="a quote in a field that is not quoted, or text after one"
            )
        fields.append(match[0].strip() if match[1] is None else match[1].replace(b'""', b'"'))
        at = match.end()
        if text[at : at + 1] == dialect.delimiter:
            at += 1
            continue
        newline = text.find(b"\n", at)
        if newline < 0:
            return Record(start, len(text), fields, False, unclosed=match["open"] is not None)
        return Record(start, newline + 1, fields, True)


def record_end(data: bytes, start: int, dialect: Dialect, *, inside: bool = False) -> int | None:
    """The offset after the newline that ends the record under way at ``start``; None if it is not there.

    ``inside``: whether ``start`` lies between quotes.
    """
    end, quotes = start, int(inside)
    while (newline := data.find(b"\n", end)) >= 0:
        quotes += data.count(b'"', end, newline) if dialect.quoted_newlines else 0
        end = newline + 1
        if quotes % 2 == 0:
            return end
    return None


def last_record_end(data: bytes, dialect: Dialect) -> int:
    """The offset after the last record that ends in ``data``, which begins with a record; 0 if none does."""
    stop = data.rfind(b"\n") + 1
    if not stop or not dialect.quoted_newlines or b'"' not in data:
        return stop
    quotes = data.count(b'"', 0, stop)
    while stop and quotes % 2:
        before = data.rfind(b"\n", 0, stop - 1) + 1
        quotes -= data.count(b'"', before, stop)
        stop = before
    return stop


def record_starts(data: bytes, dialect: Dialect) -> np.ndarray:
    """Offsets at which a record that is not blank begins, shape (records,), int64."""
    octets = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(octets == NEWLINE)
    if dialect.quoted_newlines and b'"' in data:
        quotes = np.flatnonzero(octets == QUOTE)
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    starts = np.concatenate(([0], ends + 1))
    lengths = np.concatenate((ends, [len(data)])) - starts
    filled = lengths > 0
    single = lengths == 1
    filled[single] = octets[starts[single]] != ord("\r")
    return starts[filled].astype(np.int64)
