"""Announce: put an event about a new model, predictions or a failure."""

from __future__ import annotations

from functools import partial
from typing import Any

import boto3

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.announce import announce, tell
from amazon_estimators.scoring.announce import announce_predictions
from amazon_estimators.storage import s3


@logged("Announce")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    put = partial(tell, boto3.client("events"))
    if "trained" in event["pipeline"]:
        return announce_predictions(put, event)
    return announce(put, s3.client(), event)
