"""CSV and TSV: byte ranges whose ends are moved to the next end of a record."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from amazon_estimators.errors import InputError
from amazon_estimators.s3 import InputObject, read_ahead, read_range
from amazon_estimators.sources.source import BLOCK_BYTES, Block, Layout, Piece, Schema, Source

EXTENSIONS = (".csv", ".tsv")

FIRST_LOOK = 64 * 2**10
LINE_LIMIT = 16 * 2**20
"""Bytes of the longest record accepted."""
COUNTED_BYTES = 32 * 2**20
"""Objects up to this size are read once by Plan, so that shards of small data are balanced to one row."""
BOM = b"\xef\xbb\xbf"


def look(s3: Any, found: InputObject, source: Source) -> Layout:
    """Columns and names from the first record; of a small object also where each row starts."""
    start = read_range(s3, found, 0, min(FIRST_LOOK, found.size))
    while (end := record_end(start, 0)) is None and len(start) < min(found.size, LINE_LIMIT):
        start += read_range(s3, found, len(start), min(2 * len(start), found.size, LINE_LIMIT))
    first = start[: len(start) if end is None else end]
    skip = len(BOM) if first.startswith(BOM) else 0
    fields = _fields(first[skip:], delimiter_of(found), found)
    if not any(field.strip() for field in fields):
        raise InputError(f"{found.uri} is empty", remedy="Remove it, or upload it with at least one row.")
    has_header = source.header == "present" or (source.header == "auto" and not all(map(_is_number, fields)))
    names = tuple(field.strip() for field in fields) if has_header else None
    schema = Schema.of(source, width=len(fields), names=names, where=found.uri)
    data_start = len(first) if has_header else skip
    if found.size > COUNTED_BYTES:
        return Layout(schema=schema, start=data_start, stop=found.size)
    cuts = record_starts(b"".join(read_ahead(s3, found, data_start, found.size, chunk=BLOCK_BYTES)))
    if not len(cuts):
        raise InputError(f"{found.uri} has a header and no rows", remedy="Remove it, or add rows.")
    return Layout(schema=schema, start=data_start, stop=found.size, records=len(cuts), row_cuts=cuts + data_start)


def read(s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block]:
    """The records that begin in the bytes ``[start, stop)``."""
    delimiter = delimiter_of(piece.source)
    row = piece.first_row or 0
    for text in _whole_records(s3, piece):
        table = _parse(text, delimiter, schema, piece, row)
        row += len(table)
        if len(table):
            yield schema.split(table)


def delimiter_of(found: InputObject) -> str:
    return "\t" if found.key.lower().endswith(".tsv") else ","


def record_end(data: bytes, start: int) -> int | None:
    """The offset after the newline that ends the record beginning at ``start``; a quoted newline is no end."""
    end = start
    while (newline := data.find(b"\n", end)) >= 0:
        end = newline + 1
        if data.count(b'"', start, end) % 2 == 0:
            return end
    return None


def record_starts(data: bytes) -> np.ndarray:
    """Offsets at which a record that is not blank begins, shape (records,), int64."""
    octets = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(octets == ord("\n"))
    if b'"' in data:
        quotes = np.flatnonzero(octets == ord('"'))
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    starts = np.concatenate(([0], ends + 1))
    stops = np.concatenate((ends, [len(data)]))
    lengths = stops - starts
    blank = lengths == 0
    carriage = lengths == 1
    blank[carriage] = octets[starts[carriage]] == ord("\r")
    return starts[~blank].astype(np.int64)


def _whole_records(s3: Any, piece: Piece) -> Iterator[bytes]:
    """Blocks of whole records: those that begin in ``[start, stop)``, the last one read to its end.

    A piece with a known ``first_row`` starts and stops at records. Any other starts anywhere: the record under way
    at ``start`` belongs to the piece before, which is told by whether the byte before ``start`` ends a record.
    """
    found, rest = piece.source, b""
    aligned = piece.first_row is not None
    offset = piece.start if aligned else piece.start - 1
    for chunk in read_ahead(s3, found, offset, piece.stop, chunk=BLOCK_BYTES):
        rest += chunk
        if not aligned:
            if (end := record_end(rest, 0)) is None:
                continue
            rest, aligned = rest[end:], True
        starts = record_starts(rest)
        cut = int(starts[-1]) if len(starts) else 0
        if len(rest) - cut > LINE_LIMIT:
            raise InputError(f"{found.uri}: a record longer than {LINE_LIMIT} bytes before byte {piece.stop}")
        yield rest[:cut]
        rest = rest[cut:]
    if not aligned or (not rest and piece.first_row is None):
        return
    yield rest + (b"" if piece.first_row is not None else _to_record_end(s3, piece, rest))


def _to_record_end(s3: Any, piece: Piece, rest: bytes) -> bytes:
    """What is missing of the record that begins before ``stop``."""
    more, step = b"", FIRST_LOOK
    while record_end(rest + more, 0) is None and (at := piece.stop + len(more)) < piece.source.size:
        if len(more) > LINE_LIMIT:
            raise InputError(f"{piece.source.uri}: a record longer than {LINE_LIMIT} bytes at byte {piece.stop}")
        more += read_range(s3, piece.source, at, min(at + step, piece.source.size))
        step *= 2
    end = record_end(rest + more, 0)
    return more if end is None else more[: max(0, end - len(rest))]


def _parse(text: bytes, delimiter: str, schema: Schema, piece: Piece, row: int) -> np.ndarray:
    """float32, shape (rows, width). Raises InputError naming row and column of the first bad field."""
    if not text.strip():
        return np.empty((0, schema.width), np.float32)
    try:
        decoded = text.decode("ascii")
        table = np.loadtxt(
            io.StringIO(decoded), np.float32, delimiter=delimiter, quotechar='"', comments=None, ndmin=2
        )
        if table.shape[1] == schema.width:
            return table
    except ValueError:
        pass
    raise _first_bad_field(text, delimiter, schema, piece, row)


def _first_bad_field(text: bytes, delimiter: str, schema: Schema, piece: Piece, row: int) -> InputError:
    where = piece.source.uri
    counted = "" if piece.first_row is not None else f" of the part from byte {piece.start}"
    records = csv.reader(io.StringIO(text.decode("utf-8", "replace"), newline=""), delimiter=delimiter)
    for number, fields in enumerate((fields for fields in records if fields), start=row):
        if len(fields) != schema.width:
            return InputError(
                f"{where}, row {number}{counted}: {len(fields)} fields where the first row has {schema.width}",
                remedy="Rows are counted from 0, without the header. Give every row the same fields.",
            )
        for position, value in enumerate(fields):
            if not _is_number(value):
                shown = repr(value[:80]) if value.strip() else "nothing"
                return InputError(
                    f"{where}, row {number}{counted}, {schema.column(position)}: {shown} is not a number",
                    remedy="Rows are counted from 0, without the header. Fill it in, encode it as a number or drop it.",
                )
    return InputError(f"{where}, rows from {row}{counted}: not readable as a table of numbers")


def _fields(record: bytes, delimiter: str, found: InputObject) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(record.decode("utf-8"), newline=""), delimiter=delimiter), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{found.uri}: its first line is no UTF-8 CSV: {error}") from error


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text
