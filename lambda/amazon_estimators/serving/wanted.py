"""The model and the endpoint configuration that a model in use calls for, each named after what it holds.

A name is the endpoint's and a hash of the request. The same request has the same name, so what is made twice
is made once; another request has another name, so names never collide.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from amazon_estimators.pipeline.current_model import CurrentModel
from amazon_estimators.serving.settings import EndpointSettings

VARIANT = "AllTraffic"
DIGITS = 12
LONGEST_NAME = 63 - 1 - DIGITS
"""Characters of an endpoint's name: a model's has room for 63."""


@dataclass(frozen=True)
class Wanted:
    """The requests of CreateModel and CreateEndpointConfig for one model in use."""

    model: Mapping[str, Any]
    config: Mapping[str, Any]

    @property
    def model_name(self) -> str:
        """The name of the model."""
        return str(self.model["ModelName"])

    @property
    def config_name(self) -> str:
        """The name of the endpoint configuration."""
        return str(self.config["EndpointConfigName"])

    @classmethod
    def of(cls, settings: EndpointSettings, current: CurrentModel) -> Self:
        """Return what is to be made for a model in use."""
        container: dict[str, Any] = {
            "Image": settings.image,
            "ModelDataUrl": settings.models or current.model,
        }
        if settings.models:
            container["Mode"] = "MultiModel"
        model = {"PrimaryContainer": container, "ExecutionRoleArn": settings.role, **settings.model}
        model_name = _named(settings.name, model)
        variant = {"VariantName": VARIANT, "ModelName": model_name, **settings.variant}
        config = {"ProductionVariants": [variant], **settings.config}
        tags = settings.tag_list()
        return cls(
            {"ModelName": model_name, **model, **tags},
            {"EndpointConfigName": _named(settings.name, config), **config, **tags},
        )


def belongs_to(endpoint_name: str, name: str) -> bool:
    """Return True if a model or a configuration of this name is one of the endpoint's."""
    return re.fullmatch(rf"{re.escape(endpoint_name)}-[0-9a-f]{{{DIGITS}}}", name) is not None


def target_model(settings: EndpointSettings, current: CurrentModel) -> str | None:
    """Return the ``TargetModel`` of requests to a multi-model endpoint; None for a single model."""
    return current.model.removeprefix(settings.models) if settings.models else None


def _named(name: str, request: Mapping[str, Any]) -> str:
    text = json.dumps(request, sort_keys=True)
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:DIGITS]}"
