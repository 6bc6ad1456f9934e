"""Implement CreateEndpointConfig and the other operations on endpoint configurations."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amazon_estimators_rehearsal.sagemaker.account import Account
from amazon_estimators_rehearsal.sagemaker.errors import ValidationError
from amazon_estimators_rehearsal.sagemaker.models import Model, Models
from amazon_estimators_rehearsal.sagemaker.resources import Operation, Resources, listed, tags_of


@dataclass(frozen=True)
class EndpointConfig:
    """A configuration: the variants of an endpoint."""

    arn: str
    tags: dict[str, str]
    request: Mapping[str, Any]
    created: float

    @property
    def variants(self) -> list[Mapping[str, Any]]:
        return list(self.request["ProductionVariants"])

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeEndpointConfig."""
        described = {name: value for name, value in self.request.items() if name != "Tags"}
        return {**described, "EndpointConfigArn": self.arn, "CreationTime": self.created}


class EndpointConfigs:
    """The endpoint configurations of one account and region."""

    def __init__(self, account: Account, models: Models) -> None:
        self._models = models
        self.items: Resources[EndpointConfig] = Resources(
            account,
            "endpoint-config",
            "EndpointConfigName",
            taken=lambda arn: ValidationError(
                f'Cannot create already existing endpoint configuration "{arn}".'
            ),
            missing=lambda arn: ValidationError(f'Could not find endpoint configuration "{arn}".'),
        )
        self.operations: Mapping[str, Operation] = {
            "CreateEndpointConfig": self._create,
            "DescribeEndpointConfig": lambda request, _: self.items.of(request).describe(),
            "DeleteEndpointConfig": self._delete,
            "ListEndpointConfigs": self._list,
        }

    def stop(self) -> None:
        """Do nothing: a configuration runs nothing."""

    def _create(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        name = request["EndpointConfigName"]
        self.items.check_free(name)
        variants = request["ProductionVariants"]
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) != len(names):
            raise ValidationError(f"Production variant names must be unique; got {', '.join(names)}.")
        for variant in variants:
            if "ModelName" not in variant:
                raise ValidationError(f"The stand-in needs a ModelName in variant {variant['VariantName']}.")
            model = self._models.items.named(variant["ModelName"])
            for problem in _problems(variant, model, several=len(variants) > 1, request=request):
                raise ValidationError(problem)
        arn = self.items.arn(name)
        self.items.add(name, EndpointConfig(arn, tags_of(request), request, time.time()))
        return {"EndpointConfigArn": arn}

    def _delete(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        self.items.remove(request)
        return {}

    def _list(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        names = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
        summaries = [
            {name: described[name] for name in names}
            for described in (config.describe() for config in self.items.all())
        ]
        return listed("EndpointConfigs", summaries, request, name="EndpointConfigName")


def _problems(
    variant: Mapping[str, Any], model: Model, *, several: bool, request: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the reasons why the service refuses a variant.

    https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
    """
    name = variant["VariantName"]
    serverless = variant.get("ServerlessConfig")
    if serverless is None:
        if not variant.get("InstanceType") or not variant.get("InitialInstanceCount"):
            yield f"InstanceType and InitialInstanceCount are required for variant {name}."
        return
    if variant.get("InstanceType") or variant.get("InitialInstanceCount"):
        yield f"Variant {name} has both a ServerlessConfig and instances; give one of them."
    if serverless["MemorySizeInMB"] % 1024:
        yield (
            f"MemorySizeInMB is {serverless['MemorySizeInMB']}; "
            "allowed: 1024, 2048, 3072, 4096, 5120 or 6144."
        )
    refused = {
        "MultiModel mode": model.multi_model,
        "VpcConfig": "VpcConfig" in model.request,
        "Network isolation": model.request.get("EnableNetworkIsolation"),
        "DataCaptureConfig": "DataCaptureConfig" in request,
        "More than one production variant": several,
    }
    for what, given in refused.items():
        if given:
            yield f"{what} is not supported for serverless endpoints."
