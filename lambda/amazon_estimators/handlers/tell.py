"""Tell: put an event about the end of a deployment."""

from __future__ import annotations

from functools import partial
from typing import Any

import boto3

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.announce import tell
from amazon_estimators.serving.settings import EndpointSettings
from amazon_estimators.serving.tell import tell_of


@logged("Tell")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return tell_of(
        partial(tell, boto3.client("events")), EndpointSettings.from_dict(event["endpoint"]), event
    )
