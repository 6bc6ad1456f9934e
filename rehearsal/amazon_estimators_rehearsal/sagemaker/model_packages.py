"""Implement the model registry: model package groups, and the versions in them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amazon_estimators_rehearsal.sagemaker.account import Account
from amazon_estimators_rehearsal.sagemaker.errors import (
    AccessDeniedError,
    ConflictError,
    ServiceError,
    ValidationError,
)
from amazon_estimators_rehearsal.sagemaker.resources import Operation, Resources, tags_of

CHANGED = "SageMaker Model Package State Change"
_SUMMARY = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
)
_UPDATED = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
    "InferenceSpecification",
)
"""The members that UpdateModelPackage replaces."""


@dataclass
class ModelPackage:
    """A version: the request that created it, with later updates."""

    arn: str
    group: str
    version: int
    members: dict[str, Any]
    created: float = field(default_factory=time.time)
    tags: dict[str, str] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeModelPackage."""
        return {
            **self.members,
            "ModelPackageName": self.group,
            "ModelPackageGroupName": self.group,
            "ModelPackageVersion": self.version,
            "ModelPackageArn": self.arn,
            "CreationTime": self.created,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CertifyForMarketplace": False,
        }


@dataclass
class ModelPackageGroup:
    """A group and its versions, oldest first."""

    arn: str
    name: str
    tags: dict[str, str]
    description: str
    created: float = field(default_factory=time.time)
    versions: list[ModelPackage] = field(default_factory=list)
    made: int = 0
    by_token: dict[str, ModelPackage] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeModelPackageGroup."""
        return {
            "ModelPackageGroupName": self.name,
            "ModelPackageGroupArn": self.arn,
            **({"ModelPackageGroupDescription": self.description} if self.description else {}),
            "CreationTime": self.created,
            "CreatedBy": {},
            "ModelPackageGroupStatus": "Completed",
        }


class ModelPackages:
    """The model package groups of one account and region."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.items: Resources[ModelPackageGroup] = Resources(
            account,
            "model-package-group",
            "ModelPackageGroupName",
            taken=lambda arn: ValidationError(f"Model Package Group already exists: {arn}"),
            missing=lambda arn: ValidationError(f"Model Package Group does not exist: {arn}"),
        )
        self.operations: Mapping[str, Operation] = {
            "CreateModelPackageGroup": self._create_group,
            "DescribeModelPackageGroup": lambda request, _: self.items.of(request).describe(),
            "DeleteModelPackageGroup": self._delete_group,
            "ListModelPackageGroups": self._list_groups,
            "CreateModelPackage": self._create,
            "DescribeModelPackage": lambda request, _: self._package(request["ModelPackageName"]).describe(),
            "ListModelPackages": self._list,
            "UpdateModelPackage": self._update,
            "DeleteModelPackage": self._delete,
        }

    def stop(self) -> None:
        """Do nothing: a registry runs nothing."""

    def arn_of(self, request: Mapping[str, Any]) -> str:
        """Return the ARN that a request is about, for the permission check; ``*`` if it names none."""
        for member in ("ModelPackageArn", "ModelPackageName"):
            if member in request:
                return str(request[member])
        name = request.get("ModelPackageGroupName")
        return self.items.arn(_bare(name)) if name else "*"

    def _create_group(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        name = request["ModelPackageGroupName"]
        arn, description = self.items.arn(name), request.get("ModelPackageGroupDescription", "")
        self.items.add(name, ModelPackageGroup(arn, name, tags_of(request), description))
        return {"ModelPackageGroupArn": arn}

    def _delete_group(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        if self.items.of(request).versions:
            raise ConflictError("Model Package Group cannot be deleted: it contains model packages.")
        self.items.remove(request)
        return {}

    def _list_groups(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        names = (
            "ModelPackageGroupName",
            "ModelPackageGroupArn",
            "ModelPackageGroupDescription",
            "CreationTime",
            "ModelPackageGroupStatus",
        )
        described = [group.describe() for group in self.items.all()]
        contains = request.get("NameContains", "")
        return {
            "ModelPackageGroupSummaryList": [
                {name: group[name] for name in names if name in group}
                for group in described
                if contains in group["ModelPackageGroupName"]
            ]
        }

    def _create(self, request: dict[str, Any], caller: str) -> dict[str, Any]:
        if "ModelPackageName" in request or "ModelPackageGroupName" not in request:
            raise ValidationError("The stand-in registers versions: give ModelPackageGroupName alone.")
        if request.get("Tags"):
            raise ValidationError("Tags are not supported for a versioned model package: tag its group.")
        if "InferenceSpecification" not in request:
            raise ValidationError("InferenceSpecification or SourceAlgorithmSpecification is required.")
        group = self.items.named(_bare(request["ModelPackageGroupName"]))
        token = request.get("ClientToken")
        if token in group.by_token:
            return {"ModelPackageArn": group.by_token[token].arn}
        version = group.made + 1
        arn = f"{group.arn.replace(':model-package-group/', ':model-package/')}/{version}"
        denial = self._account.denial(caller, "sagemaker:CreateModelPackage", arn)
        if denial:
            raise AccessDeniedError(denial)
        members = {
            name: value
            for name, value in request.items()
            if name not in ("ClientToken", "Tags", "ModelPackageGroupName")
        }
        members.setdefault("ModelApprovalStatus", "PendingManualApproval")
        package = ModelPackage(arn, group.name, version, members)
        group.made = version
        group.versions.append(package)
        if token:
            group.by_token[token] = package
        self._announce(package)
        return {"ModelPackageArn": arn}

    def _list(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        group = self.items.named(_bare(request["ModelPackageGroupName"]))
        wanted = request.get("ModelApprovalStatus")
        matching = [
            {name: described[name] for name in _SUMMARY if name in described}
            for described in (package.describe() for package in group.versions)
            if wanted in (None, described["ModelApprovalStatus"])
        ]
        if request.get("SortOrder", "Descending") == "Descending":
            matching.reverse()
        return {"ModelPackageSummaryList": matching[: request.get("MaxResults", 100)]}

    def _update(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        package = self._package(request["ModelPackageArn"])
        package.members |= {name: request[name] for name in _UPDATED if name in request}
        metadata = dict(package.members.get("CustomerMetadataProperties", {}))
        metadata |= request.get("CustomerMetadataProperties", {})
        for name in request.get("CustomerMetadataPropertiesToRemove", ()):
            metadata.pop(name, None)
        if metadata:
            package.members["CustomerMetadataProperties"] = metadata
        self._announce(package)
        return {"ModelPackageArn": package.arn}

    def _delete(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        package = self._package(request["ModelPackageName"])
        self.items.named(package.group).versions.remove(package)
        return {}

    def _package(self, arn: str) -> ModelPackage:
        for group in self.items.all():
            for package in group.versions:
                if package.arn == arn:
                    return package
        raise _missing(arn)

    def _announce(self, package: ModelPackage) -> None:
        described = package.describe()
        names = (*_SUMMARY, "ModelPackageName")
        detail = {name: described[name] for name in names if name in described}
        self._account.publish(CHANGED, detail, package.arn)


def _missing(arn: str) -> ServiceError:
    return ValidationError(f"ModelPackage {arn} does not exist.")


def _bare(name: str) -> str:
    """Return the name of a group from its name or ARN."""
    return str(name).rpartition("/")[2]
