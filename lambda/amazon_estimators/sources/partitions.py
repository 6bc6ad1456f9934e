"""Read ``key=value`` directories, Hive's partitions, as columns that the files do not hold; for every format.

year=2024/part-0.parquet    columns of the file, then year, which is 2024 in all its rows
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from amazon_estimators.errors import InputError, RequestError, SchemaError
from amazon_estimators.sources.blocks import Block, SparseRows
from amazon_estimators.sources.columns.faults import (
    MOST_WORDS,
    ways_with_classes,
    ways_with_gaps,
    ways_with_words,
)
from amazon_estimators.sources.columns.rules import ColumnRules, Key
from amazon_estimators.sources.columns.table import Column, Table
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.numbers import NUMBER, is_missing, value_of
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import Source
from amazon_estimators.storage.input_files import InputFiles
from amazon_estimators.storage.s3 import InputObject

if TYPE_CHECKING:
    from amazon_estimators.sources.contract import Reader

_WHOLE = re.compile(rb"[+-]?\d{1,18}")
NOTHING = "__HIVE_DEFAULT_PARTITION__"
"""The name of a directory for rows without a value: Hive, Spark and Athena write it."""
FOUND_OUT = ("header", "quoting", "escape")
MOST_COMPARED = 4096
"""Objects whose directories are compared, sampled evenly."""


def directories_of(key: str, prefix: str | None) -> dict[str, str]:
    """Return the ``key=value`` directories of a key below the prefix, in order.

    Example:
        >>> directories_of("in/year=2024/city=New%20York/a.csv", "in/")
        {'year': '2024', 'city': 'New York'}
    """
    parts = InputFiles(prefix or "").below(key).split("/")[:-1]
    pairs = (part.partition("=") for part in parts if "=" in part)
    return {unquote(name): unquote(value) for name, _, value in pairs}


def columns_of(input_object: InputObject, source: Source) -> dict[str, str]:
    """Return an object's directories that are columns: all with the option, otherwise those that are
    named."""
    if not source.partitions and not source.columns:
        return {}  # called for a million objects
    directories = directories_of(input_object.key, source.prefix)
    if source.partitions:
        return directories
    return {name: value for name, value in directories.items() if name in source.columns}


class Partitioned:
    """Reads a format, and directories as additional columns."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def resolve(self, s3: Any, objects: Sequence[InputObject], source: Source) -> Source:
        """Detect from the files what the format detects, as if there were no directories."""
        _check_words(objects, source)
        find_out = getattr(self._reader, "resolve", None)
        if find_out is None:
            return source
        columns = columns_of(objects[0], source)
        own = find_out(s3, objects, _own_source(_from_the_end(source, columns), columns))
        try:
            return replace(source, **{name: getattr(own, name) for name in FOUND_OUT})
        except RequestError:
            return source  # a column is named and the file has no header: each look detects it again

    def look(self, s3: Any, input_object: InputObject, source: Source) -> Layout:
        """Read the file's metadata, and add the directories to its columns."""
        columns = columns_of(input_object, source)
        source = _from_the_end(source, columns)
        layout = self._reader.look(s3, input_object, _own_source(source, columns))
        schema = _schema(layout.schema, source, columns, input_object)
        for name in _used(schema):
            _value(input_object, name, columns, schema)
        return replace(layout, schema=schema)

    def read(self, s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block | Table]:
        """Read the rows of the file, and add the directories' values."""
        input_object, own = piece.source, schema.own
        columns = columns_of(input_object, source)
        assert own is not None
        values = {name: _value(input_object, name, columns, schema) for name in _used(schema)}
        own_source = _own_source(_from_the_end(source, columns), columns)
        for block in self._reader.read(s3, piece, own_source, own):
            if schema.rules:
                yield _with_directories(block, schema, own, values)
            else:
                assert isinstance(block, Block)
                yield _joined(block, schema, own, values)


