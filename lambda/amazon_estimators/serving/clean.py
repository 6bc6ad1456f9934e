"""Clean: delete the models and configurations that an endpoint has had before its last ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from amazon_estimators.serving.calls import InvalidRequestError, call
from amazon_estimators.serving.deploy import described, model_in_use
from amazon_estimators.serving.settings import EndpointSettings
from amazon_estimators.serving.wanted import Wanted, is_ours

KEPT = 3
"""Configurations that stay: the one in service and those to go back to."""


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
    configs = list(_names(sagemaker, settings, "list_endpoint_configs", "EndpointConfig"))
    kept = [name for number, name in enumerate(configs) if number < KEPT or name in in_use]
    deleted = _delete(sagemaker.delete_endpoint_config, "EndpointConfigName", set(configs) - set(kept))
    models = list(_names(sagemaker, settings, "list_models", "Model"))
    needed = {wanted and wanted.model_name, *models[:KEPT]}
    for name in kept:
        described_config = call(sagemaker.describe_endpoint_config, name, EndpointConfigName=name)
        needed |= {variant["ModelName"] for variant in described_config["ProductionVariants"]}
    return deleted + _delete(sagemaker.delete_model, "ModelName", set(models) - needed)


def remove(sagemaker: Any, settings: EndpointSettings) -> list[str]:
    """Delete the endpoint with all its models and configurations; return the names of what was deleted."""
    deleted = _delete(sagemaker.delete_endpoint, "EndpointName", {settings.name})
    configs = _names(sagemaker, settings, "list_endpoint_configs", "EndpointConfig")
    deleted += _delete(sagemaker.delete_endpoint_config, "EndpointConfigName", set(configs))
    models = _names(sagemaker, settings, "list_models", "Model")
    return deleted + _delete(sagemaker.delete_model, "ModelName", set(models))


def _names(sagemaker: Any, settings: EndpointSettings, operation: str, noun: str) -> Iterator[str]:
    """Yield the names of the endpoint's models or configurations, the newest first."""
    request = {"NameContains": settings.name, "SortBy": "CreationTime", "SortOrder": "Descending"}
    token: dict[str, str] = {}
    while True:
        page = call(getattr(sagemaker, operation), settings.name, **request, **token)
        for one in page[f"{noun}s"]:
            if is_ours(settings, one[f"{noun}Name"]):
                yield one[f"{noun}Name"]
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def _delete(delete: Any, member: str, names: Iterable[str]) -> list[str]:
    """Delete what is still there of ``names``."""
    deleted = []
    for name in sorted(names):
        try:
            call(delete, name, **{member: name})
        except InvalidRequestError:
            continue  # another execution has deleted it
        deleted.append(name)
    return deleted
