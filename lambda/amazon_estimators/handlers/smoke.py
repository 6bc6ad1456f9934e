"""Smoke: ask a deployed endpoint about one record."""

from __future__ import annotations

from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.serving.settings import EndpointSettings
from amazon_estimators.serving.smoke import smoke
from amazon_estimators.storage import s3
from amazon_estimators.storage.sessions import function_client


@logged("Smoke")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = EndpointSettings.from_dict(event["endpoint"])
    sagemaker, runtime = (function_client(name) for name in ("sagemaker", "sagemaker-runtime"))
    return smoke(s3.client(), sagemaker, runtime, settings, event["attempt"])
