"""Clean: delete the models and configurations that an endpoint no longer needs."""

from __future__ import annotations

from typing import Any

from amazon_estimators.logs import logged, note
from amazon_estimators.serving.clean import clean
from amazon_estimators.serving.settings import EndpointSettings
from amazon_estimators.storage import s3
from amazon_estimators.storage.sessions import function_client


@logged("Clean")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = EndpointSettings.from_dict(event["endpoint"])
    deleted = clean(s3.client(), function_client("sagemaker"), settings)
    note(deleted=deleted)
    return {"deleted": len(deleted)}
