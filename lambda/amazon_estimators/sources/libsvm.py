"""Read libsvm and svmlight text: one ``label index:value …`` per line. Rows stay sparse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from amazon_estimators.errors import InputError, NoInputError, SchemaError
from amazon_estimators.sources import float32
from amazon_estimators.sources.arrow_values import text_column
from amazon_estimators.sources.blocks import Block, SparseRows
from amazon_estimators.sources.delimited.dialect import LINES
from amazon_estimators.sources.delimited.quoting import record_starts
from amazon_estimators.sources.files.compression import compression_of, decompressed
from amazon_estimators.sources.files.first_bytes import ENOUGH, refuse_other_kind
from amazon_estimators.sources.files.text_lines import BOM, whole_lines
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.numbers import NUMBER
from amazon_estimators.sources.numpy_files.scipy_csr import sorted_rows
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import FEATURE_LIMIT, Source
from amazon_estimators.storage.s3 import InputObject, read_range

COUNTED_BYTES = 4 * 2**20
"""Plan reads text up to this size once, so that shards of small data are balanced to one row."""

_BLANK, _COLON, _NEWLINE = b" :\n"
_UNTIDY = (b"#", b"\t", b"\r")
_COMMENT = re.compile(rb"#[^\n]*")
_MAYBE_BLANK = re.compile(rb"#|[ \t]\r?\n")
_PAIR = re.compile(rb"(\d{1,18}):(.+)")
_RETURN = re.compile(rb"(?<= )\r+(?=[^\r \n])|(?<=[^\r \n])\r+(?=[ \n])")
"""A carriage return beside a blank, before or after a token."""
_WHOLE = re.compile(rb"[+-]?\d+")


def look(s3: Any, input_object: InputObject, source: Source) -> Layout:
    """Return the number of features, by option or by reading all; for small text also the start of each
    row."""
    _check_columns(source, input_object)
    if not input_object.size:
        raise NoInputError(
            f"{input_object.uri} is empty", remedy="Remove it, or upload it with at least one line."
        )
    compression = compression_of(input_object, source.compression)
    packed = compression != "none"
    head = (
        next(decompressed(s3, input_object, compression), b"")
        if packed
        else read_range(s3, input_object, 0, ENOUGH)
    )
    refuse_other_kind(head, input_object, "libsvm", inside=compression)
    whole = Piece(input_object, 0, input_object.size, first_row=0)
    counted = not packed and input_object.size <= COUNTED_BYTES
    width = source.feature_count or 0
    if not width or counted:
        largest, cuts = 0, list[np.ndarray]()
        # Row offsets count from the file's first byte; whole_lines removes a byte order mark.
        offset = len(BOM) if counted and head.startswith(BOM) else 0
        row = 0
        for text in whole_lines(s3, whole, compression=source.compression):
            _, columns, ends, _ = _parse(text, whole, source, row)
            largest = max(largest, int(columns.max(initial=-1)) + 1)
            row += len(ends) - 1
            if counted:
                cuts.append(_row_starts(text) + offset)
            offset += len(text)
        width = width or largest
        if counted and not sum(map(len, cuts)):
            raise NoInputError(
                f"{input_object.uri} has no row", remedy="Remove it, or upload it with at least one line."
            )
        if not width:
            raise InputError(
                f"{input_object.uri} has no feature", remedy="Remove it, or set feature_count in the Source."
            )
    if width > FEATURE_LIMIT:
        raise InputError(
            f"{input_object.uri} has a feature of index {width - 1 + source.first_index}; "
            f"allowed: up to {FEATURE_LIMIT} features",
            remedy="Number the features without gaps, or hash them to fewer.",
        )
    schema = Schema(
        width=width,
        names=None,
        features=None,
        label=None,
        sparse=True,
        at_least=source.feature_count is None,
    )
    if counted:
        starts = np.concatenate(cuts)
        starts[0] = 0
        return Layout(schema=schema, start=0, stop=input_object.size, records=len(starts), row_cuts=starts)
    return Layout(schema=schema, start=0, stop=input_object.size, whole=packed)


def read(s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block]:
    """Read the lines that begin in the bytes ``[start, stop)``. Raises InputError naming line and token."""
    row = piece.first_row or 0
    for text in whole_lines(s3, piece, compression=source.compression):
        values, columns, ends, labels = _parse(text, piece, source, row)
        rows: SparseRows = sorted_rows(
            values, columns, ends, width=schema.width, input_object=piece.source, row=row
        )
        row += len(rows)
        if len(rows):
            yield Block(rows, labels if source.keep_labels else None)


def _row_starts(text: bytes) -> np.ndarray:
    """Return the starts of the lines that hold a row: not blank, and not only a comment."""
    starts = record_starts(text, LINES)
    if not _MAYBE_BLANK.search(text):
        return starts
    ends = np.append(starts, len(text))[1:]
    rows = [bool(_COMMENT.sub(b"", text[start:end]).strip()) for start, end in zip(starts, ends, strict=True)]
    chosen: np.ndarray = starts[np.array(rows, bool)]
    return chosen


def _parse(
    text: bytes, piece: Piece, source: Source, row: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return (values, columns from 0, row ends from 0, labels): float64, int64, int64 and float64."""
    lines, marks = text, _marks(text)
    if any(mark in text for mark in _UNTIDY) or not marks[0] or (np.diff(marks) == 1).any():
        lines = _tidy(text)
        marks = _marks(lines)
    if not len(marks):
        return np.empty(0), np.empty(0, np.int64), np.zeros(1, np.int64), np.empty(0)
    tokens = _tokens(lines, marks)
    if tokens is None:
        raise _first_fault(text, piece, row)
    index, values, ends, labels = tokens
    columns = index - source.first_index
    if columns.min(initial=0) < 0:
        bad = int(np.searchsorted(ends, np.flatnonzero(columns < 0)[0], side="right")) - 1
        raise InputError(
            f"{piece.source.uri}, {piece.row(row + bad)}: index 0, the first is {source.first_index}",
            remedy="Set first_index=0 in the Source if indices are counted from 0.",
        )
    if source.keep_labels:
        _check_whole(lines, labels, piece, row)
    return values, columns, ends, labels


