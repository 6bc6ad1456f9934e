"""Read RecordIO-protobuf as a source, checked as strictly as the records that the pipeline writes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from amazon_estimators.errors import InputError, RecordIOError, SchemaError
from amazon_estimators.recordio.consistency import Channel
from amazon_estimators.recordio.record_blocks import Block as Records
from amazon_estimators.recordio.record_blocks import read_blocks
from amazon_estimators.recordio.wire import FRAME_BYTES, MAGIC, padded
from amazon_estimators.sources.blocks import Block, SparseRows
from amazon_estimators.sources.files.chunk_file import ChunkFile
from amazon_estimators.sources.files.first_bytes import refuse_other_kind
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import Source
from amazon_estimators.storage.s3 import InputObject, read_ahead, read_range

FIRST_LOOK = 64 * 2**10
RECORD_LIMIT = 32 * 2**20
"""Bytes of the longest record accepted."""
COUNTED_BYTES = 4 * 2**20
"""Plan reads files up to this size once, so that shards of small data are balanced to one record."""
READ_BYTES = 2**20


def look(s3: Any, input_object: InputObject, source: Source) -> Layout:
    """Read form and number of features from the first record. Return record starts if sizes are equal or the
    file is small.

    Records of equal size are counted by that size. With other records, a file too large to read here is one
    piece.
    """
    if source.label is not None or source.features is not None or source.exclude:
        raise SchemaError(
            f"{input_object.uri} is RecordIO-protobuf: its records already separate features and label",
            remedy="Leave label, features and exclude out of the Source; keep_labels=False drops the labels.",
        )
    start = read_range(
        s3,
        input_object,
        0,
        min(input_object.size, max(FIRST_LOOK, COUNTED_BYTES * (input_object.size <= COUNTED_BYTES))),
    )
    size = _first_size(start, input_object)
    if size > len(start):
        start += read_range(s3, input_object, len(start), size)
    channel = Channel(allow_nonfinite=True)
    for block in read_blocks(io.BytesIO(start[:size]), input_object.uri):
        channel.admit(block, input_object.uri)
    if not channel.feature_dim:
        raise InputError(
            f"{input_object.uri}: its first record has no features", remedy="Write it again with features."
        )
    sparse = channel.kind is not None and channel.kind.sparse
    schema = Schema(width=channel.feature_dim, names=None, features=None, label=None, sparse=sparse)
    frames = _starts(start)
    if input_object.size == len(start):
        return Layout(
            schema=schema, start=0, stop=input_object.size, records=len(frames), row_cuts=np.array(frames)
        )
    if not sparse and input_object.size % size == 0 and frames == list(range(0, len(frames) * size, size)):
        rows = range(0, input_object.size, size)
        return Layout(schema=schema, start=0, stop=input_object.size, records=len(rows), row_cuts=rows)
    return Layout(schema=schema, start=0, stop=input_object.size, whole=True)


def read(s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block]:
    """Read the records in the bytes ``[start, stop)``, which hold whole records. Raises RecordIOError."""
    input_object = piece.source
    name = input_object.uri + (f" from byte {piece.start}" if piece.start else "")
    file = ChunkFile(read_ahead(s3, input_object, piece.start, piece.stop, chunk=READ_BYTES))
    channel = Channel(allow_nonfinite=True)
    try:
        for block in read_blocks(file, name):
            channel.admit(block, name)
            sparse = block.kind.sparse
            if channel.feature_dim != schema.width or sparse != schema.sparse:
                raise SchemaError(
                    f"{name} has {channel.feature_dim} {_form(sparse)} features; "
                    f"expected {schema.width} {_form(schema.sparse)} ones",
                    remedy="Give all files of a channel the same features in the same form.",
                )
            if channel.label_dim > 1:
                raise RecordIOError(
                    f"it has {channel.label_dim} labels; allowed: one", file=name, record=block.number
                )
            yield _block(block, schema, keep_labels=source.keep_labels)
    except RecordIOError as error:
        if piece.start and error.record == 0:
            raise InputError(
                f"{name}: {error.reason}; it was cut there because its first records are all of one size",
                remedy="Write all records with the same size, or files of one shard each, which are not cut.",
            ) from error
        raise


def _block(records: Records, schema: Schema, *, keep_labels: bool) -> Block:
    """Return a copy of the block: the reader's blocks are views of a window that moves on."""
    values = records.flat_values().copy()
    labels = np.array(records.labels).reshape(-1) if records.kind.label_tensor else None
    if not keep_labels:
        labels = None
    if not records.kind.sparse:
        return Block(values.reshape(-1, schema.width), labels)
    counts = np.broadcast_to(records.counts, len(records.offsets))
    indptr = np.concatenate(([0], np.cumsum(counts)))
    return Block(SparseRows(values, records.keys.astype(np.int64), indptr, schema.width), labels)


def _first_size(start: bytes, input_object: InputObject) -> int:
    """Return the size of the first record with its frame, checked before the record is read."""
    if len(start) < FRAME_BYTES or int.from_bytes(start[:4], "little") != MAGIC:
        refuse_other_kind(start, input_object, "RecordIO-protobuf")
        raise InputError(
            f"{input_object.uri} is {'no RecordIO file' if start else 'empty'}: it lacks the magic number in "
            "front",
            remedy="Upload RecordIO-protobuf, or name the channel's format in its Source.",
        )
    size = FRAME_BYTES + padded(int.from_bytes(start[4:8], "little"))
    if size > min(RECORD_LIMIT, input_object.size):
        raise InputError(
            f"{input_object.uri}: its first record claims {size} bytes of {input_object.size}; "
            f"allowed: {RECORD_LIMIT}",
            remedy="The file is cut off or damaged: write it again.",
        )
    return size


def _starts(data: bytes) -> list[int]:
    """Return the start positions of the records that ``data`` contains completely."""
    starts, at = [], 0
    while at + FRAME_BYTES <= len(data):
        size = FRAME_BYTES + padded(int.from_bytes(data[at + 4 : at + 8], "little"))
        if at + size > len(data):
            break
        starts.append(at)
        at += size
    return starts


def _form(sparse: bool) -> str:
    return "sparse" if sparse else "dense"
