"""Read a Parquet file's footer: rows, columns and types, and the position of each row group's columns.

The table reader never sees a file's own footer, which can crash the process: a wrong length in unused
statistics is enough. It gets a footer that this module writes from fields it has read and checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from amazon_estimators.errors import AmazonEstimatorsError, InputError
from amazon_estimators.sources.columns.words import holds_words, is_numeric
from amazon_estimators.sources.files.first_bytes import ENOUGH, refuse_other_kind
from amazon_estimators.sources.parquet import thrift
from amazon_estimators.storage.s3 import InputObject, read_range

MAGIC = b"PAR1"
TAIL = len(MAGIC) + 4
FIRST_LOOK = 64 * 2**10
FOOTER_LIMIT = 32 * 2**20
"""Bytes of the largest footer accepted: it stays in memory while a piece is read."""
COLUMN_LIMIT = 2**16
"""Columns of the widest file accepted, including nested ones: the table reader needs 1.5 KB for each."""
SCHEMA_LIMIT = 16 * 2**20
"""Bytes of the largest schema accepted, including Arrow's own: the table reader holds several copies."""
VALUES_LIMIT = 2**20
"""Values of the longest row accepted, including those in lists: each gets a name."""
DEEPEST = 64
"""Levels of the deepest schema accepted: the table reader needs stack space for each."""
VALUE_BYTES = 32
"""The most bytes a number takes decompressed, including its dictionary index and its level."""
PAGE_BYTES = 2**20
"""Bytes, decompressed, that writers put into a page or a dictionary."""
PANDAS = b"pandas"
"""The key under which pandas records which columns are its index."""
INDEX_LEVEL = re.compile(r"__index_level_\d+__")
ARROW_SCHEMA = b"ARROW:schema"
"""The key under which Arrow's writers record types that Parquet does not have."""

# Field numbers as in parquet.thrift of apache/parquet-format.
_VERSION, _SCHEMA, _ROWS, _GROUPS, _KEYS = range(1, 6)
_KEY, _KEY_VALUE = 1, 2
_TYPE, _NAME, _CHILDREN = 1, 4, 5
_CHUNKS, _GROUP_BYTES, _GROUP_ROWS = 1, 2, 3
_FILE_PATH, _FILE_OFFSET, _METADATA = 1, 2, 3
_ENCRYPTED = (8, 9)
_PHYSICAL, _ENCODINGS, _PATH, _CODEC, _VALUES, _UNPACKED, _PACKED, _DATA, _DICTIONARY = (*range(1, 8), 9, 11)
BYTE_ARRAY = 6
"""The physical type of words."""
_WIDTHS = {0: 1, 1: 4, 2: 8, 3: 12, 4: 4, 5: 8, BYTE_ARRAY: 4, 7: 2}
"""The least bytes of a dictionary value by physical type. Booleans have no dictionary."""


def _integers(*numbers: int) -> dict[int, thrift.Reader]:
    return dict.fromkeys(numbers, thrift.integer)


_element = thrift.located(thrift.struct({}, _integers(_TYPE, _CHILDREN)))
_group = thrift.located(thrift.struct(_integers(_GROUP_ROWS)))
_key = thrift.struct({_KEY: thrift.binary}, {_KEY_VALUE: thrift.binary})
_footer = thrift.struct(
    {
        _SCHEMA: thrift.located(thrift.array(_element)),
        _ROWS: thrift.integer,
        _GROUPS: thrift.array(_group),
    },
    {_KEYS: thrift.array(_key)},
)
_chunk = thrift.struct(
    {},
    {
        _FILE_PATH: thrift.binary,
        _METADATA: thrift.struct(
            _integers(_PHYSICAL, _CODEC, _VALUES, _UNPACKED, _PACKED, _DATA), _integers(_DICTIONARY)
        ),
        **dict.fromkeys(_ENCRYPTED, thrift.skipped),
    },
)
_chunks = thrift.struct({_CHUNKS: thrift.array(_chunk)})


