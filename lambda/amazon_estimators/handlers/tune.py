"""Prepare a tuning job, and conclude it: the leaderboard and the best training."""

from __future__ import annotations

from typing import Any

import boto3

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.pipeline.step_metrics import measured
from amazon_estimators.pipeline.tune import conclude, prepare
from amazon_estimators.storage import s3


@logged("Tune")
@measured("Tune")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings, tuning, plan = Settings.from_dict(event["pipeline"]), event["tuning"], event["plan"]
    if "tuned" in event:
        return conclude(
            s3.client(),
            boto3.client("sagemaker"),
            settings,
            tuning,
            plan=plan,
            prepared=event["prepared"],
            job_name=event["tuned"]["job_name"],
        )
    return prepare(
        s3.client(),
        settings,
        tuning,
        plan=plan,
        request=event["request"],
        overrides=event["input"].get("hyperparameters", {}),
        execution=event["execution"],
    )
