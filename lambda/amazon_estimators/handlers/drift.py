"""Drift: compare what an endpoint was asked with what its model was trained on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from amazon_estimators.logs import logged, note
from amazon_estimators.serving.drift import drift
from amazon_estimators.serving.settings import EndpointSettings
from amazon_estimators.storage import s3
from amazon_estimators.storage.sessions import function_client


@logged("Drift")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = EndpointSettings.from_dict(event["endpoint"])
    sagemaker, now = function_client("sagemaker"), datetime.now(UTC)
    drifted = drift(s3.client(), sagemaker, settings, hours=event["hours"], now=now)
    note(**drifted)
    return drifted
