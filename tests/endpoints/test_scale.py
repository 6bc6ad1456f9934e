"""Application Auto Scaling: what it is asked, and that an update is not in its way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session
from botocore.validate import ParamValidator
from fake_sagemaker import SETTINGS, FakeSageMaker

from amazon_estimators.errors import ServiceError
from amazon_estimators.serving.deploy import deploy
from amazon_estimators.serving.scale import scale, stop_scaling

SCALED = replace(
    SETTINGS,
    scaling={
        "least": 1,
        "most": 4,
        "invocations": 1000,
        "scale_in_seconds": 300,
        "scale_out_seconds": 60,
    },
)
MODEL = Session().get_service_model("application-autoscaling")


class Scaler:
    """Application Auto Scaling behind botocore's model. ``code`` is the error of its answers."""

    def __init__(self, code: str = "") -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.code = code

    def _answer(self, operation: str, request: dict[str, Any]) -> None:
        shape = MODEL.operation_model(operation).input_shape
        assert ParamValidator().validate(request, shape).generate_report() == ""
        self.asked.append((operation, request))
        if self.code:
            raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, operation)

    def register_scalable_target(self, **request: Any) -> None:
        self._answer("RegisterScalableTarget", request)

    def put_scaling_policy(self, **request: Any) -> None:
        self._answer("PutScalingPolicy", request)

    def deregister_scalable_target(self, **request: Any) -> None:
        self._answer("DeregisterScalableTarget", request)


def test_the_variant_is_registered_with_its_limits_and_a_policy() -> None:
    scaler = Scaler()
    scale(scaler, SCALED)
    (_, target), (_, policy) = scaler.asked
    assert target["ResourceId"] == policy["ResourceId"] == "endpoint/online/variant/AllTraffic"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 1000
    assert policy["TargetTrackingScalingPolicyConfiguration"]["ScaleOutCooldown"] == 60


def test_a_variant_that_was_not_scaled_is_no_problem() -> None:
    stop_scaling(Scaler("ObjectNotFoundException"), SCALED)
    with pytest.raises(ServiceError, match="AccessDeniedException"):
        stop_scaling(Scaler("AccessDeniedException"), SCALED)


def deployed(instance_type: str) -> tuple[Scaler, dict[str, Any]]:
    """An endpoint of ml.m5.large that is updated to another type: what the scaler and the update were."""
    sagemaker, scaler, updates = FakeSageMaker(), Scaler(), []
    update = sagemaker.update_endpoint

    def recorded(**request: Any) -> None:
        updates.append(request)
        update(**request)

    recorded.__name__ = "update_endpoint"
    sagemaker.update_endpoint = recorded  # type: ignore[method-assign]
    attempt: dict[str, Any] = {}
    for name in ("ml.m5.large", instance_type):
        sagemaker.train()
        settings = replace(SCALED, variant={"InstanceType": name, "InitialInstanceCount": 1})
        for _ in range(4):
            attempt = deploy(None, sagemaker, settings, attempt, 0, autoscaling=scaler)
            sagemaker.advance()
    assert sagemaker.serving == sagemaker.models[-1]
    (request,) = updates
    return scaler, request


def test_an_update_keeps_the_number_of_instances() -> None:
    scaler, update = deployed("ml.m5.large")
    assert update["RetainAllVariantProperties"] is True
    assert scaler.asked == []


def test_another_instance_type_is_deployed_without_scaling() -> None:
    scaler, _ = deployed("ml.c5.large")
    assert [operation for operation, _ in scaler.asked] == ["DeregisterScalableTarget"]
