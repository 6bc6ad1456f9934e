"""Find the model that a prediction pipeline scores with."""

from __future__ import annotations

from typing import Any

import boto3

from amazon_estimators.logs import logged
from amazon_estimators.scoring.model import find_model
from amazon_estimators.scoring.settings import ScoringSettings, check_input
from amazon_estimators.storage import s3


@logged("Model")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = ScoringSettings.from_dict(event["pipeline"])
    asked = check_input(event["input"])
    return find_model(s3.client(), boto3.client("sagemaker"), settings, asked).to_dict()
