"""Explain a failure: return the typed error and its remedy. A shard's is also saved for the execution."""

from __future__ import annotations

from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.explain import explain, note_failure
from amazon_estimators.storage import s3


@logged("Explain")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    client, plan = s3.client(), event["plan"]
    answer = explain(client, event["error"], plan)
    if "shard" not in event:
        return {**answer, "redrive": event["execution"]["redrive"]}
    note_failure(client, plan, event["shard"], answer)
    return {**answer}
