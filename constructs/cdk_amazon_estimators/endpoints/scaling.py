"""Scale the instances of an endpoint with its requests, between two limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types

POLICY = "https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-policy.html"
SERVICE = "sagemaker.application-autoscaling.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Adds instances while requests are many, and takes them away again.

    Args:
        least: The fewest instances, 1 or more. Default: 1.
        most: The most instances.
        invocations: The requests per minute that one instance is meant to serve: CloudWatch's
            InvocationsPerInstance is kept near it.
        scale_in_cooldown: How long to wait between two removals. Default: 5 minutes.
        scale_out_cooldown: How long to wait between two additions. Default: 5 minutes.
    """

    least: int = 1
    most: int
    invocations: int
    scale_in_cooldown: Duration = field(default_factory=lambda: Duration.minutes(5))
    scale_out_cooldown: Duration = field(default_factory=lambda: Duration.minutes(5))

    def check(self, problems: Problems, instance_type: str | None) -> None:
        """Note limits that make no range, and instances that are not scaled."""
        if not check_types(problems, Scaling.__init__, vars(self), of="Scaling."):
            return
        problems.unless(
            1 <= self.least <= self.most,
            f"Scaling has least={self.least} and most={self.most}; allowed: 1 <= least <= most",
        )
        problems.unless(
            self.invocations >= 1, f"Scaling.invocations is {self.invocations}; allowed: 1 or more"
        )
        problems.unless(
            instance_type is None or not instance_type.startswith("ml.t"),
            f"scaling on {instance_type}; allowed: types that are not burstable, which auto scaling does not "
            f"support. Source: {POLICY}",
        )

    def settings(self) -> dict[str, Any]:
        """Return what the functions read."""
        return {
            "least": self.least,
            "most": self.most,
            "invocations": self.invocations,
            "scale_in_seconds": self.scale_in_cooldown.to_seconds(),
            "scale_out_seconds": self.scale_out_cooldown.to_seconds(),
        }


def scaling_statements(
    scope: Construct, endpoint_name: str, arns: Sequence[str]
) -> list[iam.PolicyStatement]:
    """Return what it takes to scale an endpoint.

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html

    Args:
        scope: The endpoint.
        endpoint_name: Its name.
        arns: The ARNs of the endpoint and its configurations.
    """
    stack = Stack.of(scope)

    def arn(service: str, resource: str, name: str, arn_format: ArnFormat, **more: str) -> str:
        return stack.format_arn(
            service=service, resource=resource, resource_name=name, arn_format=arn_format, **more
        )

    role = f"aws-service-role/{SERVICE}/"
    return [
        _on_targets(scope, "PutScalingPolicy", "RegisterScalableTarget"),
        iam.PolicyStatement(
            actions=["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"],
            resources=[
                arn(
                    "cloudwatch",
                    "alarm",
                    f"TargetTracking-endpoint/{endpoint_name}/*",
                    ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
        ),
        iam.PolicyStatement(
            actions=[
                "sagemaker:DescribeEndpoint",
                "sagemaker:DescribeEndpointConfig",
                "sagemaker:UpdateEndpointWeightsAndCapacities",
            ],
            resources=list(arns),
        ),
        iam.PolicyStatement(
            actions=["iam:CreateServiceLinkedRole"],
            resources=[
                arn(
                    "iam",
                    "role",
                    f"{role}AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
                    ArnFormat.SLASH_RESOURCE_NAME,
                    region="",
                )
            ],
            conditions={"StringEquals": {"iam:AWSServiceName": SERVICE}},
        ),
    ]


def stop_scaling_statement(scope: Construct) -> iam.PolicyStatement:
    """Return what it takes to stop scaling an endpoint."""
    return _on_targets(scope, "DeregisterScalableTarget")


def _on_targets(scope: Construct, *actions: str) -> iam.PolicyStatement:
    """Allow actions on SageMaker's scalable targets, which are named when they are registered."""
    return iam.PolicyStatement(
        actions=[f"application-autoscaling:{action}" for action in actions],
        resources=[
            Stack.of(scope).format_arn(
                service="application-autoscaling",
                resource="scalable-target",
                resource_name="*",
                arn_format=ArnFormat.SLASH_RESOURCE_NAME,
            )
        ],
        conditions={"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}},
    )
