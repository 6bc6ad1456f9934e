"""Write a training's data into SageMaker's own lineage."""

from __future__ import annotations

from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.record_set_artifacts import associate
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.storage.sessions import function_client


@logged("Associate")
def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    settings = Settings.from_dict(event["pipeline"])
    return associate(function_client("sagemaker"), settings, plan=event["plan"], job=event["job"])