@contextmanager
def damaged(input_object: InputObject, what: str) -> Iterator[None]:
    """Turn the reader's own errors into InputErrors."""
    try:
        yield
    except AmazonEstimatorsError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError, LookupError) as error:
        raise InputError(
            f"{input_object.uri}: its Parquet {what} cannot be read: {error}",
            remedy="The file is cut off, damaged or encrypted: write it again, plainly.",
        ) from error


@dataclass(frozen=True, slots=True)
class Chunk:
    """A column of a row group: the bytes ``[start, stop)`` of the file, and their number when
    decompressed."""

    start: int
    stop: int
    unpacked: int
    rows: int
    width: int
    """Bytes of a dictionary value."""
    elements: tuple[bytes, ...]
    """The column's schema elements as they are in the file; a list has more than one."""
    metadata: dict[int, int]

    @property
    def first_page(self) -> int:
        """The byte at which the first page of values claims to start, after the dictionary."""
        return self.metadata[_DATA]

    @property
    def holds_words(self) -> bool:
        """True if values have lengths of their own."""
        return self.metadata[_PHYSICAL] == BYTE_ARRAY


class Footer:
    """``rows``; ``names`` and Arrow ``types`` of the top-level columns; ``group_rows`` of each row group."""

    def __init__(self, input_object: InputObject, data: bytes) -> None:
        fields, _ = _footer(data, 0, thrift.STRUCT)
        self._input_object, self._data = input_object, data
        self.rows: int = fields[_ROWS]
        self._groups = [start for start, _, _ in fields[_GROUPS]]
        self.group_rows: list[int] = [group[_GROUP_ROWS] for _, _, group in fields[_GROUPS]]
        if min(self.group_rows, default=0) < 0 or self.rows != sum(self.group_rows):
            raise ValueError(f"{self.rows} rows in all, but the row groups have a different sum")
        start, stop, elements = fields[_SCHEMA]
        if len(elements) > COLUMN_LIMIT:
            raise InputError(
                f"{input_object.uri} has {len(elements) - 1} columns; allowed: {COLUMN_LIMIT - 1}",
                remedy="Write a table this wide as .npy or RecordIO.",
            )
        self._columns, self._leaves = _top_level(elements)
        keys = [key for key in fields.get(_KEYS, ()) if key[_KEY] == ARROW_SCHEMA][:1]
        schema_bytes = stop - start + sum(len(key.get(_KEY_VALUE, b"")) for key in keys)
        if schema_bytes > SCHEMA_LIMIT:
            raise InputError(
                f"{input_object.uri}: its schema takes {schema_bytes} bytes; allowed: {SCHEMA_LIMIT}",
                remedy="Write it again, with fewer columns or shorter names, and without notes on them.",
            )
        arrow = _table_readers((thrift.LIST, data[start:stop]), keys=keys).schema.to_arrow_schema()
        self.names: tuple[str, ...] = tuple(arrow.names)
        self.types: list[Any] = list(arrow.types)
        self.index = _index(self.names, fields.get(_KEYS, ()))
        if len(self._columns) != len(self.names):
            raise ValueError(f"{len(self._columns)} columns of {len(self.names)} names")
        self.lengths = [_length(kind) for kind in self.types]
        if sum(length or 1 for length in self.lengths) > VALUES_LIMIT:
            raise InputError(
                f"{input_object.uri}: its lists hold {sum(length or 1 for length in self.lengths)} values a "
                f"row; allowed: {VALUES_LIMIT}",
                remedy="Write rows this wide as .npy or RecordIO.",
            )
        self.places: list[tuple[int, int]] = [
            (column, at) for column, length in enumerate(self.lengths) for at in range(length or 1)
        ]
        self.flat_names = tuple(
            self.names[column] if self.lengths[column] is None else f"{self.names[column]}[{at}]"
            for column, at in self.places
        )

    def columns_at(self, positions: Iterable[int]) -> list[int]:
        """Return the file's columns that hold these values of a row, each once."""
        return list(dict.fromkeys(self.places[position][0] for position in positions))

    def chunks(self, group: int, columns: Iterable[int]) -> dict[int, Chunk]:
        """Return the columns of a row group, each checked before anything is read from it."""
        fields, _ = _chunks(self._data, self._groups[group], thrift.STRUCT)
        all_chunks = fields[_CHUNKS]
        if len(all_chunks) != self._leaves:
            raise ValueError(f"row group {group} has {len(all_chunks)} columns of {self._leaves}")
        return {
            column: self._chunk(group, column, all_chunks[self._columns[column].leaf]) for column in columns
        }

    def _chunk(self, group: int, column: int, fields: dict[int, Any]) -> Chunk:
        kind = self._columns[column].kind
        where = f"{self._input_object.uri}: row group {group}, column {self.names[column]!r}"
        rows = self.group_rows[group]
        metadata = fields.get(_METADATA)
        if metadata is None or any(number in fields for number in _ENCRYPTED) or fields.get(_FILE_PATH):
            raise InputError(
                f"{where} is encrypted or lies in another file",
                remedy="Write it again, plainly and in one file.",
            )
        first = metadata[_DATA]
        if 0 < metadata.get(_DICTIONARY, 0) < first:
            first = metadata[_DICTIONARY]
        after, values, unpacked = first + metadata[_PACKED], metadata[_VALUES], metadata[_UNPACKED]
        if (length := self.lengths[column]) is not None and rows <= values <= rows * length:
            rows = values  # a missing list counts as one value
        if not len(MAGIC) <= first < after <= self._input_object.size - TAIL or values != rows:
            raise InputError(
                f"{where} claims {values} values of {rows} in bytes {first} to {after} of "
                f"{self._input_object.size}",
                remedy="The file is cut off or damaged: write it again.",
            )
        most = VALUE_BYTES * rows + PAGE_BYTES + metadata[_PACKED]  # both sizes include page headers
        wrong_size = unpacked < 0 or (unpacked > most and kind != BYTE_ARRAY)
        if wrong_size or metadata[_PHYSICAL] != kind:
            raise InputError(
                f"{where} claims {unpacked} bytes for {rows} numbers of type {kind} or {metadata[_PHYSICAL]}",
                remedy="The file is damaged: write it again.",
            )
        elements = tuple(self._data[start:stop] for start, stop in self._columns[column].spans)
        return Chunk(first, after, unpacked, rows, _WIDTHS[kind], elements, metadata)


