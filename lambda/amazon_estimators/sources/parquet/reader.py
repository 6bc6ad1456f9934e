"""Parquet: the footer tells rows and columns; the pages of the chosen columns are read by row group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from amazon_estimators.errors import InputError, NoInputError, SchemaError
from amazon_estimators.sources.blocks import Block
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.parquet.footer import Footer, read_footer
from amazon_estimators.sources.parquet.row_group import ROOM, RowGroup
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import Source
from amazon_estimators.storage.s3 import InputObject


def look(s3: Any, found: InputObject, source: Source) -> Layout:
    """Columns and rows from the footer."""
    footer = read_footer(s3, found)
    if not footer.rows:
        raise NoInputError(
            f"{found.uri} has no rows", remedy="Remove it, or upload it with at least one row."
        )
    schema = Schema.of(
        source, width=len(footer.names), names=footer.names, where=found.uri, index=footer.index
    )
    _check_numeric(footer, schema, found)
    return Layout(schema=schema, start=0, stop=footer.rows, records=footer.rows)


def read(s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block]:
    """Rows ``[start, stop)``. Raises InputError naming row and column of a missing value."""
    found = piece.source
    footer = read_footer(s3, found)
    if footer.names != schema.names:
        raise SchemaError(
            f"{found.uri} has columns {', '.join(footer.names[:20])}; "
            f"expected {', '.join((schema.names or ())[:20])}",
            remedy="Give all files of a channel the same columns in the same order.",
        )
    _check_numeric(footer, schema, found)
    before, room = 0, ROOM
    for number, rows in enumerate(footer.group_rows):
        low, high = max(piece.start - before, 0), min(piece.stop - before, rows)
        if low < high:
            group = RowGroup(s3, found, footer, schema, group=number, before=before, room=room)
            yield from group.rows(low, high)
            room = group.room  # the pages of one file are of one size
        before += rows


def _check_numeric(footer: Footer, schema: Schema, found: InputObject) -> None:
    times = Counter(footer.names)
    for position in schema.used:
        kind, name = footer.types[position], footer.names[position]
        if times[name] > 1:
            raise SchemaError(
                f"{found.uri} has several columns named {name!r}", remedy="Rename all but one of them."
            )
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
            raise InputError(
                f"{found.uri}, {schema.column(position)}: its type is {kind}, which is not numeric",
                remedy="Cast it to double, encode it as a number, or exclude the column.",
            )
