"""Encode a shard: of a training, or of rows to predict, of which each stays."""

from __future__ import annotations

from math import inf
from typing import Any

from amazon_estimators.pipeline.encode import encode_shard
from amazon_estimators.pipeline.receipts import Receipt
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.scoring.keys import CHANNEL
from amazon_estimators.sources.gaps import every_row_stays


def encode(s3: Any, plan: Plan, offset: int, length: int, *, ends: float = inf) -> Receipt:
    """Encode a shard as :func:`encode_shard` does; about rows to predict, an error does not advise to leave
    them out."""
    if CHANNEL not in plan.channels:
        return encode_shard(s3, plan, offset, length, ends=ends)
    with every_row_stays():
        return encode_shard(s3, plan, offset, length, ends=ends)
