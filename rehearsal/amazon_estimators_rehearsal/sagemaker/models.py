"""Implement CreateModel and the other operations on models."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators_rehearsal.sagemaker.account import Account, Credentials, passed_role
from amazon_estimators_rehearsal.sagemaker.channels import split_uri
from amazon_estimators_rehearsal.sagemaker.checks.image import check_image
from amazon_estimators_rehearsal.sagemaker.errors import ValidationError
from amazon_estimators_rehearsal.sagemaker.resources import Operation, Resources, listed, tags_of
from amazon_estimators_rehearsal.sagemaker.served_model import download_problem


@dataclass(frozen=True)
class Model:
    """A model: the location of its data, the image that serves it, and its role."""

    arn: str
    tags: dict[str, str]
    request: Mapping[str, Any]
    algorithm: str
    created: float

    @property
    def container(self) -> Mapping[str, Any]:
        """The single container, as the request describes it."""
        return container_of(self.request)

    @property
    def multi_model(self) -> bool:
        """True if it is a prefix of models, each loaded with its first request."""
        return bool(self.container.get("Mode") == "MultiModel")

    def order(self) -> dict[str, Any]:
        """Return the order for a process that serves it."""
        return {
            "algorithm": self.algorithm,
            "model_data": self.container["ModelDataUrl"],
            "multi_model": self.multi_model,
            "role": self.request["ExecutionRoleArn"],
        }

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeModel."""
        described = {name: value for name, value in self.request.items() if name != "Tags"}
        return {
            "EnableNetworkIsolation": False,
            **described,
            "ModelArn": self.arn,
            "CreationTime": self.created,
        }


class Models:
    """The models of one account and region."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.items: Resources[Model] = Resources(
            account,
            "model",
            "ModelName",
            taken=lambda arn: ValidationError(f'Cannot create already existing model "{arn}".'),
            missing=lambda arn: ValidationError(f'Could not find model "{arn}".'),
        )
        self.operations: Mapping[str, Operation] = {
            "CreateModel": self._create,
            "DescribeModel": lambda request, _: self.items.of(request).describe(),
            "DeleteModel": self._delete,
            "ListModels": self._list,
        }

    def role(self, model: Model, arn: str) -> Credentials:
        """Return the execution role's credentials for the resource ``arn`` that serves the model."""
        try:
            return self._account.role_credentials(
                model.request["ExecutionRoleArn"], "sagemaker.amazonaws.com", arn
            )
        except LookupError as error:
            raise ValidationError(str(error)) from error

    def stop(self) -> None:
        """Do nothing: a model runs nothing."""

    def _create(self, request: dict[str, Any], caller: str) -> dict[str, Any]:
        name = request["ModelName"]
        self.items.check_free(name)
        container = container_of(request)
        for member in ("Image", "ModelDataUrl"):
            if not container.get(member):
                raise ValidationError(
                    f"The stand-in serves models with an Image and a ModelDataUrl: no {member}."
                )
        if "ExecutionRoleArn" not in request:
            raise ValidationError("ExecutionRoleArn is required for a model with ModelDataUrl.")
        algorithm = check_image(container["Image"], self._account.region)
        multi_model = container.get("Mode") == "MultiModel"
        if multi_model and not algorithm_named(algorithm).inference.multi_model:
            raise ValidationError(
                f"Your Ecr Image {container['Image']} does not contain required "
                "com.amazonaws.sagemaker.capabilities.multi-models=true Docker label(s)."
            )
        arn = self.items.arn(name)
        role = passed_role(self._account, caller, request["ExecutionRoleArn"], arn)
        if not multi_model:
            self._check_data(container["ModelDataUrl"], role, request["ExecutionRoleArn"])
        self.items.add(name, Model(arn, tags_of(request), request, algorithm, time.time()))
        return {"ModelArn": arn}

    def _check_data(self, uri: str, role: Credentials, role_arn: str) -> None:
        bucket, key = split_uri(uri)
        try:
            self._account.client("s3", role).head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            raise ValidationError(download_problem(error, uri, role_arn)) from error

    def _delete(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        self.items.remove(request)
        return {}

    def _list(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        names = ("ModelName", "ModelArn", "CreationTime")
        summaries = [
            {name: described[name] for name in names}
            for described in (model.describe() for model in self.items.all())
        ]
        return listed("Models", summaries, request, name="ModelName")


def container_of(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the container of a CreateModel request. Raises ValidationError unless there is exactly one."""
    containers = request.get("Containers") or []
    if "PrimaryContainer" in request:
        containers = [request["PrimaryContainer"], *containers]
    if len(containers) != 1:
        raise ValidationError(f"The stand-in serves models of one container; this one has {len(containers)}.")
    container: Mapping[str, Any] = containers[0]
    return container
