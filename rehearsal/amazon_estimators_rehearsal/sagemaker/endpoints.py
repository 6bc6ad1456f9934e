"""Implement CreateEndpoint, the other operations on endpoints, and InvokeEndpoint."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Mapping
from typing import Any

from amazon_estimators_rehearsal.sagemaker.account import ENDPOINTS_NAMESPACE, Account, start_denial
from amazon_estimators_rehearsal.sagemaker.endpoint_configs import EndpointConfig, EndpointConfigs
from amazon_estimators_rehearsal.sagemaker.errors import (
    AccessDeniedError,
    ServiceError,
    ValidationError,
)
from amazon_estimators_rehearsal.sagemaker.instance import Instance, InstanceError
from amazon_estimators_rehearsal.sagemaker.models import Models
from amazon_estimators_rehearsal.sagemaker.resources import Operation, Resources, listed, tags_of

logger = logging.getLogger("rehearsal.sagemaker")

STATE_CHANGE = "SageMaker Endpoint State Change"


class Endpoint:
    """An endpoint from its creation to its deletion, with one instance per variant. Thread-safe."""

    def __init__(self, arn: str, request: Mapping[str, Any], config: EndpointConfig) -> None:
        self.arn = arn
        self.tags = tags_of(request)
        self.name = request["EndpointName"]
        self.status = "Creating"
        self.config = config
        self.failure: str | None = None
        self.instances: dict[str, Instance] = {}
        self.created = self.modified = time.time()

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeEndpoint."""
        described: dict[str, Any] = {
            "EndpointName": self.name,
            "EndpointArn": self.arn,
            "EndpointConfigName": self.config.request["EndpointConfigName"],
            "EndpointStatus": self.status,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
        }
        if self.failure:
            described["FailureReason"] = self.failure
        if self.instances:
            described["ProductionVariants"] = [_variant(variant) for variant in self.config.variants]
        return described

    def instance(self, variant: str | None) -> tuple[str, Instance]:
        """Return a variant by name, by default drawn by weight, and the instance that answers."""
        weights = {
            one["VariantName"]: one.get("InitialVariantWeight", 1.0)
            for one in self.config.variants
            if one["VariantName"] in self.instances
        }
        if variant is None:
            variant = random.choices([*weights], [*weights.values()])[0]  # noqa: S311 - not a secret
        if variant not in weights:
            raise ValidationError(f"Variant {variant} not found for Endpoint {self.name}.")
        return variant, self.instances[variant]

    def stop(self) -> None:
        """Stop its instances."""
        instances, self.instances = self.instances, {}
        for instance in instances.values():
            instance.stop()


class Endpoints:
    """The endpoints of one account and region."""

    def __init__(self, account: Account, models: Models, configs: EndpointConfigs) -> None:
        self._account, self._models, self._configs = account, models, configs
        self.items: Resources[Endpoint] = Resources(
            account,
            "endpoint",
            "EndpointName",
            taken=lambda arn: ValidationError(f'Cannot create already existing endpoint "{arn}".'),
            missing=lambda arn: ValidationError(f'Could not find endpoint "{arn}".'),
        )
        self.operations: Mapping[str, Operation] = {
            "CreateEndpoint": self._create,
            "UpdateEndpoint": self._update,
            "DescribeEndpoint": lambda request, _: self.items.of(request).describe(),
            "DeleteEndpoint": self._delete,
            "ListEndpoints": self._list,
        }

    def stop(self) -> None:
        """Stop the instances of all endpoints."""
        for endpoint in self.items.all():
            endpoint.stop()

    def _create(self, request: dict[str, Any], caller: str) -> dict[str, Any]:
        config = self._config(request, caller, "sagemaker:CreateEndpoint")
        name = request["EndpointName"]
        endpoint = Endpoint(self.items.arn(name), request, config)
        self.items.add(name, endpoint)
        self._roll_out(endpoint, config)
        return {"EndpointArn": endpoint.arn}

    def _update(self, request: dict[str, Any], caller: str) -> dict[str, Any]:
        endpoint = self.items.of(request)
        config = self._config(request, caller, "sagemaker:UpdateEndpoint")
        if endpoint.status not in ("InService", "Failed"):
            raise ValidationError(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        if config is not endpoint.config:
            endpoint.status = "Updating"
            self._roll_out(endpoint, config)
        return {"EndpointArn": endpoint.arn}

    def _delete(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        endpoint = self.items.remove(request)
        endpoint.status = "Deleting"
        endpoint.stop()
        self._account.publish(STATE_CHANGE, endpoint.describe(), endpoint.arn)
        return {}

    def _list(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        names = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
        summaries = [
            {name: described[name] for name in names}
            for described in (endpoint.describe() for endpoint in self.items.all())
        ]
        return listed("Endpoints", summaries, request, name="EndpointName", status="EndpointStatus")

    def _config(self, request: Mapping[str, Any], caller: str, action: str) -> EndpointConfig:
        """Return the configuration that a request names. The action must be allowed on it, too."""
        name = request["EndpointConfigName"]
        denial = self._account.denial(caller, action, self._configs.items.arn(name))
        if denial:
            raise AccessDeniedError(denial)
        return self._configs.items.named(name)

    def _roll_out(self, endpoint: Endpoint, config: EndpointConfig) -> None:
        self._account.publish(STATE_CHANGE, endpoint.describe(), endpoint.arn)
        threading.Thread(
            target=self._bring_up, args=(endpoint, config), name=f"endpoint-{endpoint.name}", daemon=True
        ).start()

    def _bring_up(self, endpoint: Endpoint, config: EndpointConfig) -> None:
        """Start the configuration's instances, then replace the old ones with them."""
        started: dict[str, Instance] = {}
        failure = None
        try:
            for variant in config.variants:
                started[variant["VariantName"]] = self._start(endpoint, variant["ModelName"])
        except (ServiceError, InstanceError) as error:
            failure = error.message if isinstance(error, ServiceError) else str(error)
        except Exception as error:
            logger.exception("The endpoint %s broke the stand-in", endpoint.name)
            failure = f"InternalServerError: {type(error).__name__}: {error}"
        retired = started
        if failure is None and endpoint.status != "Deleting":
            retired, endpoint.instances, endpoint.config = endpoint.instances, started, config
        for instance in retired.values():
            instance.stop()
        if endpoint.status == "Deleting":
            endpoint.stop()
            return
        # A failed update is rolled back: the old configuration stays in service.
        endpoint.failure, endpoint.modified = failure, time.time()
        endpoint.status = "InService" if endpoint.instances else "Failed"
        logger.info("Endpoint %s: %s %s", endpoint.name, endpoint.status, failure or "")
        self._account.publish(STATE_CHANGE, endpoint.describe(), endpoint.arn)

    def _start(self, endpoint: Endpoint, model_name: str) -> Instance:
        model = self._models.items.named(model_name)
        role = self._models.role(model, endpoint.arn)
        refusal = start_denial(self._account, role, model.container["Image"], ENDPOINTS_NAMESPACE)
        if refusal:
            raise ValidationError(refusal)
        return Instance(self._account, role, model.order())


def _variant(variant: Mapping[str, Any]) -> dict[str, Any]:
    described = {
        "VariantName": variant["VariantName"],
        "CurrentWeight": variant.get("InitialVariantWeight", 1.0),
        "DesiredWeight": variant.get("InitialVariantWeight", 1.0),
    }
    if "ServerlessConfig" in variant:
        return {**described, "CurrentServerlessConfig": variant["ServerlessConfig"]}
    count = variant["InitialInstanceCount"]
    return {**described, "CurrentInstanceCount": count, "DesiredInstanceCount": count}
