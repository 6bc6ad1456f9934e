"""Convert delimited text to a float32 matrix through the table reader."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from amazon_estimators.sources.arrow_values import values_of
from amazon_estimators.sources.delimited.dialect import Dialect
from amazon_estimators.sources.delimited.quoting import well_quoted, without_quotes
from amazon_estimators.sources.schema import Schema

STEP_BYTES = 2**20
"""Bytes of text converted at a time: few enough that a step's columns stay in the processor's cache."""
STEP_BYTES_A_COLUMN = 4096


def table_of(
    text: bytes, dialect: Dialect, schema: Schema, *, plain_quotes: bool | None = None
) -> np.ndarray | None:
    """Return whole records as float32, shape (rows, columns used), or None if something in them is wrong.

    ``plain_quotes`` is the result of :func:`well_quoted` for the text, if known.
    """
    if b"\r" in text and text.count(b"\r") != text.count(b"\r\n"):
        return None
    if plain_quotes is None:
        plain_quotes = well_quoted(text, dialect)
    if not plain_quotes:
        plain = without_quotes(text, dialect)
        if plain is None:
            return None
        text = plain
    if dialect.runs:
        text = _one_blank_apart(text)
    quoted = dialect.quotes and not dialect.runs and b'"' in text
    names = [str(position) for position in range(schema.width)]
    used = [names[position] for position in schema.used]
    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(used, pa.float32()),
        include_columns=used,
        null_values=[""],
        true_values=[],
        false_values=[],
        check_utf8=False,
        decimal_point=dialect.decimal.decode(),
    )
    parse = csv.ParseOptions(
        delimiter=dialect.delimiter.decode(),
        quote_char='"' if quoted else False,
        newlines_in_values=quoted and not dialect.newline_ends,
        ignore_empty_lines=not dialect.one_column,
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
    """Return the columns of a float32 table without nulls as a matrix, shape (rows, columns)."""
    out = np.empty((table.num_rows, table.num_columns), np.float32)
    row = 0
    for batch in table.to_batches():
        stop = row + batch.num_rows
        for position, column in enumerate(batch.columns):
            out[row:stop, position] = values_of(column)
        row = stop
    return out


def _one_blank_apart(text: bytes) -> bytes:
    """Return the lines with one blank between fields and none at either end."""
    text = text.replace(b"\t", b" ").replace(b"\r\n", b"\n")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text.replace(b" \n", b"\n").replace(b"\n ", b"\n").removeprefix(b" ").removesuffix(b" ")
