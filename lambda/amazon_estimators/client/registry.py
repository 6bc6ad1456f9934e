"""List the registered models of a pipeline, approve or reject one, or roll back to the previous one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amazon_estimators.errors import RequestError
from amazon_estimators.pipeline.current_model import CurrentModel, registered_model
from amazon_estimators.storage.sessions import client_of

APPROVED, REJECTED, PENDING = "Approved", "Rejected", "PendingManualApproval"


@dataclass(frozen=True)
class RegisteredModel:
    """One version of a model package group."""

    version: int
    arn: str
    status: str
    created: datetime
    model: CurrentModel

    def facts(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "version": self.version,
            "status": self.status,
            "created": self.created.isoformat(),
            "job": self.model.job,
            "model": self.model.model,
            "data_set": self.model.data_set,
            "metrics": dict(self.model.metrics),
            "model_package": self.arn,
        }


class ModelRegistry:
    """A model package group. The newest approved version is the model in use."""

    def __init__(self, group: str, *, session: Any = None) -> None:
        self.group = group
        self._sagemaker = client_of(session, "sagemaker")

    def models(self, most: int = 100) -> list[RegisteredModel]:
        """Return the versions, newest first, up to ``most``."""
        return [self._model(summary) for summary in self._summaries()[:most]]

    def current(self) -> RegisteredModel | None:
        """Return the model in use; None if no version is approved."""
        approved = [one for one in self._summaries() if one["ModelApprovalStatus"] == APPROVED]
        return self._model(approved[0]) if approved else None

    def approve(self, version: int | None = None, *, reason: str = "") -> RegisteredModel:
        """Approve a version, by default the newest that is pending, and return the model then in use.

        Raises:
            RequestError: There is no such version, or none is pending.
        """
        self._set(self._chosen(version, PENDING), APPROVED, reason)
        current = self.current()
        assert current is not None
        return current

    def reject(self, version: int | None = None, *, reason: str = "") -> RegisteredModel | None:
        """Reject a version, by default the newest that is pending, and return the model then in use.

        Raises:
            RequestError: There is no such version, or none is pending.
        """
        self._set(self._chosen(version, PENDING), REJECTED, reason)
        return self.current()

    def rollback(self, *, reason: str = "") -> RegisteredModel:
        """Reject the model in use, and return the previously approved one, which is then in use.

        Raises:
            RequestError: No other version is approved.
        """
        approved = [one for one in self._summaries() if one["ModelApprovalStatus"] == APPROVED]
        if len(approved) < 2:
            raise RequestError(
                f"{self.group} has {len(approved)} approved versions: there is none to go back to",
                remedy="Approve an older version first, or reject the model in use by its version.",
            )
        self._set(approved[0], REJECTED, reason)
        return self._model(approved[1])

    def _chosen(self, version: int | None, status: str) -> Mapping[str, Any]:
        summaries = self._summaries()
        if version is None:
            fitting = [one for one in summaries if one["ModelApprovalStatus"] == status]
            if not fitting:
                raise RequestError(f"no version of {self.group} is {status}", remedy="Name a version.")
            return fitting[0]
        for one in summaries:
            if one["ModelPackageVersion"] == version:
                return one
        known = ", ".join(str(one["ModelPackageVersion"]) for one in summaries[:10]) or "none"
        raise RequestError(f"{self.group} has no version {version}; there are {known}")

    def _set(self, summary: Mapping[str, Any], status: str, reason: str) -> None:
        self._sagemaker.update_model_package(
            ModelPackageArn=summary["ModelPackageArn"],
            ModelApprovalStatus=status,
            **({"ApprovalDescription": reason} if reason else {}),
        )

    def _summaries(self) -> list[Mapping[str, Any]]:
        pages = self._sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=self.group, SortBy="CreationTime", SortOrder="Descending"
        )
        return [one for page in pages for one in page["ModelPackageSummaryList"]]

    def _model(self, summary: Mapping[str, Any]) -> RegisteredModel:
        package = self._sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
        return RegisteredModel(
            package["ModelPackageVersion"],
            package["ModelPackageArn"],
            package["ModelApprovalStatus"],
            package["CreationTime"],
            registered_model(package),
        )
