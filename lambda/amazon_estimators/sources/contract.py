"""The functions that each format's module provides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from amazon_estimators.sources.blocks import Block
from amazon_estimators.sources.columns.table import Table
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import Source
from amazon_estimators.storage.s3 import InputObject


class Rows(Protocol):
    """Reads rows as features: a format, with the rules of its columns applied."""

    def look(self, s3: Any, input_object: InputObject, source: Source) -> Layout:
        """Read metadata only. Raises InputError if the object is not of this format."""
        ...

    def read(self, s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block]:
        """Read the rows of a piece in blocks of bounded size."""
        ...


class Reader(Protocol):
    """Defines the functions that each format's module provides.

    If a Source may leave options to be detected from all objects, the module also has a function ``resolve``:
    see :func:`resolve`.
    """

    def look(self, s3: Any, input_object: InputObject, source: Source) -> Layout:
        """Read metadata only. Raises InputError if the object is not of this format."""
        ...

    def read(self, s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block | Table]:
        """Read the rows of a piece in blocks of bounded size.

        If the schema has rules, yields tables of the raw columns, to which :class:`Ruled` applies the rules.
        """
        ...
