"""Estimate the bytes of a channel's shards: exactly if records are counted, else from a sample."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from amazon_estimators.encodings import vectors
from amazon_estimators.recordio import encode_dense, encode_sparse
from amazon_estimators.sources import Piece, Schema, Source, format_of

if TYPE_CHECKING:
    from amazon_estimators.pipeline.input_scan import Found

SAMPLE_BYTES = 2**20
COMPRESSED_FACTOR = 4
"""The shards of a compressed object are assumed to be four times as large as it."""


def record_bytes(schema: Schema) -> int:
    """Return the bytes of a float32 record. All dense records of a schema have the same size.

    Of sparse ones made by hashing this is the largest.
    """
    labels = None if schema.label is None else np.zeros(1, np.float32)
    if schema.rules and schema.rules.sparse:
        starts = np.array(schema.recipe.starts)
        last = starts[1:] - 1
        row = (np.ones(len(last), np.float32), last, np.array([0, len(last)]), (1, int(starts[-1])))
        return len(encode_sparse(row, labels))
    return len(encode_dense(np.zeros((1, schema.feature_dim), np.float32), labels))


def output_bytes(s3: Any, found: Found, source: Source, encoding: str) -> int:
    """Return the bytes of all shards of a channel. Rows that may be left out count too."""
    sizes = found.sizes
    size = sum(sizes)
    if encoding != "recordio":
        return size
    schema = found.schema
    largest, layout = found.objects[max(range(len(sizes)), key=sizes.__getitem__)]
    if layout.whole:
        return size * COMPRESSED_FACTOR * _widening(schema)
    if schema.sparse:
        return size  # a value takes about as many bytes in text or CSR as in a record
    if found.records is not None:
        return found.records * record_bytes(schema)
    reader = format_of(largest, source)[1]
    layout = reader.look(s3, largest, source)
    if layout.records is not None:
        return size * layout.records * record_bytes(layout.schema) // largest.size
    stop = min(layout.stop, layout.start + SAMPLE_BYTES)
    sample = Piece(largest, layout.start, stop)
    rows = 0
    for block in reader.read(s3, sample, source, layout.schema):
        if len(block.features):
            place = vectors.Place(sample, layout.schema, rows)
            vectors.write_block(io.BytesIO(), block, place)  # refuses values that Encode would refuse
        rows += block.rows_read
    return size * rows * record_bytes(layout.schema) // (stop - layout.start)


def _widening(schema: Schema) -> int:
    """Return how many dense features a column becomes, on average and at least one."""
    hashed = schema.rules is not None and schema.rules.sparse
    return 1 if hashed or schema.sparse else max(1, schema.feature_dim // schema.feature_columns)
