"""Estimate the bytes of a channel's shards: exactly if records are counted, else from a sample."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from amazon_estimators.encodings import vectors
from amazon_estimators.recordio import encode_dense
from amazon_estimators.sources import Piece, Schema, Source, format_of

if TYPE_CHECKING:
    from amazon_estimators.pipeline.input_scan import Found

SAMPLE_BYTES = 2**20
COMPRESSED_FACTOR = 4
"""The shards of a compressed object are assumed to be four times as large as it."""


def record_bytes(schema: Schema) -> int:
    """Return the bytes of one dense float32 record. All records of a schema have the same size."""
    labels = None if schema.label is None else np.zeros(1, np.float32)
    return len(encode_dense(np.zeros((1, schema.feature_dim), np.float32), labels))


def output_bytes(s3: Any, found: Found, source: Source, encoding: str) -> int:
    """Return the bytes of all shards of a channel."""
    sizes = found.sizes
    size = sum(sizes)
    if encoding != "recordio":
        return size
    largest, layout = found.objects[max(range(len(sizes)), key=sizes.__getitem__)]
    if layout.whole:
        return size * COMPRESSED_FACTOR
    if found.schema.sparse:
        return size  # a value takes about as many bytes as text or in CSR as it does in a record
    if found.records is not None:
        return found.records * record_bytes(found.schema)
    reader = format_of(largest, source)[1]
    layout = reader.look(s3, largest, source)
    if layout.records is not None:
        return size * layout.records * record_bytes(layout.schema) // largest.size
    stop = min(layout.stop, layout.start + SAMPLE_BYTES)
    sample = Piece(largest, layout.start, stop)
    written = io.BytesIO()
    for block in reader.read(s3, sample, source, layout.schema):
        vectors.write_block(written, block, vectors.Place(sample, layout.schema, 0))
    return size * written.tell() // (stop - layout.start)