def _from_the_end(source: Source, columns: dict[str, str]) -> Source:
    """Return the source with directory names in place of positions from the end.

    Raises RequestError if the label turns out to be a directory that is left out.
    """

    def named(column: Any) -> Any:
        return list(columns)[column] if isinstance(column, int) and -len(columns) <= column < 0 else column

    label, exclude = named(source.label), tuple(map(named, source.exclude))
    if label != source.label and label in exclude:
        raise RequestError(
            f"Source: label is {source.label}, which is the directory {label}=, and exclude holds it",
            remedy="Directories are columns after those of the file: name the label, or count from 0.",
        )
    return source.with_columns(lambda column: (named(column),), label)


def _own_source(source: Source, columns: dict[str, str]) -> Source:
    """Return the source for the file alone, whose last columns come before the directories."""

    def own(column: Any) -> Any:
        return column + len(columns) if isinstance(column, int) and column < 0 else column

    label = None if source.label in columns else own(source.label)
    of_file = source.with_columns(lambda column: () if column in columns else (own(column),), label)
    return replace(of_file, partitions=False)


def _schema(own: Schema, source: Source, columns: dict[str, str], input_object: InputObject) -> Schema:
    """Return the schema of the file's columns followed by the directories."""
    names = tuple(columns)
    if own.sparse:
        if names != (source.label,):
            raise SchemaError(
                f"{input_object.uri} is sparse, and of its directories {', '.join(names)} only one can be a "
                "column: the label",
                remedy="Leave partitions out, and name the directory of the label in the Source.",
            )
        return replace(own, directories=names, own=own)
    if own.names and (twice := set(own.names) & set(names)):
        raise SchemaError(
            f"{input_object.uri}: {', '.join(sorted(twice))} is a column of the file and a directory too",
            remedy="Rename the column, or leave partitions out of the Source.",
        )
    place = {name: own.width + number for number, name in enumerate(names)}

    def placed(column: Any) -> Any:
        return place.get(column, column)

    source = source.with_columns(lambda column: (placed(column),), placed(source.label))
    schema = Schema.of(
        source,
        width=own.width + len(names),
        names=own.names and (*own.names, *names),
        where=input_object.uri,
        index=own.index,
    )
    return replace(schema, directories=names, own=own)


def _used(schema: Schema) -> list[str]:
    """Return the directories that are features or the label."""
    if schema.sparse or schema.own is None:
        return list(schema.directories)
    first = schema.own.width
    return [schema.directories[column - first] for column in schema.used if column >= first]


def _value(
    input_object: InputObject, name: str, columns: dict[str, str], schema: Schema
) -> float | int | str | None:
    """Return the value of a directory: whole as an integer, so that no label is rounded without notice.

    Of a column of words it is the word; None is a gap.
    """
    text, position = columns.get(name, ""), _position(schema, name)
    if position in schema.words:
        return None if text == NOTHING else text
    if schema.may_lack(position) and _is_gap(text):
        return None
    if _is_gap(text):
        ways = ways_with_gaps([position], schema.rules or ColumnRules(), schema.key, schema.label)
        raise InputError(
            f"{input_object.uri}: its directory {name}={text} stands for no value", remedy=" ".join(ways)
        )
    if not NUMBER.fullmatch(text.encode()):
        raise _not_a_number(
            input_object,
            name,
            text,
            [text],
            schema.rules or ColumnRules(),
            schema.key(position),
            of_label=position == schema.label,
        )
    return int(text) if _WHOLE.fullmatch(text.encode()) else value_of(text.encode())


def _is_gap(text: str) -> bool:
    return text == NOTHING or is_missing(text.encode())


