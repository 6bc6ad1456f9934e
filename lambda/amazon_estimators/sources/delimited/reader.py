"""Read CSV and TSV in byte ranges that are moved to record boundaries. A compressed object is one unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from math import isinf
from typing import Any

from amazon_estimators.errors import InputError, NoInputError, SchemaError
from amazon_estimators.sources import float32
from amazon_estimators.sources.blocks import Block
from amazon_estimators.sources.columns.table import Table
from amazon_estimators.sources.delimited.dialect import Dialect
from amazon_estimators.sources.delimited.fronts import check_delimiter, dialect_of, fronts_of, with_dialect
from amazon_estimators.sources.delimited.header import header_of
from amazon_estimators.sources.delimited.quoting import (
    Records,
    last_record_end,
    record_end,
    record_starts,
    walk,
    well_quoted,
)
from amazon_estimators.sources.delimited.record_start import LOOKBACK, AmbiguousError, first_record
from amazon_estimators.sources.files.compression import compression_of, decompressed
from amazon_estimators.sources.files.first_bytes import refuse_other_kind
from amazon_estimators.sources.files.text_lines import BOM, LINE_LIMIT, too_long, without_bom
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.numbers import is_missing, number_pattern, value_of
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import BLOCK_BYTES, LONGEST_SHOWN, Source
from amazon_estimators.storage.s3 import InputObject, read_ahead, read_range

MOST_NOTES = 8
"""Columns of which a note tells that they hold text."""
NUMBERED = 10
"""Rows that the first column must number before it is taken for an unnamed index."""

FIRST_LOOK = 64 * 2**10
COLUMN_LIMIT = 2**16
"""The table reader needs about 3 KB for every column of text, read or not."""
COUNTED_BYTES = 4 * 2**20
"""Plan reads text up to this size once, so that shards of small data are balanced to one row."""


def resolve(s3: Any, objects: Sequence[InputObject], source: Source) -> Source:
    """Return the source with quoting, escape and header detected from all objects.

    Raises:
        InputError: An object is not text, its fields are separated by another character, or its first row may
            be a header or data.
        SchemaError: Some files begin with a header and others do not.
    """
    if is_resolved(source):
        return source
    fronts = fronts_of(s3, objects, source)
    source = with_dialect(fronts, source)
    check_delimiter(fronts, source)
    return replace(source, header=header_of(fronts, source))


def is_resolved(source: Source) -> bool:
    """Return True if a source leaves nothing to detect."""
    return source.quoting != "auto" and source.escape is not None and source.header != "auto"


def look(s3: Any, input_object: InputObject, source: Source) -> Layout:
    """Read columns and names from the first record; for a small object also the start of each row.

    Raises NoInputError for an object without rows, InputError or SchemaError for one that cannot be read.
    """
    if not input_object.size:
        raise NoInputError(
            f"{input_object.uri} is empty", remedy="Remove it, or upload it with at least one row."
        )
    source = resolve(s3, [input_object], source)
    compression, dialect = compression_of(input_object, source.compression), dialect_of(input_object, source)
    packed = compression != "none"
    chunks = decompressed(s3, input_object, compression) if packed else _growing(s3, input_object)
    text, complete = _front(chunks, dialect, input_object, packed or input_object.size <= COUNTED_BYTES)
    refuse_other_kind(text, input_object, "text of fields", inside=compression)
    schema, data_start = _schema(text, dialect, source, input_object)
    notes = _notes(text[data_start : data_start + FIRST_LOOK], dialect, schema)
    if not complete:
        return Layout(schema=schema, start=0, stop=input_object.size, whole=packed, notes=notes)
    dialect = replace(dialect, one_column=schema.width == 1)
    after_mark = len(BOM) if not data_start and text.startswith(BOM) else data_start
    cuts = after_mark + record_starts(text[after_mark:], dialect)
    cuts[:1] -= after_mark - data_start  # the byte order mark belongs to the first row
    if not len(cuts) and b"\r" in text.rstrip() and b"\n" not in text.rstrip():
        raise InputError(
            f"{input_object.uri}: its lines end in carriage returns alone", remedy="Save it with newlines."
        )
    if not len(cuts):
        raise NoInputError(f"{input_object.uri} has a header and no rows", remedy="Remove it, or add rows.")
    if packed:
        return Layout(schema=schema, start=0, stop=len(cuts), records=len(cuts), notes=notes)
    return Layout(
        schema=schema, start=data_start, stop=input_object.size, records=len(cuts), row_cuts=cuts, notes=notes
    )


def read(s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block | Table]:
    """Read the records that begin in the bytes ``[start, stop)``; of a compressed object those rows, or all.

    Raises InputError naming row and column of a cell that is not a number, SchemaError if the header differs.
    """
    from amazon_estimators.sources.delimited import faults, table  # noqa: PLC0415 - loads the table reader

    if source.quoting == "auto" or source.escape is None:
        source = with_dialect(fronts_of(s3, [piece.source], source), source)
    dialect = replace(dialect_of(piece.source, source), one_column=schema.width == 1)
    compression = compression_of(piece.source, source.compression)
    if compression != "none":
        chunks = without_bom(decompressed(s3, piece.source, compression))
        blocks = _whole_records(s3, chunks, dialect, piece)
    else:
        chunks = _range_of_records(s3, piece, schema, dialect)
        blocks = _whole_records(s3, without_bom(chunks) if piece.start == 0 else chunks, dialect, piece)
    if compression != "none" or piece.start == 0:
        blocks = _without_header(blocks, dialect, schema, source, piece)
    row = piece.first_row or 0
    packed_rows = compression != "none" and piece.first_row is not None
    first, last = (piece.start, piece.stop) if packed_rows else (0, None)
    row = 0 if packed_rows else row
    for records in blocks:
        low, high = max(first - row, 0), None if last is None else max(last - row, 0)
        if schema.rules:
            columns = table.columns_of(records, dialect, schema)
            if columns is None:
                raise faults.fault_of(records.text, dialect, schema, source, piece, row)
            rows = Table(columns, len(next(iter(columns.values())).values))
            row += rows.rows_read
            if (part := rows.part(slice(low, high))).rows_read:
                yield part
        else:
            matrix = table.table_of(records, dialect, schema)
            if matrix is None:
                raise faults.fault_of(records.text, dialect, schema, source, piece, row)
            row += len(matrix)
            if len(matrix[low:high]):
                block = schema.split_used(matrix[low:high])
                yield replace(
                    block, written_value=partial(_value_at, records.data, dialect, schema, first=low)
                )
        if last is not None and row >= last:
            return


def _notes(text: bytes, dialect: Dialect, schema: Schema) -> tuple[str, ...]:
    """Describe what looks odd in the first rows: text where numbers are read, a column that counts rows."""
    rows = [record.fields for record in islice(walk(text, dialect), NUMBERED) if record.ended]
    rows = [fields for fields in rows if len(fields) == schema.width]
    number = number_pattern(dialect.decimal)
    told = []
    for position in schema.numbers:
        texts = [row[position] for row in rows if not number.fullmatch(row[position])]
        if words := [text for text in texts if not is_missing(text)]:
            told.append(
                f"{schema.column(position)} holds text where numbers are read, such as {_shown(words[0])}"
            )
    return (*told[:MOST_NOTES], *_counting(rows, schema))


def _shown(text: bytes) -> str:
    return repr(text[:LONGEST_SHOWN].decode("utf-8", "replace"))


def _counting(rows: list[list[bytes]], schema: Schema) -> tuple[str, ...]:
    """A first column that counts rows may be an index: the file does not say so."""
    if schema.width < 2 or 0 not in schema.used or schema.label == 0 or 0 in schema.words:
        return ()
    cells = [row[0] for row in rows]
    first = cells[0] if cells else b""
    if len(cells) < NUMBERED or first not in (b"0", b"1"):
        return ()
    if cells != [b"%d" % number for number in range(int(first), int(first) + NUMBERED)]:
        return ()
    return (f"{schema.column(0)} counts rows from {first.decode()}: if it is an index, set exclude=[0]",)


def _value_at(
    text: bytes, dialect: Dialect, schema: Schema, row: int, feature: int | None, *, first: int
) -> Any:
    """Return the number as written in row ``row`` of a block that begins with the record ``first``."""
    record = next(islice(walk(text, dialect), first + row, None))
    text = record.fields[schema.position(feature)]
    value = value_of(text, dialect.decimal)
    return float32.written(text.strip().replace(dialect.decimal, b".").decode()) if isinf(value) else value


def _growing(s3: Any, input_object: InputObject) -> Iterator[bytes]:
    at, size = 0, FIRST_LOOK if input_object.size > COUNTED_BYTES else COUNTED_BYTES
    while at < input_object.size:
        chunk = read_range(s3, input_object, at, min(at + size, input_object.size))
        yield chunk
        at, size = at + len(chunk), min(2 * size, BLOCK_BYTES)


def _front(
    chunks: Iterator[bytes], dialect: Dialect, input_object: InputObject, count: bool
) -> tuple[bytes, bool]:
    """Return the text up to at least the first record's end, and True if it is the whole object.

    Reads all of a small object if ``count`` is set."""
    text = bytearray()
    for chunk in chunks:
        text += chunk
        if len(text) > LINE_LIMIT + FIRST_LOOK or not count or len(text) > COUNTED_BYTES:
            if record_end(bytes(text), 0, dialect) is not None:
                return bytes(text), False
            if len(text) > LINE_LIMIT:
                raise too_long(Piece(input_object, 0, input_object.size))
    return bytes(text), True


def _schema(text: bytes, dialect: Dialect, source: Source, input_object: InputObject) -> tuple[Schema, int]:
    """Return the schema and the offset of the first row."""
    skip = len(BOM) if text.startswith(BOM) else 0
    record = next(walk(text, dialect, skip), None)
    if record is None or not text[skip:].strip():
        raise NoInputError(
            f"{input_object.uri} is empty", remedy="Remove it, or upload it with at least one row."
        )
    if record.problem or record.unclosed:
        raise InputError(
            f"{input_object.uri}, first line: {record.problem or 'a quote that is never closed'}",
            remedy="Quote whole fields only, and write a quote in one twice.",
        )
    if len(record.fields) > COLUMN_LIMIT:
        raise SchemaError(
            f"{input_object.uri} has {len(record.fields)} columns; allowed in CSV: {COLUMN_LIMIT}",
            remedy="Upload wide data as .npy, or as sparse rows: libsvm, or SciPy's CSR.",
        )
    if source.header == "absent":
        width = len(record.fields)
        return Schema.of(source, width=width, names=None, where=input_object.uri), 0
    try:
        names = tuple(field.decode().strip() for field in record.fields)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{input_object.uri}: its header is not UTF-8: {error}", remedy="Save it as UTF-8."
        ) from error
    # pandas and R leave the header of row names empty; pandas does so for each level of its index.
    unnamed = next((at for at, name in enumerate(names) if name), 0)
    index = tuple(range(unnamed))
    return Schema.of(source, width=len(names), names=names, where=input_object.uri, index=index), record.stop


def _without_header(
    blocks: Iterator[Records], dialect: Dialect, schema: Schema, source: Source, piece: Piece
) -> Iterator[Records]:
    """Yield the blocks without the header they begin with. Raises SchemaError if it is not the schema's."""
    block = next(blocks, Records(b"", 0, True))
    first, plain_quotes = block.text, block.plain_quotes
    del block  # do not hold it, nor the first records, while the rest is read
    if schema.names is not None or source.header == "present":
        record = next(walk(first, replace(dialect, one_column=False)), None)
        names = tuple(field.decode("utf-8", "replace").strip() for field in record.fields) if record else ()
        if record and schema.names is not None and names != schema.names:
            raise SchemaError(
                f"{piece.source.uri} has columns {', '.join(names[:20])}; "
                f"expected {', '.join(schema.names[:20])}",
                remedy="Give all files of a channel the same columns in the same order.",
            )
        first = first[record.stop :] if record else b""
    if first and not first.isspace():
        yield Records(first, len(first), plain_quotes)
    del first
    yield from blocks


