"""Register an estimator's model as a model package: ``EstimatorBase.register()``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amazon_estimators.errors import RequestError


@dataclass(frozen=True)
class ModelPackage:
    """A version in the registry, with its ``model_package_arn``."""

    model_package_arn: str


def model_package_request(
    image: str,
    model_data: str,
    *,
    content_types: Sequence[str],
    response_types: Sequence[str],
    inference_instances: Sequence[str] | None,
    transform_instances: Sequence[str] | None,
    model_package_name: str | None,
    model_package_group_name: str | None,
    approval_status: str | None,
    description: str | None,
    marketplace_cert: bool,
    customer_metadata_properties: Mapping[str, str] | None,
    tags: list[dict[str, str]] | None,
) -> dict[str, Any]:
    """Return the CreateModelPackage request.

    Raises RequestError unless exactly one of ``model_package_name`` and ``model_package_group_name`` is set.
    """
    if (model_package_name is None) == (model_package_group_name is None):
        raise RequestError("pass either model_package_name or model_package_group_name")
    inference: dict[str, Any] = {
        "Containers": [{"Image": image, "ModelDataUrl": model_data}],
        "SupportedContentTypes": list(content_types),
        "SupportedResponseMIMETypes": list(response_types),
    }
    if inference_instances:
        inference["SupportedRealtimeInferenceInstanceTypes"] = list(inference_instances)
    if transform_instances:
        inference["SupportedTransformInstanceTypes"] = list(transform_instances)
    request = {
        "ModelPackageName": model_package_name,
        "ModelPackageGroupName": model_package_group_name,
        "ModelPackageDescription": description,
        "InferenceSpecification": inference,
        "CertifyForMarketplace": True if marketplace_cert else None,
        "ModelApprovalStatus": approval_status or "PendingManualApproval",
        "CustomerMetadataProperties": dict(customer_metadata_properties or {}) or None,
        # A version of a group has the group's tags.
        "Tags": tags if model_package_name else None,
    }
    return {name: value for name, value in request.items() if value is not None}
