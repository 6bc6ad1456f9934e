"""Seal the RecordSet of the rows, and list the shards to score."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from amazon_estimators.logs import note
from amazon_estimators.pipeline.channel_profile import add_up_profiles
from amazon_estimators.pipeline.seal import Sealed, publish, seal
from amazon_estimators.pipeline.shard_plan import JSON_LINES, Plan
from amazon_estimators.scoring.keys import CHANNEL, parts_key
from amazon_estimators.scoring.lines import lines_of_shards
from amazon_estimators.storage.s3 import put_text


def seal_scoring(s3: Any, planned: Mapping[str, Any]) -> dict[str, Any]:
    """Verify all shards, publish the RecordSet, and list the shards that hold rows.

    Returns:
        The manifest's URI, the number of rows and of parts, and the key of the list.

    Raises:
        RecordSetError: A shard is missing, or is not what was recorded.
    """
    plan = Plan.load(s3, planned["bucket"], planned["prefix"])
    sealed = seal(s3, plan, instance_count=1)
    rows = sealed[CHANNEL]
    profile = add_up_profiles(s3, plan, CHANNEL, rows.receipts, counts_words=False)
    publish(s3, plan, sealed, {CHANNEL: profile})
    key = parts_key(plan.prefix, planned["attempt"])
    items = _items(s3, plan, rows)
    put_text(s3, plan.bucket, key, "".join(json.dumps(item) + "\n" for item in items), JSON_LINES)
    note(record_set=plan.fingerprint, rows=rows.record_set.num_records, parts=len(items))
    return {
        "record_set": rows.record_set.s3_data,
        "rows": rows.record_set.num_records,
        "parts": len(items),
        "parts_key": key,
    }


def _items(s3: Any, plan: Plan, rows: Sealed) -> list[dict[str, int]]:
    """Return an item for each shard with rows: its number, its rows, its line in pieces.jsonl."""
    lines = lines_of_shards(s3, plan)
    items = []
    for receipt in rows.receipts:
        offset, length = lines[receipt.shard]
        items.append(
            {"shard": receipt.shard, "rows": receipt.facts.records, "offset": offset, "length": length}
        )
    return items
