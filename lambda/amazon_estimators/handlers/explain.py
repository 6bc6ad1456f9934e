"""Explain a failure: the typed error and its remedy. That of a shard is kept for the execution to find."""

from __future__ import annotations

from typing import Any

from amazon_estimators import s3
from amazon_estimators.explain import explain, failure_key


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    client, plan, execution = s3.client(), event.get("plan") or {}, event["execution"]["name"]
    answer = explain(client, event["error"], plan, execution)
    if "shard" in event:
        key = failure_key(plan["prefix"], execution, event["shard"])
        s3.put_json(client, plan["bucket"], key, answer)
    return answer
