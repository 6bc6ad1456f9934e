"""Seal the RecordSets and return what CreateTrainingJob needs of them."""

from __future__ import annotations

from typing import Any

from amazon_estimators import s3
from amazon_estimators.algorithms import algorithm_named
from amazon_estimators.plan import Plan
from amazon_estimators.seal import publish, seal
from amazon_estimators.settings import Settings
from amazon_estimators.training_request import training_request


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = Settings.from_dict(event["pipeline"])
    planned = event["plan"]
    algorithm = algorithm_named(settings.algorithm).from_hyperparameters(planned["hyperparameters"])
    client = s3.client()
    plan = Plan.load(client, planned["bucket"], planned["prefix"])
    record_sets = seal(client, plan, algorithm)
    request = training_request(
        settings,
        algorithm,
        record_sets,
        fingerprint=plan.fingerprint,
        execution=event["execution"]["name"],
    )
    publish(client, plan, record_sets)
    return request
