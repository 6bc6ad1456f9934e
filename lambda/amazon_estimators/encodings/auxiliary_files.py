"""Auxiliary files, such as NTM's vocabulary: copied under their own names, checked line by line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from amazon_estimators.encodings.contract import Facts, PlannedChannel
from amazon_estimators.encodings.text_lines import SCHEMA, first_bad_line, resolve, shown, steps, tidy
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.sources import Layout, Piece, Source
from amazon_estimators.storage.multipart_upload import ObjectWriter
from amazon_estimators.storage.s3 import InputObject

__all__ = ["encode", "look", "resolve"]

REMEDY = "Write the file as UTF-8 with one word, or one embedding, per line."


def look(s3: Any, found: InputObject, source: Source) -> Layout:
    return Layout(schema=SCHEMA, start=0, stop=found.size)


def encode(
    s3: Any,
    out: ObjectWriter,
    pieces: Iterable[Piece],
    planned: PlannedChannel,
    profile: ProfileBuilder,
) -> Facts:
    """Copy the lines. A record is a line: of a vocabulary, a word."""
    records, as_it_is = 0, replace(planned.source, compression="none")
    for piece in pieces:
        for lines, number in steps(s3, piece, as_it_is):
            text = tidy(lines)
            if text.count(b"\n") != lines.count(b"\n") or reason(text) is not None:
                raise first_bad_line(lines, number, piece, reason, REMEDY, blank_allowed=False)
            records += text.count(b"\n")
            out.write(text)
    return Facts(records=records, feature_dim=0)


def reason(line: bytes) -> str | None:
    """Say what is wrong with a line, or with several; return None if nothing is."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return f"{shown(line)} is not UTF-8"
    return None if line.strip() else "it is blank, and the number of a line is the word's id"
