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
        """One field. ``quoted`` or ``spaced`` is the text between quotes; ``open``: they are never closed."""
        quoted, spaced, plain = self._fields
        unclosed = rb'"(?:[^"]++|"")*+(?P<open>\Z)'
        return re.compile(rb"%b|%b|%b|%b" % (quoted, spaced, unclosed, plain))

    @cached_property
    def text(self) -> re.Pattern[bytes]:
        """Records one after another."""
        field = rb"(?:%b)" % re.sub(rb"\?P<\w+>", rb"?:", b"|".join(self._fields))
        return re.compile(rb"(?:%b(?:%b%b)*+(?:\r?\n|\r?\Z))*+" % (field, re.escape(self.delimiter), field))

    @cached_property
    def tail(self) -> re.Pattern[bytes]:
        """The rest of a field between quotes, from anywhere in it."""
        return re.compile(rb'(?:[^"]++|"")*+(?:"%b%b|(?P<open>\Z))' % (self._blanks, self._end))

    @property
    def _fields(self) -> tuple[bytes, bytes, bytes]:
        mark, blanks, end = re.escape(self.delimiter), self._blanks, self._end
        quoted = rb'"(?P<quoted>(?:[^"]++|"")*+)"%b%b' % (blanks, end)
        # Readers differ on what a quote after a blank means: there may be nothing in it that they would part.
        spaced = rb'%b"(?P<spaced>(?:[^"\n%b]++|"")*+)"%b%b' % (blanks, mark, blanks, end)
        return quoted, spaced, rb'[^"\n%b]*+(?=%b|\n|\Z)' % (mark, mark)

    @property
    def _end(self) -> bytes:
        return rb"(?=%b|\r?\n|\r?\Z)" % re.escape(self.delimiter)

    @property
    def _blanks(self) -> bytes:
        return b" *+" if self.delimiter == b"\t" else rb"[ \t]*+"

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
        inner = match["spaced"] if match["quoted"] is None else match["quoted"]
        fields.append(match[0].strip(b" \t\r\n") if inner is None else inner.replace(b'""', b'"'))
        at = match.end()
        if text[at : at + 1] == dialect.delimiter:
            at += 1
            continue
        newline = text.find(b"\n", at)
        if newline < 0:
            return Record(start, len(text), fields, False, unclosed=match["open"] is not None)
        return Record(start, newline + 1, fields, True)


def record_end(data: bytes, start: int, dialect: Dialect) -> int | None:
    """The offset after the newline that ends the record that begins at ``start``; None if it is not there."""
    end, quotes = start, 0
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


def well_quoted(data: bytes, dialect: Dialect) -> bool:
    """Whether all quotes of whole records stand at edges of fields, or in pairs within: nobody reads it else.

    ``data`` has no carriage return but before a newline.
    """
    octets = np.frombuffer(b"".join((b"\n", data, b"\n")), np.uint8)
    quotes = np.flatnonzero(octets == QUOTE)
    if len(quotes) % 2:
        return False
    if not dialect.quoted_newlines:
        newlines = np.flatnonzero(octets == NEWLINE)
        if (np.searchsorted(quotes, newlines) % 2).any():
            return False
    edges = np.zeros(256, bool)
    edges[[dialect.delimiter[0], NEWLINE, QUOTE]] = True
    opened = edges[octets[quotes[::2] - 1]].all()
    edges[ord("\r")] = True
    closed = edges[octets[quotes[1::2] + 1]].all()
    # Blanks around quotes are few, and looked at one by one.
    return bool(opened and closed) or dialect.text.fullmatch(data) is not None


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