def _whole_records(s3: Any, chunks: Iterator[bytes], dialect: Dialect, piece: Piece) -> Iterator[Records]:
    """Yield blocks of whole records from text that begins with a record."""
    rest = b""
    for chunk in chunks:
        text = rest + chunk
        del chunk  # it is copied
        end, plain_quotes = last_record_end(text, dialect)
        if dialect.one_column:
            end = _filled(text, end)
        if end and rest and (record_end(text, 0, dialect) or 0) > LINE_LIMIT:
            raise too_long(piece)
        rest = text[end:]
        if end:
            yield Records(text, end, plain_quotes)
        if len(rest) > LINE_LIMIT and not rest.isspace():
            raise too_long(piece)
    if rest and (not rest.isspace() or (dialect.one_column and _more_follows(s3, piece))):
        yield Records(rest, len(rest), well_quoted(rest, dialect))


def _filled(text: bytes, end: int) -> int:
    """Return the end of the last line before ``end`` that is not blank: the object may end in blank lines."""
    filled = len(text[:end].rstrip(b"\r\n"))
    return text.index(b"\n", filled) + 1 if filled else 0


def _more_follows(s3: Any, piece: Piece) -> bool:
    """Return True if more than blank lines follow the piece: then its last blank lines are missing values."""
    input_object = piece.source
    return any(
        not chunk.isspace()
        for chunk in read_ahead(s3, input_object, piece.stop, input_object.size, chunk=FIRST_LOOK)
    )


