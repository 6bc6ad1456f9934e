"""Implement CreateEndpoint, the other operations on endpoints, and InvokeEndpoint."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Mapping
from typing import Any

from amazon_estimators_rehearsal.sagemaker.account import ENDPOINTS_NAMESPACE, Account, start_denial
from amazon_estimators_rehearsal.sagemaker.captures import Message, capture
from amazon_estimators_rehearsal.sagemaker.deployments import (
    RolledBackError,
    problems,
    steps,
    watch,
)
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
        self.arriving: EndpointConfig | None = config
        self.newcomers: dict[str, Instance] = {}
        self.share = 0.0
        self.deployment: Mapping[str, Any] | None = None
        self.began = time.time()
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
        if self.deployment is not None:
            described["LastDeploymentConfig"] = self.deployment
        if self.arriving is not None:
            described["PendingDeploymentSummary"] = {
                "EndpointConfigName": self.arriving.request["EndpointConfigName"],
                "ProductionVariants": [
                    {"VariantName": variant["VariantName"]} for variant in self.arriving.variants
                ],
                "StartTime": self.began,
            }
        return described

    def arrive(self, config: EndpointConfig, deployment: Mapping[str, Any] | None, *, status: str) -> None:
        """Begin a deployment."""
        self.status, self.arriving, self.deployment = status, config, deployment
        self.began = time.time()

    def instance(self, variant: str | None) -> tuple[str, Instance]:
        """Return a variant by name, by default drawn by weight, and the instance that answers."""
        is_new = bool(self.newcomers) and random.random() < self.share  # noqa: S311 - no secret
        instances = self.newcomers if is_new else self.instances
        weights = {
            variant["VariantName"]: variant.get("InitialVariantWeight", 1.0)
            for variant in self.config.variants
            if variant["VariantName"] in instances
        }
        if variant is None:
            variant = random.choices([*weights], [*weights.values()])[0]  # noqa: S311 - not a secret
        if variant not in weights:
            raise ValidationError(f"Variant {variant} not found for Endpoint {self.name}.")
        return variant, instances[variant]

    def stop(self) -> None:
        """Stop its instances."""
        instances = [*self.instances.values(), *self.newcomers.values()]
        self.instances, self.newcomers = {}, {}
        for instance in instances:
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

    def capture(self, endpoint: Endpoint, variant: str, asked: Message, answered: Message) -> None:
        """Keep a request and its answer if the configuration says so."""
        config = endpoint.config
        model = next(entry["ModelName"] for entry in config.variants if entry["VariantName"] == variant)
        role = self._models.role(self._models.items.named(model), endpoint.arn)
        capture(
            self._account,
            role,
            config.request.get("DataCaptureConfig"),
            endpoint=endpoint.name,
            variant=variant,
            asked=asked,
            answered=answered,
        )

    def _create(self, request: dict[str, Any], caller: str) -> dict[str, Any]:
        config = self._config(request, caller, "sagemaker:CreateEndpoint")
        name = request["EndpointName"]
        endpoint = Endpoint(self.items.arn(name), request, config)
        self.items.add(name, endpoint)
        deployment = request.get("DeploymentConfig")
        self._check_deployment(deployment, config)
        endpoint.arrive(config, deployment, status="Creating")
        self._roll_out(endpoint, config)
        return {"EndpointArn": endpoint.arn}

    def _update(self, request: dict[str, Any], caller: str) -> dict[str, Any]:
        endpoint = self.items.of(request)
        config = self._config(request, caller, "sagemaker:UpdateEndpoint")
        if endpoint.status == "Failed":
            # "DeleteEndpoint is the only operation that can be performed on a failed endpoint."
            # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
            raise ValidationError(f'Could not update failed endpoint "{endpoint.arn}": delete it.')
        if endpoint.status != "InService":
            raise ValidationError(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        deployment = request.get("DeploymentConfig")
        if request.get("RetainDeploymentConfig"):
            deployment = deployment or endpoint.deployment
        self._check_deployment(deployment, config)
        if config is not endpoint.config:
            endpoint.arrive(config, deployment, status="Updating")
            self._roll_out(endpoint, config)
        return {"EndpointArn": endpoint.arn}

    def _check_deployment(self, deployment: Mapping[str, Any] | None, config: EndpointConfig) -> None:
        instances = max(variant.get("InitialInstanceCount", 1) for variant in config.variants)
        for problem in problems(deployment or {}, instances):
            raise ValidationError(problem)

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
        goes_on, failure = False, None
        try:
            for variant in config.variants:
                started[variant["VariantName"]] = self._start(
                    endpoint, variant["ModelName"], config.request.get("KmsKeyId")
                )
            self._shift(endpoint, config, started)
            goes_on = endpoint.status != "Deleting"
        except (ServiceError, InstanceError, RolledBackError) as error:
            failure = error.message if isinstance(error, ServiceError) else str(error)
        except Exception as error:
            logger.exception("The endpoint %s broke the stand-in", endpoint.name)
            failure = f"InternalServerError: {type(error).__name__}: {error}"
        retired = started
        if goes_on:
            retired, endpoint.instances, endpoint.config = endpoint.instances, started, config
        endpoint.newcomers = {}
        for instance in retired.values():
            instance.stop()
        if endpoint.status == "Deleting":
            endpoint.stop()
            return
        # A failed update is rolled back: the old configuration stays in service.
        endpoint.failure, endpoint.modified, endpoint.arriving = failure, time.time(), None
        endpoint.status = "InService" if endpoint.instances else "Failed"
        logger.info("Endpoint %s: %s %s", endpoint.name, endpoint.status, failure or "")
        self._account.publish(STATE_CHANGE, endpoint.describe(), endpoint.arn)

    def _shift(self, endpoint: Endpoint, config: EndpointConfig, started: dict[str, Instance]) -> None:
        """Move the traffic in steps, and watch the alarms after each. Raises RolledBackError."""
        if not endpoint.instances:
            return
        deployment = endpoint.deployment or {}
        rollback = deployment.get("AutoRollbackConfiguration") or {}
        alarms = [alarm["AlarmName"] for alarm in rollback.get("Alarms", ())]
        variant = config.variants[0]
        role = self._models.role(self._models.items.named(variant["ModelName"]), endpoint.arn)
        endpoint.share, endpoint.newcomers = 0.0, started
        for step in steps(deployment, variant.get("InitialInstanceCount", 1)):
            endpoint.share = step.share
            watch(self._account, role, alarms, step.seconds)

    def _start(self, endpoint: Endpoint, model_name: str, volume_key: str | None) -> Instance:
        model = self._models.items.named(model_name)
        role = self._models.role(model, endpoint.arn)
        refusal = start_denial(
            self._account, role, model.container["Image"], ENDPOINTS_NAMESPACE, volume_key=volume_key
        )
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
