"""Plan: decide the shards, or find the RecordSet complete already."""

from __future__ import annotations

from typing import Any

from amazon_estimators import s3
from amazon_estimators.settings import Settings
from amazon_estimators.steps import plan_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings, execution = Settings.from_dict(event["pipeline"]), event["execution"]
    return plan_step(s3.client(), settings, event["input"], execution["name"], execution["redrive"])