def _range_of_records(s3: Any, piece: Piece, schema: Schema, dialect: Dialect) -> Iterator[bytes]:
    """Read from the first record that begins at or after ``start`` to the first at or after ``stop``.

    The end of a piece and the start of the next follow from the same rule and the same bytes, so every record
    is in exactly one piece. Each piece is read as whole records: if a boundary were wrong, the piece would
    not parse.
    """
    start, stop, front = piece.start, piece.stop, b""
    if piece.first_row is None and stop < piece.source.size:
        stop, _ = _record_at_or_after(s3, piece, stop, schema, dialect)
    if piece.first_row is None and start > 0:
        start, front = _record_at_or_after(s3, piece, start, schema, dialect)
    if start > stop:
        raise _not_told(piece, piece.start)
    front = front[: stop - start]
    start += len(front)
    if front:
        yield front
    del front  # do not hold it while the rest is read
    yield from read_ahead(s3, piece.source, start, stop, chunk=BLOCK_BYTES)


def _record_at_or_after(
    s3: Any, piece: Piece, place: int, schema: Schema, dialect: Dialect
) -> tuple[int, bytes]:
    """Return the start of the first record at or after byte ``place`` (the object's end if there is none),
    and the text read from there."""
    input_object = piece.source
    base = max(0, place - LOOKBACK)
    if base <= len(BOM):
        base = 0  # the file begins here, perhaps with a byte order mark
    length = min(LINE_LIMIT + LOOKBACK, input_object.size - base)
    held = bytearray()

    def window(size: int) -> bytes:
        held.extend(b"".join(read_ahead(s3, input_object, base + len(held), base + size, chunk=BLOCK_BYTES)))
        return bytes(held)

    final = base + length == input_object.size
    if base == 0:
        start = _known_start(window(length), place, dialect)
    else:
        try:
            start = first_record(window, length, place - base, schema, dialect, final=final)
        except AmbiguousError:
            raise _not_told(piece, place) from None
    if start is None and not final:
        raise too_long(piece)
    return (input_object.size, b"") if start is None else (base + start, bytes(memoryview(held)[start:]))


def _not_told(piece: Piece, place: int) -> InputError:
    return InputError(
        f"{piece.source.uri}: cannot tell from the next {LINE_LIMIT // 2**20} MiB whether "
        f"byte {place} is inside a quoted field",
        remedy="If no quoted field holds a newline, set quoted_newlines=False in the Source; else "
        "upload the data as Parquet, or compressed in files of one shard each.",
    )


def _known_start(window: bytes, place: int, dialect: Dialect) -> int | None:
    """Return what first_record returns, in a window that begins with the file: nothing is in doubt there."""
    at: int | None = len(BOM) if window.startswith(BOM) else 0
    while at is not None and at < place:
        at = record_end(window, at, dialect)
    return at
