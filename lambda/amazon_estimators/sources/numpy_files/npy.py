"""Read NumPy's .npy. The header has shape and type, so any range of rows is a byte range."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amazon_estimators.errors import InputError, ObjectChangedError, SchemaError
from amazon_estimators.sources.blocks import Block
from amazon_estimators.sources.columns.table import Column, Table
from amazon_estimators.sources.files.first_bytes import ENOUGH, refuse_other_kind
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.numpy_files.stored_array import MAGIC, ObjectView, StoredArray, open_array
from amazon_estimators.sources.schema import Schema, check_listed
from amazon_estimators.sources.source import BLOCK_BYTES, Source
from amazon_estimators.storage.s3 import InputObject


def look(s3: Any, input_object: InputObject, source: Source) -> Layout:
    """Read shape and dtype from the header and check them against the object's size."""
    array = _open(s3, input_object)
    schema = Schema.of(source, width=array.width, names=None, where=input_object.uri)
    for position in schema.words:
        check_listed(schema, int(position), input_object.uri)
    return Layout(schema=schema, start=0, stop=array.shape[0], records=array.shape[0])


def read(s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block | Table]:
    """Read the rows ``[start, stop)`` of the array."""
    array = _open(s3, piece.source)
    if array.width != schema.width:
        raise SchemaError(
            f"{piece.source.uri} has {array.width} columns; expected {schema.width}",
            remedy="Give all files of a channel the same columns in the same order.",
        )
    at_once = max(1, BLOCK_BYTES // (array.width * max(array.dtype.itemsize, 4)))
    for table in array.rows(piece.start, piece.stop, at_once):
        if schema.rules:
            yield Table({position: Column(table[:, position]) for position in schema.used}, len(table))
        else:
            yield schema.split(table)


def _open(s3: Any, input_object: InputObject) -> StoredArray:
    view = ObjectView(s3, input_object)
    try:
        array = open_array(view)
    except ObjectChangedError:
        raise
    except InputError:
        head = view.read(0, min(input_object.size, ENOUGH))
        if not head.startswith(MAGIC):
            refuse_other_kind(head, input_object, "a NumPy array")
        raise
    if len(array.shape) != 2 or not array.width:
        raise InputError(
            f"{input_object.uri}: its shape is {array.shape}; allowed: two dimensions, rows and columns",
            remedy="Reshape it to (rows, columns).",
        )
    return array
