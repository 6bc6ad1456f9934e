"""Find the first record at or after any byte of a delimited file without reading what comes before.

Whether a byte is inside quotes depends on every quote before it. So the module reads the bytes that follow
under both assumptions, outside quotes and inside. Only one of them yields records with the right number of
fields and numbers where numbers belong (compare Ge, Li, Eilebrecht, Chandramouli, Kossmann: Speculative
Distributed CSV Data Parsing, SIGMOD 2019). If both do, it does not guess.

For example, in a file of three columns the bytes after a cut are ``a\\nb",2\\n3,"c",4\\n``. Read as if
outside quotes, a record starts at byte 2, and ``b",2`` has two fields: refuted. Read as if inside, the quote
at byte 3 closes the field, and the record that starts at byte 7, ``3,"c",4``, has three.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from amazon_estimators.sources.delimited.dialect import Dialect
from amazon_estimators.sources.delimited.quoting import record_at, walk
from amazon_estimators.sources.numbers import is_missing, number_pattern
from amazon_estimators.sources.schema import Schema

LOOKBACK = 64
"""Bytes read before the place. A longer run of quotes is ambiguous."""
FIRST_LOOK = 64 * 2**10
GROWTH = 8
ENOUGH = 256 * 2**10
"""Bytes of valid records, two at least, after which an assumption is accepted."""


class AmbiguousError(Exception):
    """Raised if both assumptions fit all that was read."""


@dataclass(frozen=True)
class Reading:
    """The result of one assumption: the first record at or after the place, and any contradiction."""

    start: int | None
    refuted: int | None


def first_record(
    window: Callable[[int], bytes], length: int, place: int, schema: Schema, dialect: Dialect, *, final: bool
) -> int | None:
    """Return the offset in the window of the first record that begins at or after ``place``, or None.

    ``window(size)`` returns the window's first ``size`` bytes. The window begins up to LOOKBACK bytes before
    ``place``, which is not the file's first byte; it is LINE_LIMIT long or, if ``final``, ends with the file.
    For text that is wrong under both assumptions, any place is as good as another. Raises AmbiguousError.
    """
    size = FIRST_LOOK
    while True:
        part = window(min(place + size, length))
        complete = len(part) == length
        if dialect.newline_ends:
            start = _after_newline(part, place)
            if start is not None or complete:
                return start
        elif part.find(b'"', origin := _origin(part, place, dialect)) >= 0:
            decided, start = _decide(part, origin, place, schema, dialect, ends=complete, final=final)
            if decided and (start is not None or complete):
                return start
            if not decided and complete:
                raise AmbiguousError
        elif complete:
            # No quote at all: a quoted field cannot be longer than the longest record, or unclosed.
            return _after_newline(part, place)
        size *= GROWTH


def _decide(
    text: bytes, origin: int, place: int, schema: Schema, dialect: Dialect, *, ends: bool, final: bool
) -> tuple[bool, int | None]:
    """Return True if only one assumption holds, with its first record, as far as the text goes.

    In most files no quote is plain text. Only if neither assumption holds, quotes inside fields are read as
    text too. A wrong decision is noticed: the piece before then ends inside quotes.
    """
    outside = inside = Reading(None, None)
    for reading in (dialect.strictly, dialect):
        outside, inside = (
            _read_on(text, origin, place, schema, reading, inside=answer, final=final and ends)
            for answer in (False, True)
        )
        if ends and not final:
            # A record cannot be as long as this.
            outside, inside = (
                replace(assumption, refuted=len(text))
                if assumption.start is None and assumption.refuted is None
                else assumption
                for assumption in (outside, inside)
            )
        if outside.refuted is None or inside.refuted is None:
            chosen = outside if outside.refuted is None else inside
            agreed = outside.start is not None and outside.start == inside.start
            return agreed or (outside.refuted is None) != (inside.refuted is None), chosen.start
    # The text is faulty. The assumption that held for longer leads to the fault.
    start = max((outside, inside), key=lambda assumption: assumption.refuted or 0).start
    return True, _after_newline(text, place) if start is None and final else start


def _origin(window: bytes, place: int, dialect: Dialect) -> int:
    """Return the offset to read from: before the quotes and escapes that end at ``place``.

    Raises AmbiguousError if the window holds nothing before them.
    """
    origin = place - 1
    while origin > 0 and window[origin - 1] in b'"' + dialect.escape:
        origin -= 1
    if not origin:
        raise AmbiguousError
    return origin


def _after_newline(window: bytes, place: int) -> int | None:
    newline = window.find(b"\n", place - 1)
    return None if newline < 0 else newline + 1


def _read_on(
    text: bytes, origin: int, place: int, schema: Schema, dialect: Dialect, *, inside: bool, final: bool
) -> Reading:
    """Read from ``origin`` under one assumption; of the record in progress only the end is visible."""
    at_field = text[origin - 1 : origin] in (dialect.delimiter, b"\n")
    at_record = text[origin - 1 : origin] == b"\n" and not inside
    at = origin
    if not at_record:
        pattern = dialect.tail if inside else dialect.field if at_field else dialect.plain
        match = pattern.match(text, origin)
        if match is None:
            return Reading(None, origin if final or b"\n" in text[origin:] else None)
        at = match.end()
        if at == len(text):
            unclosed = final and "open" in pattern.groupindex and match["open"] is not None
            return Reading(None, origin if unclosed else None)
        if text[at : at + 1] == dialect.delimiter:
            rest = record_at(text, dialect, at + 1)
            if rest.problem or len(rest.fields) >= schema.width:
                return Reading(None, at)
            if not rest.ended:
                return Reading(None, at if final and rest.unclosed else None)
            at = rest.stop
        else:
            newline = text.find(b"\n", at)
            at = len(text) if newline < 0 else newline + 1
    return _records_from(text, at, place, schema, dialect, final=final)


def _records_from(
    text: bytes, at: int, place: int, schema: Schema, dialect: Dialect, *, final: bool
) -> Reading:
    """Read from ``at``, where a record begins."""
    start = at if at >= place else None
    for record in walk(text, dialect, at):
        if start is None and record.start >= place:
            start = record.start
        cut_off = not record.ended and not record.problem
        wrong = record.problem or record.unclosed or not _fits(record.fields, schema, dialect)
        if wrong and (final or not cut_off):
            return Reading(start, record.start)
        if cut_off:
            break
        if start is None and record.stop >= place:
            start = record.stop
        elif record.stop - at > ENOUGH:
            break
    return Reading(start, None)


def _fits(fields: list[bytes], schema: Schema, dialect: Dialect) -> bool:
    number = number_pattern(dialect.decimal)
    return len(fields) == schema.width and all(
        number.fullmatch(fields[column]) or (schema.may_lack(column) and is_missing(fields[column]))
        for column in schema.numbers
    )
