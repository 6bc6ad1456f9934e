"""Read the columns of the input that stand beside the predictions, row by row as Encode read the features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from amazon_estimators.encodings import encoding_named
from amazon_estimators.errors import InputError, PredictionsError
from amazon_estimators.pipeline.encode import located
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.scoring.kept_values import joined, plain_values, typed_values
from amazon_estimators.scoring.keys import CHANNEL
from amazon_estimators.scoring.lines import lines_of_shards
from amazon_estimators.scoring.tables import Kept
from amazon_estimators.sources import Piece, Schema, Source, format_of
from amazon_estimators.sources.columns.table import Column, Table
from amazon_estimators.sources.formats import FORMATS, formats_with
from amazon_estimators.sources.parquet.as_stored import read_stored, stored_types
from amazon_estimators.sources.partitions import columns_of
from amazon_estimators.sources.readers import reader_of

ANY_TEXT = 1
"""A column that is hashed, to however many features, may hold any text: so kept columns are read."""


def check_kept(s3: Any, plan: Plan, keep: Sequence[int | str]) -> None:
    """Raise unless the first object has the columns, and they can be read.

    Raises:
        SchemaError: It has no such column.
        InputError: Its format has no columns, or one holds what is neither text nor numbers.
    """
    if not keep:
        return
    source = _source(plan.channels[CHANNEL].source, keep)
    if _stored_types(s3, plan, source) is None:
        _schema(s3, _first(s3, plan), source)


def read_kept(
    s3: Any, plan: Plan, keep: Sequence[int | str], offset: int, length: int, *, typed: bool = False
) -> Iterator[Mapping[str, Kept]]:
    """Yield the kept columns of a shard by name, some rows at a time, in the order of its records.

    Args:
        s3: A client.
        plan: The plan of the rows.
        keep: The columns.
        offset, length: The shard's line in pieces.jsonl.
        typed: Yield Arrow arrays, each of one type in all shards; else lists of plain values.
    """
    channel, _, pieces = plan.read_shard(s3, offset, length)
    planned = plan.channels[channel]
    source = _source(planned.source, keep)
    types = _stored_types(s3, plan, source) if typed else None
    schema: Schema | None = None
    for piece in located(s3, pieces, planned, encoding_named(planned.encoding)):
        if _is_stored(piece, source):
            for stored in read_stored(s3, piece, source, types):
                yield stored if typed else {name: plain_values(array) for name, array in stored.items()}
            continue
        schema = schema or _schema(s3, piece, source)
        for table in reader_of(piece.source, source).read(s3, piece, source, schema):
            assert isinstance(table, Table)
            columns = {_name(schema, at): table.columns[at] for at in schema.recipe.features}
            kept = {name: _values(column, table.rows_read) for name, column in columns.items()}
            yield {name: typed_values(kept[name], columns[name].values) for name in kept} if typed else kept


class Rows:
    """Hands out the rows of blocks of any size, as many at a time as are asked for."""

    def __init__(self, blocks: Iterator[Mapping[str, Kept]]) -> None:
        self._blocks = blocks
        self._held: dict[str, Kept] = {}

    def take(self, count: int) -> dict[str, Kept]:
        """Return the next rows. Raises PredictionsError if there are fewer."""
        while self._rows < count:
            block = next(self._blocks, None)
            if block is None:
                raise PredictionsError("the input has fewer rows than there are predictions")
            self._held = {name: joined(self._held.get(name), values) for name, values in block.items()}
        taken = {name: values[:count] for name, values in self._held.items()}
        self._held = {name: values[count:] for name, values in self._held.items()}
        return taken

    @property
    def _rows(self) -> int:
        return len(next(iter(self._held.values()), ()))

    def check_end(self) -> None:
        """Raise PredictionsError if there are more rows."""
        if self._rows or any(len(next(iter(block.values()), ())) for block in self._blocks):
            raise PredictionsError("the input has more rows than there are predictions")


def _first(s3: Any, plan: Plan) -> Piece:
    """Return the first piece of the rows: all kept columns have the types that its object has."""
    offset, length = lines_of_shards(s3, plan)[0]
    _, _, pieces = plan.read_shard(s3, offset, length)
    return pieces[0]


def _is_stored(piece: Piece, source: Source) -> bool:
    """Return True if an object has types of its own: Parquet, unless some columns stand in its key."""
    if columns_of(piece.source, source):
        return False
    return format_of(piece.source, replace(source, hashed=()))[0] == "parquet"


def _stored_types(s3: Any, plan: Plan, source: Source) -> Mapping[str, Any] | None:
    """Return the types of the kept columns by name; None for a format that stores none."""
    piece = _first(s3, plan)
    return stored_types(s3, piece.source, source) if _is_stored(piece, source) else None


def _source(source: Source, keep: Sequence[int | str]) -> Source:
    """Return a Source of the kept columns alone, whatever they hold."""
    return replace(
        source,
        features=tuple(keep),
        exclude=(),
        fill=(),
        one_hot=(),
        unknown="refuse",
        scale=(),
        hashed=tuple((column, ANY_TEXT) for column in keep),
    )


def _schema(s3: Any, piece: Piece, source: Source) -> Schema:
    """Return the columns of an object, of which only the kept ones are used."""
    name = format_of(piece.source, replace(source, hashed=()))[0]
    if "fill" not in FORMATS[name].options:
        raise InputError(
            f"{piece.source.uri}: format {name!r} has no columns to keep",
            remedy=f"Leave keep out; it is for {', '.join(formats_with('fill'))}.",
        )
    schema = reader_of(piece.source, source).look(s3, piece.source, source).schema
    if schema.sparse and schema.rules is None:
        raise InputError(
            f"{piece.source.uri} is a sparse matrix, which has no columns to keep", remedy="Leave keep out."
        )
    return schema


def _name(schema: Schema, position: int) -> str:
    """Return the name of a kept column in the predictions."""
    return schema.names[position] if schema.names and schema.names[position] else f"column_{position}"


def _values(column: Column, rows: int) -> Kept:
    """Return the values of a column: texts as they stand in the input, numbers, None for a gap."""
    if column.word is not None:
        return [_text(column.word(row)) for row in range(rows)]
    if not isinstance(column.values, np.ndarray):
        return [_text(value) for value in column.values.to_pylist()]
    values: Kept = column.values.tolist()
    if column.gaps is not None:
        values = [None if gap else value for value, gap in zip(values, column.gaps.tolist(), strict=True)]
    return values


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
