"""Read a format and apply the rules of its columns: gaps, words and ids become features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from amazon_estimators.sources.blocks import Block
from amazon_estimators.sources.columns.table import Table
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import Source
from amazon_estimators.storage.s3 import InputObject

if TYPE_CHECKING:
    from amazon_estimators.sources.contract import Reader


class Ruled:
    """Reads a format whose module yields tables where the schema has rules."""

    def __init__(self, reader: Reader, *, below_header: bool) -> None:
        """``below_header`` is True if rows are counted without a header."""
        self._reader, self._below_header = reader, below_header

    def resolve(self, s3: Any, objects: Sequence[InputObject], source: Source) -> Source:
        """Find out of the files what the format finds out."""
        find_out = getattr(self._reader, "resolve", None)
        resolved: Source = source if find_out is None else find_out(s3, objects, source)
        return resolved

    def look(self, s3: Any, input_object: InputObject, source: Source) -> Layout:
        """Read metadata only."""
        return self._reader.look(s3, input_object, source)

    def read(self, s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block]:
        """Read the rows of a piece as features. Raises InputError for what no rule makes numbers of."""
        from amazon_estimators.sources import float32  # noqa: PLC0415 - NumPy
        from amazon_estimators.sources.columns.apply import blocks_of  # noqa: PLC0415 - NumPy
        from amazon_estimators.sources.columns.faults import ColumnFaultsError  # noqa: PLC0415

        def where(at: int) -> str:
            return f"{piece.source.uri}, {piece.row(row + at)}"

        row = piece.first_row or 0
        for table in self._reader.read(s3, piece, source, schema):
            assert isinstance(table, Table)
            try:
                yield from blocks_of(table, schema.recipe)
            except ColumnFaultsError as faults:
                raise faults.explained(
                    schema.recipe,
                    where=where,
                    column=schema.column,
                    key=schema.key,
                    counted=float32.COUNTED_BELOW_HEADER if self._below_header else float32.COUNTED,
                ) from None
            row += table.rows_read
