"""Lines of text to shards of lines: what Object2Vec's JSON Lines, IP Insights' CSV and vocabularies share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from amazon_estimators.errors import InputError, NoInputError
from amazon_estimators.sources import Layout, Piece, Schema, Source
from amazon_estimators.sources.delimited.dialect import LINES
from amazon_estimators.sources.delimited.quoting import record_starts
from amazon_estimators.sources.files.compression import compression_of
from amazon_estimators.sources.files.text_lines import whole_lines
from amazon_estimators.storage.s3 import InputObject, read_range

COUNTED_BYTES = 2**18
"""Objects up to this size are read once by Plan, so that shards of small data are balanced to one line."""

SCHEMA = Schema(width=0, names=None, features=None, label=None)
"""Lines of text have no columns of numbers."""

_NEWLINE = ord("\n")
_BLANK_LINES = re.compile(rb"\n{2,}")

Reason = str
"""Says what is wrong with a line."""


def resolve(s3: Any, objects: Sequence[InputObject], source: Source) -> Source:
    """Return the source unchanged: lines leave nothing to detect."""
    return source


def look(s3: Any, found: InputObject, source: Source) -> Layout:
    """Find where an object of text can be cut: before each line if it is small, anywhere if not."""
    if compression_of(found, source.compression) != "none":
        return Layout(schema=SCHEMA, start=0, stop=found.size, whole=True)
    if found.size > COUNTED_BYTES:
        return Layout(schema=SCHEMA, start=0, stop=found.size)
    starts = record_starts(read_range(s3, found, 0, found.size), LINES)
    if not len(starts):
        raise NoInputError(
            f"{found.uri} has only blank lines", remedy="Remove it, or upload it with some lines."
        )
    return Layout(schema=SCHEMA, start=0, stop=found.size, records=len(starts), row_cuts=starts)


def steps(s3: Any, piece: Piece, source: Source) -> Iterator[tuple[bytes, int]]:
    """(whole lines, number of the first one) in steps; lines are counted from 1 where ``piece`` starts."""
    number = 1
    for lines in whole_lines(s3, piece, compression=source.compression):
        yield lines, number
        number += count_lines(lines)


def tidy(lines: bytes) -> bytes:
    """Return the lines as shards hold them: each ends in a line feed alone, blank ones are left out."""
    if b"\r" in lines:
        lines = lines.replace(b"\r\n", b"\n")
    ends = newlines(lines)
    if (ends[1:] & ends[:-1]).any() or lines.startswith(b"\n"):
        lines = _BLANK_LINES.sub(b"\n", lines).removeprefix(b"\n")
    return lines


def count_lines(text: bytes) -> int:
    """Return the number of newlines."""
    return int(np.count_nonzero(newlines(text)))


def newlines(text: bytes) -> np.ndarray:
    """Return which bytes are newlines. NumPy finds them several times as fast as ``bytes.count``."""
    found: np.ndarray = np.frombuffer(text, np.uint8) == _NEWLINE
    return found


def first_bad_line(
    lines: bytes,
    number: int,
    piece: Piece,
    reason_of: Callable[[bytes], Reason | None],
    remedy: str,
    *,
    blank_allowed: bool = True,
) -> InputError:
    """Make the error for the first line that ``reason_of`` finds something wrong with."""
    for at, line in enumerate(lines.removesuffix(b"\n").split(b"\n"), start=number):
        bare = line.removesuffix(b"\r")
        reason = reason_of(bare) if bare or not blank_allowed else None
        if reason:
            place = where(piece, at, b"" if shown(bare) in reason else bare)
            return InputError(f"{piece.source.uri}, {place}: {reason}", remedy=remedy)
    return InputError(f"{piece.source.uri}, lines from {where(piece, number)}: not readable", remedy=remedy)


def where(piece: Piece, line: int, text: bytes = b"") -> str:
    """Name a line by its number in the object, or by its ``text`` too if that is not known."""
    if piece.start == 0:
        return f"line {line:,}"
    if piece.first_row is not None:
        return f"line {piece.first_row + line:,} (blank ones not counted)"
    begins = f", which begins {shown(text)}" if text else ""
    return f"line {line:,} after byte {piece.start:,}{begins}"


def shown(line: bytes, most: int = 80) -> str:
    """Return the start of a line, for a message."""
    text = line[: 4 * most].decode("utf-8", "replace")
    return repr(text if len(text) <= most else text[:most] + "…")
