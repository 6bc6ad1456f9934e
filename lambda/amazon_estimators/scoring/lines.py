"""Find the line of each shard in pieces.jsonl."""

from __future__ import annotations

from typing import Any

from amazon_estimators.pipeline.keys import pieces_key
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.storage.s3 import read_object


def lines_of_shards(s3: Any, plan: Plan) -> list[tuple[int, int]]:
    """Return offset and length of each line of pieces.jsonl; a shard has one."""
    found, offset = [], 0
    for line in read_object(s3, plan.bucket, pieces_key(plan.prefix)).splitlines(keepends=True):
        found.append((offset, len(line.rstrip(b"\n"))))
        offset += len(line)
    return found
