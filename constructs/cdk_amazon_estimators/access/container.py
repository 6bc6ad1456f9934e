"""Permissions of every container's execution role: pull the image, write logs, send metrics."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct


def container_statements(
    scope: Construct, *, repository_arn: str, log_group: str, streams: Sequence[str], namespace: str
) -> list[iam.PolicyStatement]:
    """Return the permissions of a container.

    Args:
        scope: The scope of the role.
        repository_arn: The repository of the image.
        log_group: The log group, such as ``/aws/sagemaker/TrainingJobs``.
        streams: Patterns of the log streams, such as ``"digits-1a2b3c4d-*"``.
        namespace: The namespace of the metrics that SageMaker puts as this role.
    """

    def arn(name: str) -> str:
        return Stack.of(scope).format_arn(
            service="logs",
            resource="log-group",
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    return [
        iam.PolicyStatement(
            actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            resources=[repository_arn],
        ),
        # A registry token belongs to the caller; the action has no resource type.
        iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
        iam.PolicyStatement(
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams"],
            resources=[arn(log_group), arn(f"{log_group}:*")],
        ),
        iam.PolicyStatement(
            actions=["logs:PutLogEvents"],
            resources=[arn(f"{log_group}:log-stream:{stream}") for stream in streams],
        ),
        # Metrics are not resources; only their namespace can be limited.
        iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": namespace}},
        ),
    ]