def _index(names: Sequence[str], keys: Iterable[dict[int, bytes]]) -> tuple[int, ...]:
    """Return the columns that are pandas' index, by its metadata or by their names."""
    notes = next((key.get(_KEY_VALUE, b"") for key in keys if key[_KEY] == PANDAS), b"{}")
    try:
        known = json.loads(notes)
    except (ValueError, RecursionError):
        known = {}
    listed = known.get("index_columns") if isinstance(known, dict) else None
    index = {name for name in listed if isinstance(name, str)} if isinstance(listed, list) else set()
    return tuple(at for at, name in enumerate(names) if name in index or INDEX_LEVEL.fullmatch(name))


def _length(kind: Any) -> int | None:
    """Return the length of a fixed-size list of numbers; None for other columns."""
    if not pa.types.is_fixed_size_list(kind) or kind.list_size < 1 or not is_numeric(kind.value_type):
        return None
    return int(kind.list_size)


def may_be_words(kind: Any) -> bool:
    """Return True for what a column that is one_hot or hashed may hold: words or numbers, or categories."""
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return holds_words(kind) or is_numeric(value)


def footer_of(chunks: Sequence[Chunk], rows: int) -> Any:
    """Return a footer for the table reader: one row group with these columns, in this order."""
    root = thrift.written(
        {_NAME: thrift.of_binary(b"schema"), _CHILDREN: thrift.of_integer(len(chunks), thrift.I32)}
    )
    schema = thrift.of_list([root, *(element for chunk in chunks for element in chunk.elements)])
    columns = thrift.of_list([_written(chunk) for chunk in chunks])
    group = {_CHUNKS: columns, _GROUP_BYTES: thrift.of_integer(0), _GROUP_ROWS: thrift.of_integer(rows)}
    return _table_readers(schema, rows=rows, groups=[thrift.written(group)])


