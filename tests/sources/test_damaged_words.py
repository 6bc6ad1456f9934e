"""Parquet with words, bytes of it changed: read, or refused with a typed error; never a crash."""

from __future__ import annotations

import io
import random
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.sources import Piece, Source, format_of
from sources.in_memory_s3 import InMemoryS3

WRITTEN: dict[str, dict[str, Any]] = {
    "dictionaries": {},
    "plain": {"use_dictionary": False},
    "without compression": {"compression": "none"},
    "deltas": {
        "use_dictionary": False,
        "compression": "none",
        "column_encoding": {"city": "DELTA_BYTE_ARRAY", "user": "DELTA_LENGTH_BYTE_ARRAY", "x": "PLAIN"},
    },
    "pages of version 2": {"data_page_version": "2.0", "compression": "zstd"},
}
RULED = Source(
    one_hot={"city": ["Berlin", "Rome"]}, unknown="zeros", hashed={"user": 64}, drop_incomplete=True
)


@pytest.mark.parametrize("kind", WRITTEN)
def test_changed_bytes_are_read_or_refused(kind: str) -> None:
    generator = random.Random(kind)
    table = pa.table(
        {
            "city": [generator.choice(["Berlin", "Rome", None]) for _ in range(300)],
            "user": [f"user {generator.randrange(10**6)}" for _ in range(300)],
            "x": [generator.random() for _ in range(300)],
        }
    )
    file = io.BytesIO()
    parquet.write_table(table, file, **WRITTEN[kind])
    outcomes = set()
    for attempt in range(400):
        body = bytearray(file.getvalue())
        for _ in range(generator.choice([1, 1, 3]) if attempt else 0):
            body[generator.randrange(4, len(body))] = generator.randrange(256)
        s3 = InMemoryS3()
        found = s3.put("a.parquet", bytes(body))
        try:
            _, reader = format_of(found, RULED)
            layout = reader.look(s3, found, RULED)
            piece = Piece(found, 0, layout.stop, 0)
            for block in reader.read(s3, piece, RULED, layout.schema):
                assert block.rows_read
            outcomes.add("read")
        except AmazonEstimatorsError:
            assert attempt, "the file as it was written"
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}
