"""Encode one shard, from ranged reads to one S3 object, in memory bounded by a block."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

from amazon_estimators.encodings import Encoding, encoding_named
from amazon_estimators.encodings.contract import PlannedChannel
from amazon_estimators.errors import InputError, NoInputError
from amazon_estimators.logs import note
from amazon_estimators.pipeline.group_profiles import leave_group_profile
from amazon_estimators.pipeline.receipts import Receipt
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.pipeline.shard_profiles import leave_profile
from amazon_estimators.prefetch import ahead
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.sources import Layout, Piece
from amazon_estimators.sources.schema import check_schema
from amazon_estimators.storage.multipart_upload import PART_BYTES, Uploads

LOOKS_AHEAD = 16
PARTS_SENT_AT_ONCE = 3


def encode_shard(s3: Any, plan: Plan, offset: int, length: int, *, ends: float = inf) -> Receipt:
    """Encode the shard whose line in pieces.jsonl is at ``offset``; leave its profile, then its receipt.

    Depends on the plan alone: repeated, it writes the same bytes to the same key. Raises InputError naming
    object, row and column, ObjectChangedError if an object is not the one Plan saw, SchemaError naming an
    object that differs from the others. ``ends`` is the moment of ``time.monotonic`` at which Lambda ends the
    function.
    """
    channel, index, pieces = plan.read_shard(s3, offset, length)
    planned = plan.channels[channel]
    encoding = encoding_named(planned.encoding)
    with Uploads(s3, plan.bucket, part_bytes=PART_BYTES, threads=PARTS_SENT_AT_ONCE) as uploads:
        shard = uploads.open(plan.shard_key(channel, index), planned.content_type)
        builder = ProfileBuilder()
        facts = encoding.encode(s3, shard, located(s3, pieces, planned, encoding), planned, builder)
        stored = shard.result()
    note(channel=channel, records=facts.records, dropped=facts.dropped, bytes=stored.size)
    leave_profile(s3, plan, channel, index, builder, shard_sha256=stored.sha256)
    receipt = Receipt(index, stored.size, stored.sha256, stored.etag, facts)
    receipt.leave(s3, plan.bucket, plan.prefix, channel)
    leave_group_profile(s3, plan, channel, receipt, ends=ends)
    return receipt


def located(s3: Any, pieces: list[Piece], planned: PlannedChannel, encoding: Encoding) -> Iterator[Piece]:
    """Yield the pieces as their format cuts them. For objects that Plan did not inspect, only byte ranges
    were known."""
    if planned.looked:
        yield from pieces
        return

    def locate(piece: Piece) -> Piece | None:
        try:
            layout = encoding.look(s3, piece.source, planned.source)
        except NoInputError:
            return None  # a part without rows, as Spark writes them, adds nothing
        except InputError as error:
            raise type(error)(
                f"{error.message} ({planned.example} is as expected)", remedy=error.remedy
            ) from error
        check_schema(planned.schema, planned.example, layout.schema, piece.source.uri)
        return share_of(layout, piece)

    for located in ahead(locate, pieces, width=LOOKS_AHEAD):
        if located is not None:
            yield located


def share_of(layout: Layout, piece: Piece) -> Piece | None:
    """Turn the bytes ``[start, stop)`` of an object into cuts of its layout, with each record in exactly one
    share.

    If rows are counted, they are divided in proportion: of 10 rows in 1,000 bytes, bytes 0 to 250 are rows 0
    and 1, and bytes 250 to 1,000 are rows 2 to 9. An object that cannot be cut belongs to the share with its
    first byte.
    """
    found, size = piece.source, piece.source.size
    if layout.records is not None:
        first, last = (layout.records * cut // size for cut in (piece.start, piece.stop))
        return Piece(found, layout.cut(first), layout.cut(last), first_row=first) if first < last else None
    if layout.whole:
        return Piece(found, layout.start, layout.stop) if piece.start == 0 else None
    start, stop = (max(cut, layout.start) for cut in (piece.start, piece.stop))
    return Piece(found, start, stop) if start < stop else None
