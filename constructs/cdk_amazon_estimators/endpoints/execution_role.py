"""The execution role of an endpoint's models: the rights of the serving container."""

from __future__ import annotations

from aws_cdk import Annotations, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from amazon_estimators.pipeline import keys
from cdk_amazon_estimators.access.container import container_statements
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.access.service_role import service_role
from cdk_amazon_estimators.access.volumes import grant_volumes
from cdk_amazon_estimators.training_pipeline import TrainingPipeline

ENDPOINTS = "/aws/sagemaker/Endpoints"
"""The beginning of the log groups of endpoints, and the namespace of their instances' metrics."""
NOT_GRANTED = "cdk-amazon-estimators:executionRoleNotGranted"
"""The id by which the warning is acknowledged."""


def new_execution_role(scope: Construct, construct_id: str) -> iam.Role:
    """Make a role for SageMaker without permissions."""
    return service_role(scope, construct_id, "sagemaker.amazonaws.com", "Serves the models of one pipeline")


def grant_serving(
    role: iam.IRole,
    pipeline: TrainingPipeline,
    *,
    scope: Construct,
    endpoint_name: str,
    volume_key: kms.IKey | None,
    captures: str | None,
    capture_key: kms.IKey | None,
    multi_model: bool,
) -> None:
    """Allow ``role`` to read models, pull the image, log, send metrics, and what the endpoint's props need.

    Args:
        role: The execution role.
        pipeline: The pipeline whose models are served.
        scope: The endpoint's construct, which is warned if the role cannot be granted anything.
        endpoint_name: The endpoint's name.
        volume_key: The KMS key of the instances' volumes.
        captures: The prefix in the model bucket that captured requests are written to.
        capture_key: The KMS key of captured requests; None for that of the bucket.
        multi_model: The container lists and loads models by itself.
    """
    layout = pipeline.layout
    models = S3Access(role, layout.model_bucket, layout.encryption_key)
    models.read([f"{layout.models}{keys.ANY}"])
    if multi_model:
        models.list([layout.models])
    if captures is not None:
        S3Access(role, layout.model_bucket, capture_key).write([f"{captures}{keys.ANY}"])
    for statement in container_statements(
        scope,
        repository_arn=pipeline.training_image.repository_arn,
        log_group=f"{ENDPOINTS}/{endpoint_name}",
        streams=[keys.ANY],
        namespace=ENDPOINTS,
    ):
        role.add_to_principal_policy(statement)
    if volume_key is not None:
        grant_volumes(role, volume_key)
    _warn_unless_granted(scope, role)


def grant_rollback(role: iam.IRole, alarm: cloudwatch.IAlarm) -> None:
    """Allow ``role`` to look at an alarm that rolls an update back.

    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    """
    role.add_to_principal_policy(
        iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=[alarm.alarm_arn])
    )


def _warn_unless_granted(scope: Construct, role: iam.IRole) -> None:
    """Warn if CDK dropped what was granted, as it does in silence for a role that it must not change."""
    if any(isinstance(one, iam.Policy) for one in role.node.find_all()):
        return
    name = role.node.path if Token.is_unresolved(role.role_arn) else role.role_arn
    Annotations.of(scope).add_warning_v2(
        NOT_GRANTED,
        f"{name} cannot be changed by this app (mutable=False, or another account's), so nothing was granted "
        "to it: the endpoint fails unless it may do what docs/endpoints.md lists under 'A role of your own'.",
    )
