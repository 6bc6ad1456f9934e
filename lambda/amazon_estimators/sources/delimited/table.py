"""Convert delimited text to a float32 matrix through the table reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute, csv

from amazon_estimators.sources.arrow_values import truths, values_of
from amazon_estimators.sources.columns.table import Column
from amazon_estimators.sources.delimited.dialect import Dialect
from amazon_estimators.sources.delimited.quoting import Records, walk, without_quotes
from amazon_estimators.sources.numbers import spellings
from amazon_estimators.sources.schema import Schema

STEP_BYTES = 2**20
"""Bytes of text converted at a time: few enough that a step's columns stay in the processor's cache."""
STEP_BYTES_A_COLUMN = 4096


def table_of(records: Records, dialect: Dialect, schema: Schema) -> np.ndarray | None:
    """Return records as float32, shape (rows, columns used), or None if something in them is wrong."""
    table = _read(records, dialect, schema, dict.fromkeys(schema.used, pa.float32()))
    if table is None or any(column.null_count for column in table.columns):
        return None
    return matrix(table)


def columns_of(records: Records, dialect: Dialect, schema: Schema) -> dict[int, Column] | None:
    """Return records as columns, words and gaps included, or None if something in them is wrong."""
    if dialect.runs and schema.words and b'"' in (text := records.text):
        return _columns(_walked(text, dialect, schema), dialect, schema) or None
    for lenient in (False, True):
        types = {position: _type(position, schema, lenient=lenient) for position in schema.used}
        table = _read(records, dialect, schema, types)
        if table is not None:
            arrays = dict(zip(schema.used, map(_one_array, table.columns), strict=True))
            return _columns(arrays, dialect, schema)
    return None


def _type(position: int, schema: Schema, *, lenient: bool) -> Any:
    """Return the type to read a column as; ``lenient`` if the table reader takes gaps for faults."""
    if position in schema.words or (lenient and schema.may_lack(position)):
        return pa.binary()
    # What is scaled is rounded once, after that.
    return pa.float64() if position in dict(schema.recipe.rules.scale) else pa.float32()


def _columns(arrays: Mapping[int, Any], dialect: Dialect, schema: Schema) -> dict[int, Column] | None:
    columns = {}
    for position, array in arrays.items():
        if position in schema.words:
            columns[position] = Column(array, marks=True)
            continue
        try:
            numbers = _numbers(array, dialect) if array.type == pa.binary() else array
        except pa.ArrowInvalid:
            return None
        if numbers.null_count and not schema.may_lack(position):
            return None
        gaps = truths(numbers.is_null()) if numbers.null_count else None
        columns[position] = Column(values_of(numbers.fill_null(0) if numbers.null_count else numbers), gaps)
    return columns


def _numbers(words: Any, dialect: Dialect) -> Any:
    """Return the numbers that words stand for, with null for marks of gaps, blanks around them or not."""
    texts = compute.ascii_trim(words.view(pa.string()), " \t\r\n")
    marks = pa.array([mark.decode() for mark in spellings()])
    gap = compute.or_(
        compute.is_in(texts, value_set=marks),
        compute.match_substring_regex(texts, r"^[+-]?nan(\(\w*\))?$", ignore_case=True),
    )
    if dialect.decimal != b".":
        texts = compute.replace_substring(texts, dialect.decimal.decode(), ".")
    return compute.if_else(gap, None, texts).cast(pa.float64())


def _walked(text: bytes, dialect: Dialect, schema: Schema) -> dict[int, Any]:
    """Return columns of words where fields may stand between quotes and are parted by runs of blanks."""
    rows = [record.fields for record in walk(text, dialect)]
    if any(len(row) != schema.width for row in rows):
        return {}
    return {position: pa.array([row[position] for row in rows], pa.binary()) for position in schema.used}


def _one_array(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _read(records: Records, dialect: Dialect, schema: Schema, types: Mapping[int, Any]) -> Any:
    """Return an Arrow table of the columns that are used, or None if something in the text is wrong.

    A word of a column of numbers that marks a gap is null where the column may have gaps.
    """
    text, stop, plain_quotes = records
    if text.find(b"\r", 0, stop) >= 0 and text.count(b"\r", 0, stop) != text.count(b"\r\n", 0, stop):
        return None
    if not plain_quotes:
        words = bool(schema.words)
        plain = without_quotes(records.text, dialect, keep_words=words)
        if plain is None:
            return None
        text, stop = plain, len(plain)
        dialect = replace(dialect, quotes=dialect.quotes or words, escape=b"")
    if dialect.runs:
        text = _one_blank_apart(text[:stop])
        stop = len(text)
    quoted = dialect.quotes and not dialect.runs and text.find(b'"', 0, stop) >= 0
    names = [str(position) for position in range(schema.width)]
    used = [names[position] for position in schema.used]
    gaps = any(schema.may_lack(position) for position in schema.used if position not in schema.words)
    convert = csv.ConvertOptions(
        column_types={str(position): kind for position, kind in types.items()},
        include_columns=used,
        null_values=[mark.decode() for mark in spellings()] if gaps else [""],
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
    for block_size in (step, stop + 1):
        read = csv.ReadOptions(use_threads=False, column_names=names, block_size=block_size)
        try:
            return csv.read_csv(pa.BufferReader(memoryview(text)[:stop]), read, parse, convert)
        except pa.ArrowInvalid as error:
            if "straddling" in str(error):  # a record longer than a step
                continue
            return None
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
