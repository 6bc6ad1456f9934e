"""Encode one shard and leave a receipt."""

from __future__ import annotations

import time
from math import inf
from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.scoring.encode import encode
from amazon_estimators.storage import s3


@logged("Encode")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    # A call by hand has no context, and no limit.
    ends = time.monotonic() + context.get_remaining_time_in_millis() / 1000 if context else inf
    client = s3.client()
    plan = Plan.load(client, event["bucket"], event["prefix"])
    encode(client, plan, event["offset"], event["length"], ends=ends)
    return {}
