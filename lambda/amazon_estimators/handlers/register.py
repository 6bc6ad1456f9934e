"""Prepare the request that registers a trained model."""

from __future__ import annotations

from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.register import model_package
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.pipeline.step_metrics import measured
from amazon_estimators.storage import s3


@logged("Register")
@measured("Register")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return model_package(
        s3.client(),
        Settings.from_dict(event["pipeline"]),
        plan=event["plan"],
        job=event["job"],
        verdict=event.get("verdict"),
        execution=event["execution"],
        reason=event["input"].get("reason", ""),
    )
