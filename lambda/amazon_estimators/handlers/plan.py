"""Plan: decide the shards, or find that the RecordSet is already complete."""

from __future__ import annotations

import time
from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.concurrency import lambda_client, shards_at_once
from amazon_estimators.pipeline.plan import plan_step
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.pipeline.step_metrics import measured
from amazon_estimators.scoring.plan import plan_scoring
from amazon_estimators.scoring.settings import ScoringSettings
from amazon_estimators.storage import s3


@logged("Plan")
@measured("Plan")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    planned = {**_plan(event), "planned_at": time.time()}
    if "concurrency" not in event:
        return planned
    return {**planned, "at_once": shards_at_once(lambda_client(), event["concurrency"])}


def _plan(event: dict[str, Any]) -> dict[str, Any]:
    pipeline, asked, execution = event["pipeline"], event["input"], event["execution"]
    client = s3.client()
    if "model" in event:
        settings = ScoringSettings.from_dict(pipeline).with_columns(client)
        return plan_scoring(client, settings, event["model"], asked, execution)
    return plan_step(client, Settings.from_dict(pipeline).with_columns(client), asked, execution)
