"""Judge a trained model by the pipeline's gate."""

from __future__ import annotations

from typing import Any

import boto3

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.judge import Bar, judge
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.pipeline.step_metrics import measured
from amazon_estimators.storage import s3


@logged("Judge")
@measured("Judge")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings, bar = Settings.from_dict(event["pipeline"]), Bar.from_dict(event["gate"])
    sagemaker = boto3.client("sagemaker") if bar.group else None
    verdict = judge(s3.client(), sagemaker, settings, bar, plan=event["plan"], job=event["job"])
    return verdict.to_dict()
