"""Parquet: the footer tells rows and columns; the pages of the chosen columns are read by row group."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from amazon_estimators.errors import AmazonEstimatorsError, InputError, SchemaError
from amazon_estimators.s3 import InputObject, read_range
from amazon_estimators.sources.column_file import ColumnFile
from amazon_estimators.sources.source import Block, Layout, Piece, Schema, Source

MAGIC = b"PAR1"
TAIL = len(MAGIC) + 4
FIRST_LOOK = 64 * 2**10
BATCH_BYTES = 2 * 2**20
"""Bytes of float32 features handed on at a time: the pages they come from are held too."""
FOOTER_LIMIT = 32 * 2**20
"""Bytes of the largest footer accepted: it is held while a piece is read."""
WINDOWS = 8 * 2**20
"""Bytes of compressed columns held, over all columns of a row group; as much again is on its way."""
WINDOW_SIZES = (16 * 2**10, 2**20)
PAGE_BYTES = 2**20
"""What writers make a page of, decompressed: one of each column is held."""
PAGES_LIMIT = 128 * 2**20
"""Bytes that one page of every column may take together."""
VALUE_BYTES = 32
"""The most bytes a number takes decompressed, its place in a dictionary and its level included."""


def look(s3: Any, found: InputObject, source: Source) -> Layout:
    """Columns and rows from the footer."""
    metadata = _metadata(s3, found)
    schema = Schema.of(source, width=len(metadata.names), names=metadata.names, where=found.uri)
    _check_numeric(metadata, schema, found)
    if not metadata.rows:
        raise InputError(f"{found.uri} has no rows", remedy="Remove it, or upload it with at least one row.")
    return Layout(schema=schema, start=0, stop=metadata.rows, records=metadata.rows)


def read(s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block]:
    """Rows ``[start, stop)``. Raises InputError naming row and column of a missing value."""
    found = piece.source
    metadata = _metadata(s3, found)
    if metadata.names != schema.names:
        raise SchemaError(
            f"{found.uri} has columns {', '.join(metadata.names[:20])}; "
            f"expected {', '.join((schema.names or ())[:20])}",
            remedy="Give all files of a channel the same columns in the same order.",
        )
    _check_numeric(metadata, schema, found)
    before = 0
    with _damaged(found, "data"):
        for group in range(metadata.footer.num_row_groups):
            rows = metadata.footer.row_group(group).num_rows
            low, high = max(piece.start - before, 0), min(piece.stop - before, rows)
            if low < high:
                yield from _rows_of_group(
                    s3, found, metadata, schema, group, before=before, low=low, high=high
                )
            before += rows


@contextmanager
def _damaged(found: InputObject, what: str) -> Iterator[None]:
    """The reader's own errors as InputErrors."""
    try:
        yield
    except AmazonEstimatorsError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InputError(
            f"{found.uri}: its Parquet {what} cannot be read: {error}",
            remedy="The file is cut off, damaged or encrypted: write it again, plainly.",
        ) from error


class _Metadata:
    """A footer: ``rows``, ``names`` and arrow ``types`` of the top-level columns."""

    def __init__(self, footer: Any) -> None:
        self.footer = footer
        arrow = footer.schema.to_arrow_schema()
        self.rows: int = footer.num_rows
        self.names: tuple[str, ...] = tuple(arrow.names)
        self.types: list[Any] = list(arrow.types)
        groups = range(footer.num_row_groups)
        if self.rows < 0 or self.rows != sum(footer.row_group(group).num_rows for group in groups):
            raise ValueError(f"{self.rows} rows in all, and row groups of another sum")


def _metadata(s3: Any, found: InputObject) -> _Metadata:
    """The footer, read by one or two GETs. Raises InputError for an object that has none."""
    tail = read_range(s3, found, max(0, found.size - FIRST_LOOK), found.size)
    if found.size < len(MAGIC) + TAIL or not tail.endswith(MAGIC):
        raise InputError(
            f"{found.uri} is no whole Parquet file: it does not end in {MAGIC.decode()}",
            remedy="Upload it again. An encrypted footer cannot be read.",
        )
    length = int.from_bytes(tail[-TAIL : -len(MAGIC)], "little") + TAIL
    if length > min(FOOTER_LIMIT, found.size - len(MAGIC)):
        raise InputError(
            f"{found.uri}: its footer claims {length} bytes of {found.size}; allowed: {FOOTER_LIMIT}",
            remedy="Write it again, with larger row groups if it has very many.",
        )
    if length > len(tail):
        tail = read_range(s3, found, found.size - length, found.size - len(tail)) + tail
    with _damaged(found, "footer"):
        return _Metadata(parquet.read_metadata(pa.BufferReader(MAGIC + tail[-length:])))


