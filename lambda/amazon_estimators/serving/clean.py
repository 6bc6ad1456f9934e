"""Clean: delete the models and configurations that an endpoint has had before its last ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from amazon_estimators.errors import InvalidRequestError
from amazon_estimators.serving.calls import call
from amazon_estimators.serving.deploy import described, model_in_use
from amazon_estimators.serving.settings import EndpointSettings
from amazon_estimators.serving.wanted import Wanted, belongs_to

KEPT = 3
"""Configurations that stay: the one in service and those to go back to."""


@dataclass(frozen=True)
class Kind:
    """Models or configurations, by the names of the API."""

    noun: str
    listing: str
    deletion: str


MODELS = Kind("Model", "list_models", "delete_model")
CONFIGS = Kind("EndpointConfig", "list_endpoint_configs", "delete_endpoint_config")


def clean(s3: Any, sagemaker: Any, settings: EndpointSettings) -> list[str]:
    """Delete all but the last ``KEPT`` configurations and their models; return the names of what was deleted.

    What serves, what is being deployed and what the model in use calls for stay, however old they are.
    Another execution may be about to deploy the newest.
    """
    endpoint = described(sagemaker, settings.name) or {}
    current = model_in_use(s3, sagemaker, settings)
    wanted = Wanted.of(settings, current) if current else None
    in_use = {
        endpoint.get("EndpointConfigName"),
        (endpoint.get("PendingDeploymentSummary") or {}).get("EndpointConfigName"),
        wanted and wanted.config_name,
    }
    configs = list(names_of(sagemaker, CONFIGS, settings.name))
    kept = [name for number, name in enumerate(configs) if number < KEPT or name in in_use]
    deleted = delete_all(sagemaker, CONFIGS, set(configs) - set(kept))
    models = list(names_of(sagemaker, MODELS, settings.name))
    needed = {wanted and wanted.model_name, *models[:KEPT]}
    for name in kept:
        config = call(sagemaker.describe_endpoint_config, name, EndpointConfigName=name)
        needed |= {variant["ModelName"] for variant in config["ProductionVariants"]}
    return deleted + delete_all(sagemaker, MODELS, set(models) - needed)


def names_of(sagemaker: Any, kind: Kind, endpoint_name: str) -> Iterator[str]:
    """Yield the names of an endpoint's models or configurations, the newest first."""
    request = {"NameContains": endpoint_name, "SortBy": "CreationTime", "SortOrder": "Descending"}
    token: dict[str, str] = {}
    while True:
        page = call(getattr(sagemaker, kind.listing), endpoint_name, **request, **token)
        for summary in page[f"{kind.noun}s"]:
            if belongs_to(endpoint_name, summary[f"{kind.noun}Name"]):
                yield summary[f"{kind.noun}Name"]
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def delete_all(sagemaker: Any, kind: Kind, names: Iterable[str]) -> list[str]:
    """Delete what is still there of ``names``, and return it."""
    deleted = []
    for name in sorted(names):
        try:
            call(getattr(sagemaker, kind.deletion), name, **{f"{kind.noun}Name": name})
        except InvalidRequestError:
            continue  # another execution has deleted it
        deleted.append(name)
    return deleted
