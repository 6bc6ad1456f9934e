"""Define the capacity that hosts a model, and check it against AWS's documented limits."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.instances import is_accelerated
from amazon_estimators.errors import RequestError
from amazon_estimators.inference.requests import InferenceWarning

SERVERLESS = "https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html"
MULTI_MODEL = "https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoints.html"
MEMORY_SIZES = (1024, 2048, 3072, 4096, 5120, 6144)
MOST_CONCURRENT = 200


@dataclass(frozen=True, kw_only=True)
class ServerlessInferenceConfig:
    """Capacity that is billed per request, not per hour.

    Attributes:
        memory_size_in_mb: 1024, 2048, 3072, 4096, 5120 or 6144. Default: 2048.
        max_concurrency: The most concurrent requests, 1 to 200. Default: 5.
        provisioned_concurrency: Concurrent requests that never wait for a cold start. Default: none.
    """

    memory_size_in_mb: int = 2048
    max_concurrency: int = 5
    provisioned_concurrency: int | None = None

    def __post_init__(self) -> None:
        problems = []
        if self.memory_size_in_mb not in MEMORY_SIZES:
            allowed = ", ".join(map(str, MEMORY_SIZES))
            problems.append(f"memory_size_in_mb is {self.memory_size_in_mb!r}; allowed: {allowed}")
        for name in ("max_concurrency", "provisioned_concurrency"):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if value is not None and not (whole and 1 <= value <= MOST_CONCURRENT):
                problems.append(f"{name} is {value!r}; allowed: 1 to {MOST_CONCURRENT}")
        if problems:
            raise RequestError(f"serverless endpoint: {'; '.join(problems)} ({SERVERLESS})")


def variant(
    *,
    model_name: str,
    instance_type: str | None,
    instance_count: int | None,
    serverless: Any,
    volume_size: int | None = None,
) -> dict[str, Any]:
    """Return the only production variant of an endpoint.

    Raises:
        RequestError: You passed neither instances nor a serverless configuration, or both.
    """
    chosen: dict[str, Any] = {"VariantName": "AllTraffic", "ModelName": model_name}
    if serverless is not None:
        if instance_type is not None or instance_count is not None:
            raise RequestError(
                "both instances and a serverless configuration are set; an endpoint has one of them",
                remedy="Leave out instance_type and instance_count, or the serverless configuration.",
            )
        config = {
            "MemorySizeInMB": serverless.memory_size_in_mb,
            "MaxConcurrency": serverless.max_concurrency,
        }
        if getattr(serverless, "provisioned_concurrency", None) is not None:
            config["ProvisionedConcurrency"] = serverless.provisioned_concurrency
        return {**chosen, "ServerlessConfig": config}
    if instance_type is None:
        raise RequestError(
            "instance_type is missing",
            remedy='Pass one such as "ml.m5.large", or serverless=ServerlessInferenceConfig().',
        )
    count = 1 if instance_count is None else instance_count
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise RequestError(f"the number of instances is {count!r}; expecting a whole number of at least 1")
    chosen |= {"InstanceType": instance_type, "InitialInstanceCount": count}
    return chosen | ({"VolumeSizeInGB": volume_size} if volume_size else {})


def check_hosting(
    algorithm: type[Algorithm],
    *,
    instance_type: str | None,
    serverless: bool,
    multi_model: bool,
    in_vpc: bool,
    isolated: bool,
    region: str,
) -> None:
    """Check that AWS hosts the algorithm this way.

    Raises:
        RequestError: AWS's documentation says that it does not; the error names the page. If it only may
            fail, there is an InferenceWarning.
    """
    if multi_model:
        for problem in _multi_model_problems(algorithm, instance_type, serverless=serverless):
            raise RequestError(
                f"{problem} ({MULTI_MODEL})",
                remedy="Deploy one endpoint per model, or transform in batch.",
            )
    if serverless:
        refused = {
            "a model in a VPC": in_vpc,
            "a model with network isolation": isolated,
            "the regions of China": region.startswith("cn-"),
        }
        for what, given in refused.items():
            if given:
                raise RequestError(
                    f"serverless endpoints do not support {what} ({SERVERLESS})",
                    remedy="Give an instance_type instead.",
                )
        if algorithm.inference.serverless_caution:
            warnings.warn(
                f"{algorithm.__name__} may not start on a serverless endpoint: "
                f"{algorithm.inference.serverless_caution}",
                InferenceWarning,
                stacklevel=4,
            )


def _multi_model_problems(
    algorithm: type[Algorithm], instance_type: str | None, *, serverless: bool
) -> Iterator[str]:
    if not algorithm.inference.multi_model:
        yield f"the container of {algorithm.__name__} does not serve several models"
    if serverless:
        yield "a serverless endpoint serves one model"
    if instance_type is not None and is_accelerated(instance_type):
        name = algorithm.__name__
        yield f"the container of {name} serves several models on CPU only, not on {instance_type}"
