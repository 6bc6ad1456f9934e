"""The settings of an endpoint, as its construct writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from amazon_estimators.pipeline.deployed_settings import check_names


@dataclass(frozen=True, kw_only=True)
class EndpointSettings:
    """One endpoint and the pipeline that it follows.

    Attributes:
        name: The endpoint's name, and the beginning of its models' and configurations' names.
        algorithm: The pipeline's algorithm.
        data_bucket: The bucket of the pipeline's record of its model in use.
        prefix: The beginning of the pipeline's keys.
        image: The image that serves the model.
        role: The ARN of the execution role.
        seconds: The most that a deployment may take.
        group: The model package group that decides which model is in use; None without a registry.
        models: The S3 prefix of the models that one multi-model endpoint serves; None for a single model.
        model: Further members of CreateModel: the network.
        variant: The members of the production variant that say what serves the model.
        config: Further members of CreateEndpointConfig: the KMS key, the capture of requests.
        deployment: The DeploymentConfig of UpdateEndpoint.
        scaling: The limits of the number of instances, and the requests per minute that one is meant to
            serve; None for a fixed number.
        tags: Tags of the endpoint, its models and its configurations.
    """

    name: str
    algorithm: str
    data_bucket: str
    prefix: str
    image: str
    role: str
    seconds: int
    group: str | None = None
    models: str | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    variant: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    deployment: Mapping[str, Any] = field(default_factory=dict)
    scaling: Mapping[str, Any] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read the settings. Raises RequestError for an unknown or a missing one."""
        check_names(cls, values, "endpoint")
        return cls(**values)

    def tag_list(self) -> dict[str, Any]:
        """Return the tags as a member of a request; none for no tags."""
        tags = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        return {"Tags": tags} if tags else {}
