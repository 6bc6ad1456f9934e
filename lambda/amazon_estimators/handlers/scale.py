"""Scale: let Application Auto Scaling choose the number of an endpoint's instances."""

from __future__ import annotations

from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.serving.scale import scale
from amazon_estimators.serving.settings import EndpointSettings
from amazon_estimators.storage.sessions import function_client


@logged("Scale")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = EndpointSettings.from_dict(event["endpoint"])
    scale(function_client("application-autoscaling"), settings)
    return {}
