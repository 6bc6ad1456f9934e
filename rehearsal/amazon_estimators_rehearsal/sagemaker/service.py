"""Serve the API in SageMaker's JSON protocol: one table of operations over all kinds of resources."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from amazon_estimators_rehearsal.sagemaker.account import Account
from amazon_estimators_rehearsal.sagemaker.checks.request_schema import validate
from amazon_estimators_rehearsal.sagemaker.endpoint_configs import EndpointConfigs
from amazon_estimators_rehearsal.sagemaker.endpoints import Endpoints
from amazon_estimators_rehearsal.sagemaker.errors import (
    AccessDeniedError,
    ResourceNotFoundError,
    ServiceError,
    UnknownOperationError,
)
from amazon_estimators_rehearsal.sagemaker.invocations import Invocations, Response, endpoint_of
from amazon_estimators_rehearsal.sagemaker.lineage import Lineage
from amazon_estimators_rehearsal.sagemaker.model_packages import ModelPackages
from amazon_estimators_rehearsal.sagemaker.models import Models
from amazon_estimators_rehearsal.sagemaker.resources import Operation, Resource, Resources, tag_list
from amazon_estimators_rehearsal.sagemaker.training_jobs import TrainingJobs
from amazon_estimators_rehearsal.sagemaker.transform_jobs import TransformJobs
from amazon_estimators_rehearsal.sagemaker.tuning_jobs import TuningJobs

logger = logging.getLogger("rehearsal.sagemaker")


class Kind(Protocol):
    """A kind of resource: the existing ones, and the operations on them."""

    items: Resources[Any]
    operations: Mapping[str, Operation]

    def stop(self) -> None:
        """Stop everything that is running."""


class SageMaker:
    """SageMaker in one account and region."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.reset()

    def reset(self) -> None:
        """Stop everything and forget all resources."""
        for kind in getattr(self, "_kinds", ()):
            kind.stop()
        training_jobs, models = TrainingJobs(self._account), Models(self._account)
        configs = EndpointConfigs(self._account, models)
        endpoints = Endpoints(self._account, models, configs)
        self._kinds: tuple[Kind, ...] = (
            TuningJobs(self._account, training_jobs),
            training_jobs,
            TransformJobs(self._account, models),
            endpoints,
            configs,
            models,
            ModelPackages(self._account),
            Lineage(self._account, training_jobs),
        )
        self._invocations = Invocations(self._account, endpoints)
        self._endpoints = endpoints
        self._kind_of = {name: kind for kind in self._kinds for name in kind.operations}
        self._operations: dict[str, Operation] = {
            "AddTags": self._add_tags,
            "DeleteTags": self._delete_tags,
            "ListTags": lambda request, _: {"Tags": tag_list(self._tagged(request).tags)},
        }
        for kind in self._kinds:
            self._operations |= kind.operations

    def handle(self, operation: str, body: bytes, caller: str) -> Response:
        """Answer an API call of the principal with access key ``caller``. Return status, headers, body."""
        headers = {"Content-Type": "application/x-amz-json-1.1"}
        try:
            if operation not in self._operations:
                known = ", ".join(sorted(self._operations))
                raise UnknownOperationError(f"The stand-in has no {operation}; it has {known}.")
            request = json.loads(body or b"{}")
            validate(operation, request)
            self._check_tagging(operation, request, caller)
            answer = self._operations[operation](request, caller)
        except ServiceError as error:
            logger.info("%s refused: %s", operation, error)
            answer = {"__type": error.code, "message": error.message}
            return error.status, headers, json.dumps(answer).encode()
        return 200, headers, json.dumps(answer).encode()

    def _check_tagging(self, operation: str, request: Mapping[str, Any], caller: str) -> None:
        """Check that who creates something with tags may tag it: a dependent action of each Create.

        https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
        """
        if operation.startswith("Create") and request.get("Tags"):
            action = "sagemaker:AddTags"
            denial = self._account.denial(caller, action, self.resource(operation, request))
            if denial:
                raise AccessDeniedError(denial)

    def invoke(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer a request to an endpoint. Return status, headers, body."""
        return self._invocations.handle(endpoint_of(path) or "", headers, body)

    def resource(self, operation: str, request: Mapping[str, Any]) -> str:
        """Return the ARN that a request names, for the permission check; ``*`` if it names none."""
        if "ResourceArn" in request:
            return str(request["ResourceArn"])
        kind = self._kind_of.get(operation)
        if isinstance(kind, ModelPackages):
            return kind.arn_of(request)
        if isinstance(kind, Lineage):
            return kind.arn_of(operation, request)
        name = request.get(kind.items.name_member) if kind else None
        return kind.items.arn(str(name)) if kind and name else "*"

    def endpoint(self, path: str) -> str:
        """Return the ARN of the endpoint that a path names."""
        return self._endpoints.items.arn(endpoint_of(path) or "")

    def _add_tags(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        resource = self._tagged(request)
        resource.tags.update({tag["Key"]: tag["Value"] for tag in request["Tags"]})
        return {"Tags": tag_list(resource.tags)}

    def _delete_tags(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        resource = self._tagged(request)
        for key in request["TagKeys"]:
            resource.tags.pop(key, None)
        return {}

    def _tagged(self, request: Mapping[str, Any]) -> Resource:
        for kind in self._kinds:
            resource: Resource | None = kind.items.with_arn(request["ResourceArn"])
            if resource is not None:
                return resource
        raise ResourceNotFoundError("Requested resource not found.")
