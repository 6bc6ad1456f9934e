"""Register the SageMaker stand-in with the emulator, and with its CloudFormation."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Mapping
from typing import Any

from ministack import app
from ministack.core import iam_actions, responses, router
from ministack.services.cloudformation import provisioners

from amazon_estimators_rehearsal.emulator.account import EmulatedAccount
from amazon_estimators_rehearsal.environment import ACCESS_KEY
from amazon_estimators_rehearsal.sagemaker.invocations import endpoint_of
from amazon_estimators_rehearsal.sagemaker.service import SageMaker


def register_sagemaker(account: EmulatedAccount) -> None:
    """Register our SageMaker with the emulator, behind its signature and permission checks."""
    service = SageMaker(account)
    action_of, resource_of = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    @functools.wraps(action_of)
    def actions(name: str, *request: Any) -> Any:
        if name == "sagemaker" and endpoint_of(request[1]):
            return "sagemaker:InvokeEndpoint"
        return action_of(name, *request)

    @functools.wraps(resource_of)
    def resources(name: str, *request: Any) -> Any:
        if name != "sagemaker":
            return resource_of(name, *request)
        _, path, headers, body = request[:4]
        if endpoint_of(path):
            return service.endpoint(path)
        return service.resource(_operation(headers), json.loads(body or b"{}"))

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        if endpoint_of(path):
            return await asyncio.to_thread(service.invoke, path, headers, body)
        caller = router.extract_access_key_id(headers, query)
        return await asyncio.to_thread(service.handle, _operation(headers), body, caller)

    iam_actions.extract_iam_action, iam_actions.extract_resource_arn = actions, resources
    iam_actions.SERVICE_TO_IAM_NAMESPACE["sagemaker"] = "sagemaker"
    iam_actions._DENIED_CODES["sagemaker"] = "AccessDeniedException"
    # Otherwise an endpoint's JSON answers would get the control plane's content type.
    responses._WIRE_CT_SUCCESS_OVERRIDE["sagemaker"] = "application/json"
    _provision_model_package_groups(service)
    # For a service it does not know, the router reads the models of all services: three seconds.
    router.SERVICE_PATTERNS["sagemaker"] = {"target_prefixes": ["SageMaker"]}
    app.SERVICE_REGISTRY["sagemaker"] = {"module": "sagemaker"}
    app.SERVICE_HANDLERS["sagemaker"] = handle
    app._loaded_modules["sagemaker"] = service


def _provision_model_package_groups(service: SageMaker) -> None:
    """Let CloudFormation make model package groups, the one kind of SageMaker's that templates have."""

    def call(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        status, _, body = service.handle(operation, json.dumps(request).encode(), ACCESS_KEY)
        answer: dict[str, Any] = json.loads(body)
        if status != 200:
            raise ValueError(f"{operation}: {answer['message']}")
        return answer

    def create(logical_id: str, properties: dict[str, Any], _: str) -> tuple[str, dict[str, str]]:
        arn = call("CreateModelPackageGroup", properties)["ModelPackageGroupArn"]
        return arn, {"ModelPackageGroupArn": arn}

    def delete(_: str, properties: dict[str, Any]) -> None:
        call("DeleteModelPackageGroup", {"ModelPackageGroupName": properties["ModelPackageGroupName"]})

    provisioners._RESOURCE_HANDLERS["AWS::SageMaker::ModelPackageGroup"] = {
        "create": create,
        "delete": delete,
    }


def _operation(headers: Mapping[str, str]) -> str:
    return headers.get("x-amz-target", "").rpartition(".")[2]
