"""A Parquet file's footer: its rows, columns and types, and where each row group's columns lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from amazon_estimators.errors import AmazonEstimatorsError, InputError
from amazon_estimators.s3 import InputObject, read_range

MAGIC = b"PAR1"
TAIL = len(MAGIC) + 4
FIRST_LOOK = 64 * 2**10
FOOTER_LIMIT = 32 * 2**20
"""Bytes of the largest footer accepted: it is held while a piece is read."""


@contextmanager
def damaged(found: InputObject, what: str) -> Iterator[None]:
    """The reader's own errors as InputErrors."""
    try:
        yield
    except AmazonEstimatorsError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InputError(
            f"{found.uri}: its Parquet {what} cannot be read: {error}",
            remedy="The file is cut off, damaged or encrypted: write it again, plainly.",
        ) from error


class Footer:
    """What the table reader read: ``rows``, ``names`` and arrow ``types`` of the top-level columns."""

    def __init__(self, metadata: Any) -> None:
        self.metadata = metadata
        arrow = metadata.schema.to_arrow_schema()
        self.rows: int = metadata.num_rows
        self.names: tuple[str, ...] = tuple(arrow.names)
        self.types: list[Any] = list(arrow.types)
        groups = range(metadata.num_row_groups)
        if self.rows < 0 or self.rows != sum(metadata.row_group(group).num_rows for group in groups):
            raise ValueError(f"{self.rows} rows in all, and row groups of another sum")


def read_footer(s3: Any, found: InputObject) -> Footer:
    """The footer, by one or two GETs. Raises InputError for an object that has none."""
    tail = read_range(s3, found, max(0, found.size - FIRST_LOOK), found.size)
    if found.size < len(MAGIC) + TAIL or not tail.endswith(MAGIC):
        raise InputError(
            f"{found.uri} is no whole Parquet file: it does not end in {MAGIC.decode()}",
            remedy="Upload it again. An encrypted footer cannot be read.",
        )
    length = int.from_bytes(tail[-TAIL : -len(MAGIC)], "little") + TAIL
    if length > min(FOOTER_LIMIT, found.size - len(MAGIC)):
        raise InputError(
            f"{found.uri}: its footer claims {length} bytes of {found.size}; allowed: {FOOTER_LIMIT}",
            remedy="Write it again, with larger row groups if it has very many.",
        )
    if length > len(tail):
        tail = read_range(s3, found, found.size - length, found.size - len(tail)) + tail
    with damaged(found, "footer"):
        return Footer(parquet.read_metadata(pa.BufferReader(MAGIC + tail[-length:])))
