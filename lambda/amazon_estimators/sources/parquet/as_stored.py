"""Read columns of a Parquet file as they are stored: dates, decimals and truth values keep Arrow's types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from amazon_estimators.errors import InputError
from amazon_estimators.sources.columns.table import Column, Table
from amazon_estimators.sources.columns.words import column_of, holds_words
from amazon_estimators.sources.layout import Piece
from amazon_estimators.sources.parquet.footer import Footer, damaged, read_footer
from amazon_estimators.sources.parquet.reader import read_groups, with_lists
from amazon_estimators.sources.parquet.row_group import RowGroup
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import Source
from amazon_estimators.storage.s3 import InputObject


def stored_types(s3: Any, input_object: InputObject, source: Source) -> dict[str, Any]:
    """Return the Arrow types of the columns that ``source`` names as features, in its order.

    Raises:
        SchemaError: There is no such column.
        InputError: A column holds lists, structs or nothing at all.
    """
    footer = read_footer(s3, input_object)
    return _types(footer, _schema(footer, source, input_object), input_object)


def read_stored(
    s3: Any, piece: Piece, source: Source, types: Mapping[str, Any] | None
) -> Iterator[Mapping[str, Any]]:
    """Yield the columns by name, as Arrow arrays of some rows at a time.

    Args:
        s3: A client.
        piece: The rows.
        source: The columns, as its features.
        types: The types by name, cast without loss. None for those of the file.

    Raises:
        InputError: A column has another type, and a value does not fit.
    """
    footer = read_footer(s3, piece.source)
    schema = _schema(footer, source, piece.source)
    names = dict(zip(schema.features or (), _types(footer, schema, piece.source), strict=True))
    for table in read_groups(s3, piece, footer, schema, _StoredRowGroup):
        assert isinstance(table, Table)
        arrays = {name: table.columns[at].values for at, name in names.items()}
        if types is not None:
            arrays = {name: _cast(array, types[name], name, piece) for name, array in arrays.items()}
        yield arrays


class _StoredRowGroup(RowGroup):
    """Yields tables of Arrow arrays. All columns are read at once: they are a few."""

    def _blocks(self, low: int, high: int) -> Iterator[Table]:
        for _, arrays in self._batches(self._schema.used, low, high):
            columns = {at: self._stored(arrays, at) for at in self._schema.used}
            yield Table(columns, len(next(iter(columns.values())).values))

    def _stored(self, arrays: Mapping[int, Any], position: int) -> Column:
        number, at = self._footer.places[position]
        array, kind = arrays[number], _value_type(self._footer.types[number])
        if not isinstance(array, pa.Array):  # lists of one length: each of their values is a column
            return Column(pa.array(array[:, at], kind.value_type))
        with damaged(self._input_object, "data"):
            if holds_words(array.type):
                array = column_of(array).values  # with the indices of its dictionary checked
            return Column(array.cast(kind))


def _schema(footer: Footer, source: Source, input_object: InputObject) -> Schema:
    source = with_lists(footer, source)
    return Schema.of(source, width=len(footer.places), names=footer.flat_names, where=input_object.uri)


def _types(footer: Footer, schema: Schema, input_object: InputObject) -> dict[str, Any]:
    types = {}
    for position in schema.features or ():
        number, _ = footer.places[position]
        kind = _value_type(footer.types[number])
        kind = kind if footer.lengths[number] is None else kind.value_type
        if pa.types.is_nested(kind) or pa.types.is_null(kind):
            raise InputError(
                f"{input_object.uri}, column {footer.names[number]!r}: its type is {kind}; allowed: numbers, "
                "text, truth values, dates, times and decimals",
                remedy="Give the column one of these types, or leave it out of keep.",
            )
        types[footer.flat_names[position]] = kind
    return types


def _value_type(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _cast(array: Any, kind: Any, name: str, piece: Piece) -> Any:
    try:
        return array.cast(kind)
    except pa.ArrowException as error:
        raise InputError(
            f"{piece.source.uri}, column {name!r}: its type is {array.type}, and {kind} in the first file: "
            f"{str(error)[:200]}",
            remedy="Give the column one type in all files.",
        ) from error