def _written(chunk: Chunk) -> bytes:
    kinds = {_PHYSICAL: thrift.I32, _CODEC: thrift.I32}
    metadata = {
        number: thrift.of_integer(value, kinds.get(number, thrift.I64))
        for number, value in chunk.metadata.items()
    }
    metadata[_ENCODINGS] = thrift.of_list([], thrift.I32)
    metadata[_PATH] = thrift.of_list([], thrift.BINARY)
    return thrift.written(
        {_FILE_OFFSET: thrift.of_integer(0), _METADATA: (thrift.STRUCT, thrift.written(metadata))}
    )


def _table_readers(
    schema: tuple[int, bytes],
    *,
    rows: int = 0,
    groups: Sequence[bytes] = (),
    keys: Sequence[dict[int, bytes]] = (),
) -> Any:
    fields = {
        _VERSION: thrift.of_integer(2, thrift.I32),
        _SCHEMA: schema,
        _ROWS: thrift.of_integer(rows),
        _GROUPS: thrift.of_list(groups),
        _KEYS: thrift.of_list(
            [thrift.written({number: thrift.of_binary(text) for number, text in key.items()}) for key in keys]
        ),
    }
    footer = thrift.written(fields)
    return parquet.read_metadata(
        pa.BufferReader(b"".join([MAGIC, footer, len(footer).to_bytes(4, "little"), MAGIC]))
    )


@dataclass(frozen=True, slots=True)
class TopLevel:
    """A child of the schema's root: its first leaf, and where the child and its descendants are in the
    footer."""

    leaf: int
    spans: tuple[tuple[int, int], ...]
    kind: int
    """The physical type; for a nested column, that of its first leaf."""


def _top_level(elements: Sequence[Any]) -> tuple[list[TopLevel], int]:
    """Return the children of the root, and the number of leaves."""
    columns: list[TopLevel] = []
    pending: list[int] = [elements[0][2].get(_CHILDREN, 0)]  # children not yet read, from the root down
    leaves = 0
    for start, stop, fields in elements[1:]:
        while pending and not pending[-1]:
            pending.pop()
        if not pending:
            raise ValueError("a schema with more columns than it counts")
        if len(pending) == 1:
            columns.append(TopLevel(leaves, ((start, stop),), fields.get(_TYPE, -1)))
        else:
            # For a nested column: all of its schema elements, and the type of its first leaf.
            column = columns[-1]
            kind = fields.get(_TYPE, -1) if column.kind < 0 else column.kind
            columns[-1] = replace(column, spans=(*column.spans, (start, stop)), kind=kind)
        pending[-1] -= 1
        children = fields.get(_CHILDREN, 0)
        if children:
            pending.append(children)
            if children < 0 or len(pending) > DEEPEST:
                raise ValueError(f"a schema of {len(pending)} levels, the last of {children} columns")
        elif _TYPE in fields:
            leaves += 1
    if any(pending):
        raise ValueError("a schema with fewer columns than it counts")
    return columns, leaves


def read_footer(s3: Any, input_object: InputObject) -> Footer:
    """Read the footer with one or two GETs. Raises InputError for an object that has none."""
    tail = read_range(s3, input_object, max(0, input_object.size - FIRST_LOOK), input_object.size)
    if input_object.size < len(MAGIC) + TAIL or not tail.endswith(MAGIC):
        head = read_range(s3, input_object, 0, min(input_object.size, ENOUGH))
        if not head.startswith(MAGIC):
            refuse_other_kind(head, input_object, "Parquet")
        raise InputError(
            f"{input_object.uri} is not a complete Parquet file: it does not end in {MAGIC.decode()}",
            remedy="It is cut off: upload it again.",
        )
    length = int.from_bytes(tail[-TAIL : -len(MAGIC)], "little") + TAIL
    if length > min(FOOTER_LIMIT, input_object.size - len(MAGIC)):
        raise InputError(
            f"{input_object.uri}: its footer claims {length} bytes of {input_object.size}; "
            f"allowed: {FOOTER_LIMIT}",
            remedy="Write it again, with larger row groups if it has very many.",
        )
    if length > len(tail):
        tail = read_range(s3, input_object, input_object.size - length, input_object.size - len(tail)) + tail
    with damaged(input_object, "footer"):
        return Footer(input_object, tail[-length:-TAIL])