def _check_whole(lines: bytes, labels: np.ndarray, piece: Piece, row: int) -> None:
    """Check that float32 holds labels written without a point: like other formats' integers, they name
    classes."""
    large = np.flatnonzero((np.abs(labels) > float32.ALL_HELD) & (np.abs(labels) <= np.finfo(np.float32).max))
    written = lines.split(b"\n") if len(large) else []
    for at in large:
        token, *_ = written[at].split(b" ", 1)
        if _WHOLE.fullmatch(token) and int(token.lstrip(b"+-0")) != abs(int(np.float32(labels[at]))):
            where = f"{piece.source.uri}, {piece.row(row + int(at), written[at])}, label"
            raise float32.not_exact(where, token.decode())


def _marks(text: bytes) -> np.ndarray:
    """Return the places of blanks, colons and newlines, where tokens end, and of other control characters."""
    characters = np.frombuffer(text, np.uint8)
    return np.flatnonzero((characters <= _BLANK) | (characters == _COLON))


def _tokens(lines: bytes, marks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """Return (indices, values, row ends from 0, labels); None unless every line is as it should be.

    The lines are tidy, and at least one. An index ends at a colon; all other tokens are numbers. Without the
    marks they lie one after the other, and are converted from there: ``1 3:0.5 7:2`` from ``130.572``.
    """
    characters = np.frombuffer(lines, np.uint8)
    kinds = characters[marks]
    of_index = kinds == _COLON
    colons, newlines = np.flatnonzero(of_index), np.flatnonzero(kinds == _NEWLINE)
    blanks = colons - 1
    if len(kinds) != 2 * len(colons) + len(newlines) or (kinds[blanks] != _BLANK).any():
        return None
    # The conversion would take 0x1 and -0 for an index.
    if b"x" in lines or b"X" in lines or (characters[marks[blanks] + 1] - ord("0") > 9).any():
        return None
    text = lines.translate(None, b" :\n")
    ends = marks - np.arange(len(marks))
    try:
        indices = text_column(text, ends, of_index).cast(pa.int64())
        numbers = text_column(text, ends, ~of_index).cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    index = np.frombuffer(indices.buffers()[1], np.int64)
    number = np.frombuffer(numbers.buffers()[1])
    row_ends = np.concatenate(([0], (newlines - np.arange(len(newlines))) // 2))
    return index[colons], number[colons + 1], row_ends, number[np.append(0, newlines[:-1] + 1)]


def _tidy(text: bytes) -> bytes:
    """Return the lines that hold a row, with one space between tokens and without comments."""
    if b"#" in text:
        text = _COMMENT.sub(b"", text)
    text = text.replace(b"\t", b" ").replace(b"\r\n", b"\n")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    text = text.replace(b" \n", b"\n").replace(b"\n ", b"\n").removeprefix(b" ")
    while b"\n\n" in text:
        text = text.replace(b"\n\n", b"\n")
    return _RETURN.sub(b"", text.removeprefix(b"\n"))


def _first_fault(text: bytes, piece: Piece, row: int) -> InputError:
    for line in text.split(b"\n"):
        tokens = _COMMENT.sub(b"", line).split()
        if not tokens:
            continue
        where = f"{piece.source.uri}, {piece.row(row, line)}"
        if not NUMBER.fullmatch(tokens[0]):
            return _fault(where, tokens[0], "is not a label, which must be a number")
        for token in tokens[1:]:
            match = _PAIR.fullmatch(token)
            if match is None or not NUMBER.fullmatch(match[2]):
                return _fault(where, token, "is no index:value")
        row += 1
    return InputError(f"{piece.source.uri}, rows to {row}: not readable as libsvm", remedy="Write it again.")


def _fault(where: str, token: bytes, problem: str) -> InputError:
    return InputError(
        f"{where}: {token[:80].decode('utf-8', 'replace')!r} {problem}",
        remedy=f"{float32.COUNTED} Write each line as: label index:value index:value …",
    )


def _check_columns(source: Source, input_object: InputObject) -> None:
    if source.label is not None or source.features is not None or source.exclude:
        raise SchemaError(
            f"{input_object.uri} is libsvm: all its columns are features and each line begins with its label",
            remedy="Leave label, features and exclude out of the Source; keep_labels=False drops the labels.",
        )
