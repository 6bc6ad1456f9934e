"""Scale: let Application Auto Scaling choose the number of an endpoint's instances.

An endpoint can be registered once it exists, so this is a step of a deployment and nothing of a template.
https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-add-policy.html
"""

from __future__ import annotations

from typing import Any

from amazon_estimators.errors import ServiceError
from amazon_estimators.serving.calls import call
from amazon_estimators.serving.settings import EndpointSettings
from amazon_estimators.serving.wanted import VARIANT

POLICY = "requests-per-instance"
UNKNOWN = "ObjectNotFoundException"


def target_of(settings: EndpointSettings) -> dict[str, str]:
    """Return the members of a request that name the endpoint's variant."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{settings.name}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def scale(autoscaling: Any, settings: EndpointSettings) -> None:
    """Register the variant with its limits, and put the policy. Both may be repeated."""
    scaling = settings.scaling
    assert scaling is not None
    target = target_of(settings)
    call(
        autoscaling.register_scalable_target,
        settings.name,
        **target,
        MinCapacity=scaling["least"],
        MaxCapacity=scaling["most"],
    )
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    call(
        autoscaling.put_scaling_policy,
        settings.name,
        **target,
        PolicyName=POLICY,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": scaling["invocations"],
            "PredefinedMetricSpecification": metric,
            "ScaleInCooldown": scaling["scale_in_seconds"],
            "ScaleOutCooldown": scaling["scale_out_seconds"],
        },
    )


def stop_scaling(autoscaling: Any, settings: EndpointSettings) -> None:
    """Deregister the variant, if it is registered.

    An update that changes the instance type of a registered variant fails:
    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
    """
    try:
        call(autoscaling.deregister_scalable_target, settings.name, **target_of(settings))
    except ServiceError as error:
        if UNKNOWN not in error.message:
            raise
