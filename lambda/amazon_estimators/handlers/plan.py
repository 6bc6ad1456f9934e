"""Plan: decide the shards, or find that the RecordSet is already complete."""

from __future__ import annotations

from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.plan import plan_step
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.storage import s3


@logged("Plan")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    client = s3.client()
    settings = Settings.from_dict(event["pipeline"]).with_columns(client)
    return plan_step(client, settings, event["input"], event["execution"])
