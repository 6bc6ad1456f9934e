"""Score one shard, or publish the predictions of all."""

from __future__ import annotations

from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.scoring.publish import publish_predictions
from amazon_estimators.scoring.score import score_shard
from amazon_estimators.scoring.settings import ScoringSettings
from amazon_estimators.storage import s3


@logged("Score")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = ScoringSettings.from_dict(event["pipeline"])
    if "shard" in event:
        score_shard(s3.client(), settings, event)
        return {}
    return publish_predictions(
        s3.client(), settings, planned=event["plan"], sealed=event["sealed"], model=event["model"]
    )
