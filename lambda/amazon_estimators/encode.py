"""Encode: one shard, from ranged reads to one S3 object, in memory bounded by a block."""

from __future__ import annotations

from typing import Any

import numpy as np

from amazon_estimators.errors import InputError, RecordIOError
from amazon_estimators.plan import Plan, PlannedChannel, read_shard
from amazon_estimators.receipts import LabelRange, Receipt
from amazon_estimators.recordio import write_numpy_to_dense_tensor
from amazon_estimators.s3 import Upload
from amazon_estimators.sources import Block, Piece, format_of


def encode_shard(s3: Any, plan: Plan, offset: int, length: int) -> Receipt:
    """Encode the shard whose line in pieces.jsonl is at ``offset``, and leave its receipt.

    A function of the plan alone: repeated, it writes the same bytes to the same key.
    Raises InputError naming object, row and column, ObjectChangedError if an object is not the one Plan saw.
    """
    channel, index, pieces = read_shard(s3, plan, offset, length)
    planned = plan.channels[channel]
    records, labels = 0, LabelRange()
    with Upload(s3, plan.bucket, plan.shard_key(channel, index), "application/x-recordio-protobuf") as upload:
        for piece in pieces:
            row = piece.first_row
            for block in read_piece(s3, piece, planned):
                records += write_block(upload, block, piece, row)
                labels.add(block.labels)
                row = None if row is None else row + len(block.features)
    receipt = Receipt(
        shard=index,
        records=records,
        num_bytes=upload.size,
        sha256=upload.sha256,
        etag=upload.etag,
        feature_dim=planned.schema.feature_dim,
        labels=labels.summary(),
    )
    receipt.leave(s3, plan.bucket, plan.prefix, channel)
    return receipt


def read_piece(s3: Any, piece: Piece, planned: PlannedChannel) -> Any:
    return format_of(piece.source, planned.source)[1].read(s3, piece, planned.source, planned.schema)


def write_block(upload: Upload, block: Block, piece: Piece, row: int | None) -> int:
    """Append a block as float32 records; returns how many. A value that is not finite names its row and column."""
    with np.errstate(over="ignore"):
        features = block.features.astype(np.float32, copy=False)
        labels = None if block.labels is None else block.labels.astype(np.float32, copy=False)
    try:
        write_numpy_to_dense_tensor(upload, features, labels)
    except RecordIOError as error:
        part = "" if row is not None else f" of the part from byte {piece.start}"
        raise InputError(
            f"{piece.source.uri}, block from row {row or 0}{part}: {error.message}", remedy=error.remedy
        ) from error
    return len(features)
