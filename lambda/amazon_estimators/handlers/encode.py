"""Encode one shard. Why it failed is left on S3 for Explain: a Map Run hides what its items failed of."""

from __future__ import annotations

from typing import Any

from amazon_estimators import s3
from amazon_estimators.encode import encode_shard
from amazon_estimators.explain import failure_key
from amazon_estimators.plan import Plan


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    client = s3.client()
    try:
        plan = Plan.load(client, event["bucket"], event["prefix"])
        encode_shard(client, plan, event["offset"], event["length"])
    except Exception as error:
        failure = {"error": type(error).__name__, "cause": str(error)}
        key = failure_key(event["prefix"], event["execution"], event["shard"])
        s3.put_json(client, event["bucket"], key, failure)
        raise
    return {}
