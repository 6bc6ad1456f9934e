"""IP Insights' CSV: two fields a line, an entity and an IPv4 address, without a header."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from amazon_estimators.encodings.contract import Facts, PlannedChannel
from amazon_estimators.encodings.text_lines import (
    count_lines,
    first_bad_line,
    look,
    resolve,
    shown,
    steps,
    tidy,
)
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.sources import Piece
from amazon_estimators.storage.multipart_upload import ObjectWriter

__all__ = ["encode", "look", "resolve"]

_OCTET = rb"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_ADDRESS = rb"%b(?:\.%b){3}" % (_OCTET, _OCTET)
_ENTITY = rb'(?:[^",\r\n]++|"(?:[^"\r\n]|"")++")'
_LINE = rb"%b,%b" % (_ENTITY, _ADDRESS)
_LINES = re.compile(rb"(?:%b\n)*+" % _LINE)
_LINES_FOR_RE2 = (rb"\A%b\z" % _LINES.pattern).replace(b"++", b"+").replace(b"*+", b"*").decode()
"""RE2 has no possessive repetitions, and needs none: it never backtracks."""
_ONE_LINE = re.compile(_LINE)
_FIELDS = re.compile(rb"(%b?+)(?:,(.*))?" % _ENTITY)

REMEDY = "Write each line as entity,address without a header, such as user_7,192.0.2.10."


def encode(
    s3: Any,
    out: ObjectWriter,
    pieces: Iterable[Piece],
    planned: PlannedChannel,
    profile: ProfileBuilder,
) -> Facts:
    records = 0
    for piece in pieces:
        for lines, number in steps(s3, piece, planned.source):
            text = tidy(lines)
            if not _are_pairs(text) or not _is_utf8(text):
                raise first_bad_line(lines, number, piece, reason, REMEDY)
            records += count_lines(text)
            out.write(text)
    return Facts(records=records, feature_dim=0)


def _are_pairs(text: bytes) -> bool:
    """Return True if each line is a pair.

    RE2, which comes with the table reader, is four times as fast as Python's engine, the fallback.
    """
    try:
        from pyarrow import compute  # noqa: PLC0415 - loaded only where text is checked

        from amazon_estimators.sources.arrow_values import text_column  # noqa: PLC0415
    except ModuleNotFoundError:
        return _LINES.fullmatch(text) is not None
    (matched,) = compute.match_substring_regex(text_column(text, np.array([len(text)])), _LINES_FOR_RE2)
    return bool(matched.as_py())


def reason(line: bytes) -> str | None:
    """Say what is wrong with one line, without its end; return None if nothing is."""
    if not _is_utf8(line):
        return f"{shown(line)} is not UTF-8"
    if _ONE_LINE.fullmatch(line):
        return None
    parted = _FIELDS.fullmatch(line)
    if parted is None or parted[2] is None or b"," in parted[2]:
        return f"{shown(line)} is not two fields, an entity and an address"
    if not parted[1]:
        return f"{shown(line)} has no entity before the comma"
    return f"{shown(parted[2])} is not an IPv4 address, four numbers from 0 to 255 with dots between them"


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
