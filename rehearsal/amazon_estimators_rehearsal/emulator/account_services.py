"""Add what the emulator lacks of an account: Service Quotas, and Amazon's images in Amazon ECR."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from ministack import app
from ministack.core import iam_actions, router
from ministack.services import ecr, stepfunctions

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.algorithms.training_images import image_accounts
from amazon_estimators_rehearsal.environment import ACCOUNT, REGION
from amazon_estimators_rehearsal.sagemaker.checks.request_schema import sdk

SERVICE, TARGET = "servicequotas", "ServiceQuotasV20190624"
USAGES = {
    "training job usage": ("TrainingInstanceType", 20.0),
    "spot training job usage": ("TrainingInstanceType", 20.0),
    "training warm pool usage": ("TrainingInstanceType", 0.0),
    "transform job usage": ("TransformInstanceType", 20.0),
    "endpoint usage": ("ProductionVariantInstanceType", 20.0),
}
"""The quotas, each with the enumeration of its instance types and its value in a new local account."""


def add_service_quotas() -> None:
    """Let the emulator list SageMaker's quotas. A request for another value is granted at once."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        request, quotas = json.loads(body or b"{}"), _quotas()
        match headers.get("x-amz-target", "").rpartition(".")[2]:
            case "ListServiceQuotas" if request["ServiceCode"] == "sagemaker":
                answer: Mapping[str, Any] = {"Quotas": [*quotas.values()]}
            case "RequestServiceQuotaIncrease" if request["QuotaCode"] in quotas:
                quotas[request["QuotaCode"]]["Value"] = request["DesiredValue"]
                answer = {"RequestedQuota": {**request, "Status": "APPROVED"}}
            case operation:
                reason = f"the local account has no {operation} of this service or quota"
                return stepfunctions.error_response_json("NoSuchResourceException", reason, 400)
        return stepfunctions.json_response(answer)

    router.SERVICE_PATTERNS[SERVICE] = {"target_prefixes": [TARGET]}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    app.SERVICE_REGISTRY[SERVICE] = {"module": SERVICE}
    app.SERVICE_HANDLERS[SERVICE] = handle
    app._loaded_modules[SERVICE] = SimpleNamespace(handle_request=handle)


@functools.cache
def _quotas() -> dict[str, dict[str, Any]]:
    """Return SageMaker's quotas by code, as they stand."""
    model = sdk().get_service_model("sagemaker")
    quotas = {}
    for name, value in (
        (f"{one} for {usage}", value)
        for usage, (types, value) in USAGES.items()
        for one in model.shape_for(types).enum
    ):
        code = f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}"
        quotas[code] = {
            "ServiceCode": "sagemaker",
            "ServiceName": "Amazon SageMaker",
            "QuotaArn": f"arn:aws:servicequotas:{REGION}:{ACCOUNT}:sagemaker/{code}",
            "QuotaCode": code,
            "QuotaName": name,
            "Value": value,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }
    return quotas


def publish_training_images() -> None:
    """Let the emulator answer for the images that Amazon publishes, in Amazon's own registries."""
    images = {
        (image_accounts(algorithm.repo_name)[REGION], algorithm.repo_name): algorithm.repo_version
        for algorithm in ALGORITHMS.values()
    }
    own = ecr._batch_get_image

    @functools.wraps(own)
    def batch_get_image(request: dict[str, Any]) -> Any:
        registry, name = request.get("registryId", ACCOUNT), request["repositoryName"]
        if registry == ACCOUNT:
            return own(request)
        tag = images.get((registry, name))
        if tag is None:
            reason = f"The repository with name '{name}' does not exist in the registry with id '{registry}'"
            return stepfunctions.error_response_json("RepositoryNotFoundException", reason, 400)
        asked = request["imageIds"]
        found = [one for one in asked if one.get("imageTag") == tag]
        about = {"registryId": registry, "repositoryName": name, "imageManifest": "{}"}
        return stepfunctions.json_response(
            {
                "images": [{**about, "imageId": one} for one in found],
                "failures": [
                    {"imageId": one, "failureCode": "ImageNotFound"} for one in asked if one not in found
                ],
            }
        )

    ecr._batch_get_image = batch_get_image