def _check_words(objects: Sequence[InputObject], source: Source) -> None:
    """Raise InputError for a directory that is read as numbers and has words, with those of all objects."""
    words: dict[str, dict[str, InputObject]] = {}
    allowed = {*source.rules.words, *((source.label,) if source.classes else ())}
    for input_object in objects[:: max(1, len(objects) // MOST_COMPARED)]:
        for name, text in columns_of(input_object, source).items():
            read = name in (*(source.features or (name,)), source.label) and name not in source.exclude
            if read and name not in allowed and not _is_gap(text) and not NUMBER.fullmatch(text.encode()):
                words.setdefault(name, {}).setdefault(text, input_object)
    for name, known in words.items():
        text, input_object = next(iter(known.items()))
        few = [*known] if len(known) <= MOST_WORDS else None
        raise _not_a_number(input_object, name, text, few, source.rules, name, of_label=name == source.label)


def _not_a_number(  # noqa: PLR0917 - what the error tells
    input_object: InputObject,
    name: str,
    text: str,
    words: list[str] | None,
    rules: ColumnRules,
    key: Key,
    *,
    of_label: bool,
) -> InputError:
    """Return the error for a directory of words; None for very many."""
    ways = (
        ways_with_classes(rules, words)
        if of_label
        else ways_with_words({0: words}, ColumnRules(), lambda _: key)
    )
    leave_out = "." if of_label else f", or leave this one out: exclude=[{name!r}]."
    return InputError(
        f"{input_object.uri}: its directory {name}={text} is not a number",
        remedy=" ".join([f"Name directories by numbers{leave_out}", *ways]),
    )


def _position(schema: Schema, name: str) -> int:
    """Return the column of a directory; -1 for the label of sparse rows."""
    return -1 if schema.own is None or schema.sparse else schema.own.width + schema.directories.index(name)


def _with_directories(
    block: Block | Table, schema: Schema, own: Schema, values: Mapping[str, float | int | str | None]
) -> Table:
    """Return the columns of the file and those of directories, for the rules to be applied."""
    import numpy as np  # noqa: PLC0415 - the columns of directories are known without it

    columns = dict(block.columns) if isinstance(block, Table) else _columns_of(block, own)
    rows = block.rows_read
    for name, value in values.items():
        position = _position(schema, name)
        if position in schema.words:
            import pyarrow as pa  # noqa: PLC0415 - only words need it

            nothing = pa.array([None] * rows, pa.binary()) if value is None else None
            word = pa.array([str(value).encode()], pa.binary())
            repeated = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), word)
            columns[position] = Column(repeated if nothing is None else nothing, marks=True)
        else:
            gaps = np.ones(rows, bool) if value is None else None
            columns[position] = Column(np.full(rows, 0 if value is None else value), gaps)
    return Table(columns, rows)


def _columns_of(block: Block, own: Schema) -> dict[int, Column]:
    assert not isinstance(block.features, SparseRows)
    columns = {own.position(number): Column(block.features[:, number]) for number in range(own.feature_dim)}
    if own.label is not None and block.labels is not None:
        columns[own.label] = Column(block.labels)
    return columns


def _joined(block: Block, schema: Schema, own: Schema, values: Mapping[str, Any]) -> Block:
    """Return the block with the directories' columns where the schema has them."""
    import numpy as np  # noqa: PLC0415 - not needed to list the columns

    rows, first = len(block.features), own.width
    labels = block.labels
    if schema.sparse or (schema.label is not None and schema.label >= first):
        name = schema.directories[0 if schema.sparse else schema.label - first]  # type: ignore[operator]
        labels = np.full(rows, values[name])
    if isinstance(block.features, SparseRows):
        return Block(block.features, labels, block.written_value)
    mine = {own.position(number): number for number in range(own.feature_dim)}
    wanted = [schema.position(number) for number in range(schema.feature_dim)]
    table = np.empty((rows, len(wanted)), np.float32)
    with np.errstate(over="ignore"):
        for number, column in enumerate(wanted):
            if column >= first:
                table[:, number] = values[schema.directories[column - first]]
            else:
                table[:, number] = block.features[:, mine[column]]

    def written_value(row: int, feature: int | None) -> Any:
        column = schema.position(feature)
        if column >= first:
            return values[schema.directories[column - first]]
        if block.written_value is not None:
            return block.written_value(row, mine.get(column))
        return table[row, feature] if labels is None or feature is not None else labels[row]

    return Block(table, labels, written_value)
