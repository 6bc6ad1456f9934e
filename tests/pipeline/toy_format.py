"""A format of the tests: a line for a row, fields separated by a semicolon, a first line of names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from amazon_estimators.sources import Block, Layout, Piece, Schema, Source
from amazon_estimators.storage.s3 import InputObject, read_range


def look(s3: Any, found: InputObject, source: Source) -> Layout:
    names, *rows = _lines(s3, found)
    schema = Schema.of(source, width=len(names), names=tuple(names), where=found.uri)
    return Layout(schema=schema, start=0, stop=len(rows), records=len(rows))


def read(s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block]:
    _, *rows = _lines(s3, piece.source)
    yield schema.split(np.array(rows[piece.start : piece.stop], np.float32))


def _lines(s3: Any, found: InputObject) -> list[list[str]]:
    text = read_range(s3, found, 0, found.size).decode()
    return [line.split(";") for line in text.splitlines()]
