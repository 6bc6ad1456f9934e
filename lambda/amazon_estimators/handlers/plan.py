"""Plan: decide the shards, or find that the RecordSet is already complete."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.concurrency import shards_at_once
from amazon_estimators.pipeline.plan import plan_step
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.scoring.plan import plan_scoring
from amazon_estimators.scoring.settings import ScoringSettings
from amazon_estimators.storage import s3

IMPATIENT = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 2})
"""For a question that can do without an answer."""


@logged("Plan")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    planned = _plan(event)
    if "concurrency" not in event:
        return planned
    client = boto3.client("lambda", config=IMPATIENT)
    return {**planned, "at_once": shards_at_once(client, event["concurrency"])}


def _plan(event: dict[str, Any]) -> dict[str, Any]:
    pipeline, asked, execution = event["pipeline"], event["input"], event["execution"]
    client = s3.client()
    if "model" in event:
        settings = ScoringSettings.from_dict(pipeline)
        return plan_scoring(client, settings, event["model"], asked, execution)
    return plan_step(client, Settings.from_dict(pipeline).with_columns(client), asked, execution)