def _check_numeric(metadata: _Metadata, schema: Schema, found: InputObject) -> None:
    for position in schema.used:
        kind, name = metadata.types[position], metadata.names[position]
        if metadata.names.count(name) > 1:
            raise SchemaError(
                f"{found.uri} has several columns named {name!r}", remedy="Rename all but one of them."
            )
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
            raise InputError(
                f"{found.uri}, {schema.column(position)}: its type is {kind}, which is not numeric",
                remedy="Cast it to double, encode it as a number, or exclude the column.",
            )


def _spans(metadata: _Metadata, schema: Schema, found: InputObject, group: int) -> list[tuple[int, int]]:
    """Byte ranges of the used columns' chunks, checked before anything is read by them."""
    footer = metadata.footer.row_group(group)
    used = {metadata.names[position] for position in schema.used}
    spans, pages = [], 0
    for number in range(footer.num_columns):
        chunk = footer.column(number)
        if chunk.path_in_schema not in used:
            continue
        where = f"{found.uri}: row group {group}, column {chunk.path_in_schema!r}"
        first = chunk.data_page_offset
        if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < first:
            first = chunk.dictionary_page_offset
        stop = first + chunk.total_compressed_size
        unpacked = chunk.total_uncompressed_size
        if not len(MAGIC) <= first < stop <= found.size - TAIL or chunk.num_values != footer.num_rows:
            raise InputError(
                f"{where} claims {chunk.num_values} values of {footer.num_rows} "
                f"in bytes {first} to {stop} of {found.size}",
                remedy="The file is cut off or damaged: write it again.",
            )
        if unpacked > VALUE_BYTES * footer.num_rows + PAGE_BYTES:
            raise InputError(
                f"{where} claims {unpacked} bytes for {footer.num_rows} numbers",
                remedy="The file is damaged: write it again.",
            )
        pages += min(unpacked, PAGE_BYTES)
        spans.append((first, stop))
    if pages > PAGES_LIMIT:
        raise InputError(
            f"{found.uri}: a page of {len(spans)} columns each takes {pages} bytes; allowed: {PAGES_LIMIT}",
            remedy="Write it with smaller row groups or pages, or take fewer columns.",
        )
    return sorted(spans)


def _rows_of_group(  # noqa: PLR0917 - one step of read, told apart for its length
    s3: Any,
    found: InputObject,
    metadata: _Metadata,
    schema: Schema,
    group: int,
    before: int,
    low: int,
    high: int,
) -> Iterator[Block]:
    """Rows ``[low, high)`` of a row group whose first row is number ``before`` of the file."""
    spans = _spans(metadata, schema, found, group)
    smallest, largest = WINDOW_SIZES
    window = max(smallest, min(largest, WINDOWS // len(spans)))
    rows = max(1, BATCH_BYTES // (4 * len(spans)))
    names = [metadata.names[position] for position in schema.used]
    at = 0
    with ColumnFile(s3, found, spans, window) as source:
        file = parquet.ParquetFile(
            pa.PythonFile(source, mode="r"),
            metadata=metadata.footer,
            buffer_size=smallest,
            pre_buffer=False,
            page_checksum_verification=True,
        )
        for batch in file.iter_batches(rows, row_groups=[group], columns=names, use_threads=False):
            first, last = max(low - at, 0), min(high - at, batch.num_rows)
            if first < last:
                part = batch.slice(first, last - first)
                yield _block(part, schema, metadata, found, before + at + first)
            at += batch.num_rows
            if at >= high:
                return
    raise InputError(f"{found.uri}: row group {group} holds {at} rows of {high}", remedy="Write it again.")


def _block(batch: Any, schema: Schema, metadata: _Metadata, found: InputObject, row: int) -> Block:
    columns = {}
    for position in schema.used:
        column = batch.column(batch.schema.get_field_index(metadata.names[position]))
        if column.null_count:
            missing = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
            raise InputError(
                f"{found.uri}, row {row + missing}, {schema.column(position)}: no value",
                remedy="Rows are counted from 0. Fill it in, or exclude the column.",
            )
        columns[position] = column.to_numpy(zero_copy_only=False)
    chosen = schema.features or tuple(
        position for position in range(schema.width) if position != schema.label
    )
    features = np.empty((batch.num_rows, len(chosen)), np.float32)
    with np.errstate(over="ignore"):
        for place, position in enumerate(chosen):
            features[:, place] = columns[position]
    return Block(features, None if schema.label is None else columns[schema.label])
