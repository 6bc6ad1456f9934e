"""Encode one shard and leave a receipt."""

from __future__ import annotations

from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.scoring.encode import encode
from amazon_estimators.storage import s3


@logged("Encode")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    client = s3.client()
    plan = Plan.load(client, event["bucket"], event["prefix"])
    encode(client, plan, event["offset"], event["length"])
    return {}
