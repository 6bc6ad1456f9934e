"""The functions that the module of a format provides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from amazon_estimators.sources.blocks import Block
from amazon_estimators.sources.columns.table import Table
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import Source
from amazon_estimators.storage.s3 import InputObject


class Reader(Protocol):
    """Defines what the module of a format provides.

    Where a Source may leave something to be found out over all objects, the module has a function ``resolve``
    too: see :func:`resolve`.
    """

    def look(self, s3: Any, found: InputObject, source: Source) -> Layout:
        """Read metadata only. Raises InputError if the object is not of this format."""
        ...

    def read(self, s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block | Table]:
        """Read the rows of a piece, a bounded block at a time.

        Where the schema has rules, rows are tables of the columns as they are; :class:`Ruled` applies them.
        """
        ...
