"""Add Application Auto Scaling, which the emulator lacks: it keeps targets and policies, and scales nothing.

https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from ministack import app
from ministack.core import router
from ministack.services import stepfunctions

from amazon_estimators_rehearsal.emulator.account import EmulatedAccount
from amazon_estimators_rehearsal.environment import ACCOUNT, REGION
from amazon_estimators_rehearsal.sagemaker.checks.request_schema import validate
from amazon_estimators_rehearsal.sagemaker.errors import UnknownOperationError, ValidationError

SERVICE, TARGET = "application-autoscaling", "AnyScaleFrontendService"
NAMESPACE_KEY = f"{SERVICE}:service-namespace"
PLACE = ("ServiceNamespace", "ResourceId", "ScalableDimension")


class RefusedError(Exception):
    """An error of the service, with its code."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class AutoScaling:
    """The scalable targets and policies of the account, by namespace, resource and dimension."""

    def __init__(self, account: EmulatedAccount) -> None:
        self._account = account
        self._targets: dict[tuple[str, ...], dict[str, Any]] = {}
        self._policies: dict[tuple[str, ...], dict[str, Any]] = {}

    def answer(self, operation: str, request: Mapping[str, Any], caller: str) -> dict[str, Any]:
        """Answer one request, as the caller. Raises RefusedError."""
        try:
            validate(operation, request, SERVICE)
        except (UnknownOperationError, ValidationError) as error:
            raise RefusedError("ValidationException", str(error)) from None
        denial = self._account.denial(
            caller,
            f"{SERVICE}:{operation}",
            f"arn:aws:{SERVICE}:{REGION}:{ACCOUNT}:scalable-target/*",
            {NAMESPACE_KEY: request["ServiceNamespace"]},
        )
        if denial is not None:
            raise RefusedError("AccessDeniedException", denial)
        place = tuple(request.get(name, "") for name in PLACE)
        match operation:
            case "RegisterScalableTarget":
                return self._register(place, request)
            case "DeregisterScalableTarget":
                self._check_registered(place)
                del self._targets[place]
                self._policies = {at: policy for at, policy in self._policies.items() if at[:3] != place}
                return {}
            case "PutScalingPolicy":
                self._check_registered(place)
                arn = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:{len(self._policies)}"
                kept = {**request, "PolicyARN": arn, "CreationTime": 0}
                self._policies[(*place, request["PolicyName"])] = kept
                return {"PolicyARN": arn, "Alarms": []}
            case "DescribeScalableTargets":
                targets = [target for at, target in self._targets.items() if at[0] == place[0]]
                return {"ScalableTargets": targets}
            case "DescribeScalingPolicies":
                policies = [policy for at, policy in self._policies.items() if at[0] == place[0]]
                return {"ScalingPolicies": policies}
        raise RefusedError("ValidationException", f"the local account has no {operation} of this service")

    def _register(self, place: tuple[str, ...], request: Mapping[str, Any]) -> dict[str, Any]:
        target = {"CreationTime": 0, **self._targets.get(place, {}), **request}
        if target.get("MinCapacity", 0) > target.get("MaxCapacity", 0):
            raise RefusedError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        self._targets[place] = target
        return {}

    def _check_registered(self, place: tuple[str, ...]) -> None:
        if place not in self._targets:
            where = f"service namespace: {place[0]}, resource ID: {place[1]}"
            raise RefusedError("ObjectNotFoundException", f"No scalable target registered for {where}")


def add_auto_scaling(account: EmulatedAccount) -> None:
    """Serve it. It checks permissions itself, because they depend on the namespace in the request."""
    scaling = AutoScaling(account)

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        caller = router.extract_access_key_id(headers, query)
        try:
            request = json.loads(body or b"{}")
            return stepfunctions.json_response(
                await asyncio.to_thread(scaling.answer, operation, request, caller)
            )
        except RefusedError as refused:
            return stepfunctions.error_response_json(refused.code, str(refused), 400)

    router.SERVICE_PATTERNS[SERVICE] = {"target_prefixes": [TARGET]}
    app.SERVICE_REGISTRY[SERVICE] = {"module": SERVICE}
    app.SERVICE_HANDLERS[SERVICE] = handle
    app._loaded_modules[SERVICE] = SimpleNamespace(handle_request=handle)
