"""Delimited text to a float32 matrix, through the table reader; and what is wrong with text that is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from amazon_estimators.errors import InputError
from amazon_estimators.sources.arrow_values import values_of
from amazon_estimators.sources.delimited.quoting import Dialect, walk, well_quoted
from amazon_estimators.sources.delimited.record_start import NUMBER
from amazon_estimators.sources.float32 import COUNTED_BELOW_HEADER as COUNTED
from amazon_estimators.sources.layout import Piece
from amazon_estimators.sources.schema import Schema

STEP_BYTES = 2**20
"""Text converted at a time: a step's columns stay in the processor's cache until they are rows."""
STEP_BYTES_A_COLUMN = 4096


def table_of(text: bytes, dialect: Dialect, schema: Schema) -> np.ndarray | None:
    """Whole records as float32, shape (rows, columns used); None if something in them is wrong."""
    quoted = b'"' in text
    if b"\r" in text and text.count(b"\r") != text.count(b"\r\n"):
        return None
    if quoted and not well_quoted(text, dialect):
        return None
    names = [str(position) for position in range(schema.width)]
    used = [names[position] for position in schema.used]
    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(used, pa.float32()),
        include_columns=used,
        null_values=[""],
        true_values=[],
        false_values=[],
        check_utf8=False,
    )
    parse = csv.ParseOptions(
        delimiter=dialect.delimiter.decode(),
        quote_char='"' if quoted else False,
        newlines_in_values=quoted and dialect.quoted_newlines,
    )
    step = max(STEP_BYTES, STEP_BYTES_A_COLUMN * schema.width)
    for block_size in (step, len(text) + 1):
        read = csv.ReadOptions(use_threads=False, column_names=names, block_size=block_size)
        try:
            table = csv.read_csv(pa.BufferReader(text), read, parse, convert)
        except pa.ArrowInvalid as error:
            if "straddling" in str(error):  # a record longer than a step
                continue
            return None
        if any(column.null_count for column in table.columns):
            return None
        return matrix(table)
    return None


def matrix(table: Any) -> np.ndarray:
    """The columns of a table of float32 without nulls as rows, shape (rows, columns)."""
    out = np.empty((table.num_rows, table.num_columns), np.float32)
    row = 0
    for batch in table.to_batches():
        stop = row + batch.num_rows
        for position, column in enumerate(batch.columns):
            out[row:stop, position] = values_of(column)
        row = stop
    return out


def first_fault(text: bytes, dialect: Dialect, schema: Schema, piece: Piece, row: int) -> InputError:
    """The error that names the first bad record or field of ``text``, whose first row is number ``row``."""
    number = row
    for record in walk(text, dialect):
        where = f"{piece.source.uri}, {piece.row(number, text[record.start : record.stop])}"
        problem = record.problem or (record.unclosed and "a quote that is never closed")
        if not dialect.quoted_newlines and any(b"\n" in field for field in record.fields):
            problem = "a newline between quotes, which quoted_newlines=False rules out"
        if problem:
            return InputError(
                f"{where}: {problem}",
                remedy=f'{COUNTED} Quote the whole field and write a quote in it twice: "say ""yes""".',
            )
        fields = len(record.fields)
        if fields != schema.width:
            column = f"{schema.column(fields)} is missing" if fields < schema.width else "a column too many"
            return InputError(
                f"{where}, {column}: {fields} fields where the first row has {schema.width}",
                remedy=f"{COUNTED} Give every row the same fields.",
            )
        for position in schema.used:
            value = record.fields[position]
            if not NUMBER.fullmatch(value):
                shown = f"{value[:80].decode('utf-8', 'replace')!r} is not a number"
                return InputError(
                    f"{where}, {schema.column(position)}: {shown if value.strip() else 'it is empty'}",
                    remedy=f"{COUNTED} Fill it in, encode it as a number, or exclude the column.",
                )
        number += 1
    return InputError(
        f"{piece.source.uri}, rows up to {piece.row(number - 1)}: not readable as a table of numbers",
        remedy=f"{COUNTED} End lines with a newline, or carriage return and newline, and nowhere else; leave "
        "out lines of blanks, and blanks before a quote.",
    )
