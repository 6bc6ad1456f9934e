"""Announce: put an event about a new model, predictions or a failure."""

from __future__ import annotations

from functools import partial
from typing import Any

import boto3

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.announce import tell
from amazon_estimators.scoring.announce import announce_execution
from amazon_estimators.storage import s3


@logged("Announce")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return announce_execution(partial(tell, boto3.client("events")), s3.client(), event)
