"""Seal the RecordSets: return their part of the CreateTrainingJob request, or list the shards to score."""

from __future__ import annotations

from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.seal import seal_step
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.pipeline.step_metrics import measured
from amazon_estimators.scoring.seal import seal_scoring
from amazon_estimators.storage import s3


@logged("Seal")
@measured("Seal")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if "model" in event:
        return seal_scoring(s3.client(), event["plan"])
    settings = Settings.from_dict(event["pipeline"])
    return seal_step(s3.client(), settings, event["plan"], event["execution"])
