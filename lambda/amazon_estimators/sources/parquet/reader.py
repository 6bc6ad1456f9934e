"""Read Parquet: rows and columns from the footer, then the pages of the chosen columns, by row group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise
from typing import Any

import pyarrow as pa

from amazon_estimators.errors import InputError, NoInputError, SchemaError
from amazon_estimators.sources.blocks import Block
from amazon_estimators.sources.columns.faults import ways_with_classes, ways_with_gaps, ways_with_words
from amazon_estimators.sources.columns.rules import ColumnRules
from amazon_estimators.sources.columns.table import Table
from amazon_estimators.sources.columns.words import holds_words, is_numeric
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.parquet.footer import Footer, damaged, may_be_words, read_footer
from amazon_estimators.sources.parquet.row_group import ROOM, RowGroup
from amazon_estimators.sources.parquet.ruled_row_group import RuledRowGroup
from amazon_estimators.sources.parquet.small_groups import GroupSpan, fetched_ahead
from amazon_estimators.sources.schema import Schema, check_listed, without
from amazon_estimators.sources.source import Source
from amazon_estimators.storage.s3 import InputObject

MOST_SHOWN = 8
"""Columns that an error names; it counts the rest."""


def look(s3: Any, input_object: InputObject, source: Source) -> Layout:
    """Read columns and rows from the footer."""
    footer = read_footer(s3, input_object)
    if not footer.rows:
        raise NoInputError(
            f"{input_object.uri} has no rows", remedy="Remove it, or upload it with at least one row."
        )
    schema = Schema.of(
        with_lists(footer, source),
        width=len(footer.places),
        names=footer.flat_names,
        where=input_object.uri,
        index=tuple(at for at, (column, _) in enumerate(footer.places) if column in footer.index),
    )
    _check_numeric(footer, schema, source, input_object)
    return Layout(schema=schema, start=0, stop=footer.rows, records=footer.rows)


def read(s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block | Table]:
    """Read the rows ``[start, stop)``. Raises InputError naming row and column of a missing value."""
    input_object = piece.source
    footer = read_footer(s3, input_object)
    if footer.flat_names != schema.names:
        raise SchemaError(
            f"{input_object.uri} has columns {', '.join(footer.flat_names[:20])}; "
            f"expected {', '.join((schema.names or ())[:20])}",
            remedy="Give all files of a channel the same columns in the same order.",
        )
    _check_numeric(footer, schema, source, input_object)
    kind = RuledRowGroup if schema.rules else RowGroup
    return read_groups(s3, piece, footer, schema, kind)


def read_groups(
    s3: Any, piece: Piece, footer: Footer, schema: Schema, kind: type[RowGroup]
) -> Iterator[Block | Table]:
    """Read the rows ``[start, stop)`` with a ``kind`` of row group for each that holds some of them."""
    input_object = piece.source
    starts = list(accumulate(footer.group_rows, initial=0))
    groups = [
        number
        for number, (first, last) in enumerate(pairwise(starts))
        if max(piece.start, first) < min(piece.stop, last)
    ]
    room = ROOM
    for span, client in fetched_ahead(s3, input_object, _spans(input_object, footer, schema, groups)):
        before = starts[span.group]
        low, high = max(piece.start - before, 0), min(piece.stop - before, footer.group_rows[span.group])
        group = kind(client, input_object, footer, schema, span, before=before, room=room)
        yield from group.rows(low, high)
        room = group.room  # the pages of a file have the same size


def _spans(
    input_object: InputObject, footer: Footer, schema: Schema, groups: Iterable[int]
) -> Iterator[GroupSpan]:
    columns = footer.columns_at(schema.used)
    for group in groups:
        with damaged(input_object, "footer"):
            span = GroupSpan(group, footer.chunks(group, columns))
        yield span


def _check_numeric(footer: Footer, schema: Schema, source: Source, input_object: InputObject) -> None:
    """Raise an error that names all used columns without numbers, with a remedy for each kind."""
    times = Counter(footer.names)
    columns_used = footer.columns_at(schema.used)
    names = dict.fromkeys(footer.names[column] for column in columns_used)
    if twice := [name for name in names if times[name] > 1]:
        raise SchemaError(
            f"{input_object.uri} has several columns named {', '.join(map(repr, twice))}",
            remedy="Rename all but one of each.",
        )
    wrong = {
        column: kind
        for column in columns_used
        if footer.lengths[column] is None and not is_numeric(kind := footer.types[column])
    }
    for position in schema.words:
        column, _ = footer.places[position]
        kind = footer.types[column]
        if may_be_words(kind) or (pa.types.is_null(kind) and schema.may_lack(position)):
            wrong.pop(column, None)
        if may_be_words(kind) and not holds_words(kind):
            check_listed(schema, position, input_object.uri)
    for position in schema.numbers:
        column, _ = footer.places[position]
        if pa.types.is_null(footer.types[column]) and schema.may_lack(position):
            wrong.pop(column, None)
    if not wrong:
        return
    columns = [
        f"column {column} ({footer.names[column]!r}): its type is {kind}" for column, kind in wrong.items()
    ]
    more = f"; and {len(columns) - MOST_SHOWN:,} more columns" if len(columns) > MOST_SHOWN else ""
    positions = [at for at, (column, _) in enumerate(footer.places) if column in wrong]
    words = {
        at: None
        for at in positions
        if may_be_words(footer.types[footer.places[at][0]]) and at != schema.label
    }
    ways = dict.fromkeys(
        _way_out(kind) for kind in wrong.values() if not may_be_words(kind) and not pa.types.is_null(kind)
    )
    ways |= dict.fromkeys(_ways_of_nothing(footer, schema, positions))
    ways |= dict.fromkeys(ways_with_words(words, schema.rules or ColumnRules(), schema.key))
    if schema.label in positions:
        ways |= dict.fromkeys(_ways_of_label(footer, schema))
    raise InputError(
        f"{input_object.uri}, {'; '.join(columns[:MOST_SHOWN])}{more}, which is not numeric",
        remedy=" ".join(filter(None, (*ways, without(schema, source, positions)))),
    )


def _ways_of_nothing(footer: Footer, schema: Schema, positions: list[int]) -> list[str]:
    """Return the fix for columns without any value, of which the file does not tell a type."""
    nothing = [at for at in positions if pa.types.is_null(footer.types[footer.places[at][0]])]
    if not nothing:
        return []
    ways = ways_with_gaps(nothing, schema.rules or ColumnRules(), schema.key, schema.label)
    return ["A column without any value has no type.", *ways]


def _ways_of_label(footer: Footer, schema: Schema) -> list[str]:
    assert schema.label is not None
    if may_be_words(footer.types[footer.places[schema.label][0]]):
        return ways_with_classes(schema.rules or ColumnRules(), None)
    return []


def with_lists(footer: Footer, source: Source) -> Source:
    """Return the source with all values of a list wherever it names the list."""

    lists = {name: length for name, length in zip(footer.names, footer.lengths, strict=True) if length}

    def expanded(column: int | str) -> list[int | str]:
        values = lists.get(column, 0) if isinstance(column, str) else 0
        return [f"{column}[{at}]" for at in range(values)] or [column]

    return source.with_columns(expanded, source.label) if lists else source


def _way_out(kind: Any) -> str:
    """Return the remedy for a column whose type is not numeric."""
    types = pa.types
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return (
            "Give all lists one length, pyarrow.list_(pyarrow.float32(), length), for as many features; "
            "or write them as an array beside the others, numpy.savez(path, x=numpy.stack(frame[name]), "
            "y=…), or give each of their values a column."
        )
    if types.is_struct(kind):
        return "Take the values out of the struct; of a vector of Spark by vector_to_array."
    if types.is_temporal(kind):
        return "Take numbers out of dates, such as the weekday or days since a day (docs/tables.md)."
    if types.is_decimal(kind):
        return "Cast decimals to double."
    return "Cast the column to numbers, or to strings (docs/tables.md)."
