"""Deploy: bring an endpoint one step nearer to the model in use."""

from __future__ import annotations

from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.serving.deploy import deploy
from amazon_estimators.serving.settings import EndpointSettings
from amazon_estimators.storage import s3
from amazon_estimators.storage.sessions import function_client


@logged("Deploy")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = EndpointSettings.from_dict(event["endpoint"])
    sagemaker, autoscaling = (function_client(name) for name in ("sagemaker", "application-autoscaling"))
    attempt, redrive = event["attempt"], event["execution"]["redrive"]
    return deploy(s3.client(), sagemaker, settings, attempt, redrive, autoscaling=autoscaling)
