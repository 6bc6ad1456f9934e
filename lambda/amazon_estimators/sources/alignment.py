"""Where the first record begins at or after any byte of a delimited file, without reading what comes before.

Whether a byte lies between quotes depends on every quote before it. Instead both answers are tried on what
follows: read as if outside and as if inside quotes, only one makes records with the right number of fields,
and numbers where numbers belong (compare Ge, Li, Eilebrecht, Chandramouli, Kossmann: Speculative
Distributed CSV Data Parsing, SIGMOD 2019). Where both do, nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from amazon_estimators.sources.records import Dialect, record_at, walk
from amazon_estimators.sources.source import Schema

NUMBER = re.compile(rb"\s*+[+-]?(?:(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?|(?i:inf(?:inity)?|nan))\s*+")
"""A number as the table reader takes it."""

LOOKBACK = 64
"""Bytes before the place: a run of quotes longer than this cannot be told apart."""
FIRST_LOOK = 64 * 2**10
GROWTH = 8


class AmbiguousError(Exception):
    """Both answers fit all that was read."""


@dataclass(frozen=True)
class Reading:
    """What comes of one answer: the first record at or after the place, and where it stops making sense."""

    start: int | None
    refuted: int | None


def first_record(window: bytes, place: int, schema: Schema, dialect: Dialect, *, final: bool) -> int | None:
    """The offset in ``window`` of the first record that begins at or after ``place``; None if none does.

    ``window`` begins up to LOOKBACK bytes before ``place``, which is not the first byte of the file, and is
    LINE_LIMIT long or, if ``final``, ends with the file. Raises AmbiguousError.
    """
    if not dialect.quoted_newlines:
        return _after_newline(window, place)
    origin = place - 1
    while origin > 0 and window[origin - 1 : origin] == b'"':
        origin -= 1
    if window[max(0, origin - 1) : origin] == b'"' or not origin:
        raise AmbiguousError
    size = FIRST_LOOK
    while True:
        part = window[: origin + size]
        complete = len(part) == len(window)
        if part.find(b'"', origin) >= 0:
            outside, inside = (
                _read_on(part, origin, place, schema, dialect, inside=answer, final=final and complete)
                for answer in (False, True)
            )
            if outside.refuted is None and inside.refuted is not None:
                if outside.start is not None or complete:
                    return outside.start
            elif inside.refuted is None and outside.refuted is not None:
                if inside.start is not None or complete:
                    return inside.start
            elif outside.refuted is not None and inside.refuted is not None:
                # The text is wrong. The answer that made sense for longer leads to the fault.
                return max((outside, inside), key=lambda one: one.refuted or 0).start
            elif complete:
                raise AmbiguousError
        elif complete:
            # No quote at all: a quoted field as long as the longest record allowed, or never closed, is none.
            return _after_newline(window, place)
        size *= GROWTH


def _after_newline(window: bytes, place: int) -> int | None:
    newline = window.find(b"\n", place - 1)
    return None if newline < 0 else newline + 1


def _read_on(  # noqa: PLR0911 - each return is one thing that can be found out
    text: bytes, origin: int, place: int, schema: Schema, dialect: Dialect, *, inside: bool, final: bool
) -> Reading:
    """Read on from ``origin`` as one answer has it; only the end of a record under way is seen."""
    at_field = text[origin - 1 : origin] in (dialect.delimiter, b"\n")
    at_record = text[origin - 1 : origin] == b"\n" and not inside
    at = origin
    if not at_record:
        pattern = dialect.tail if inside else dialect.field if at_field else dialect.plain
        match = pattern.match(text, origin)
        if match is None:
            return Reading(None, origin)
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
    start = at if at >= place else None
    for record in walk(text, dialect, at):
        if start is None and record.start >= place:
            start = record.start
        if not record.ended and not record.problem:
            wrong = record.unclosed or not _fits(record.fields, schema)
            return Reading(start, record.start if final and wrong else None)
        if record.problem or not _fits(record.fields, schema):
            return Reading(start, record.start)
        if start is None and record.stop >= place:
            start = record.stop
    return Reading(start, None)


def _fits(fields: list[bytes], schema: Schema) -> bool:
    return len(fields) == schema.width and all(NUMBER.fullmatch(fields[column]) for column in schema.used)
