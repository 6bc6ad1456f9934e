"""Plan: decide the shards, or find the RecordSet complete already."""

from __future__ import annotations

from typing import Any

from amazon_estimators import s3
from amazon_estimators.plan import make_plan
from amazon_estimators.seal import complete_record_sets
from amazon_estimators.settings import Settings
from amazon_estimators.training_request import training_request


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = Settings.from_dict(event["pipeline"])
    algorithm = settings.algorithm_for(event["input"])
    algorithm.check_instances(settings.instance_type, settings.instance_count)
    client = s3.client()
    plan = make_plan(client, settings, algorithm.encoding)
    record_sets = complete_record_sets(client, plan)
    request = record_sets and training_request(
        settings,
        algorithm,
        record_sets,
        fingerprint=plan.fingerprint,
        execution=event["execution"]["name"],
    )
    return {
        "bucket": plan.bucket,
        "prefix": plan.prefix,
        "fingerprint": plan.fingerprint,
        "complete": request is not None,
        "shards": plan.shards,
        "shards_key": f"{plan.prefix}shards.jsonl",
        "hyperparameters": algorithm.hyperparameters(),
        "request": request,
    }
