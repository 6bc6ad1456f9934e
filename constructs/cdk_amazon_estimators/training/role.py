"""Grant the SageMaker execution role the permissions of the training container, on one pipeline's
resources."""

from __future__ import annotations

from aws_cdk import Annotations, Token
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_amazon_estimators.access.container import container_statements
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.access.service_role import service_role
from cdk_amazon_estimators.access.volumes import grant_volumes
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.training.image import TrainingImage

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
"""The log group of all training jobs, and the namespace of their metrics."""


NOT_GRANTED = "cdk-amazon-estimators:trainingRoleNotGranted"
"""The ID for acknowledging the warning."""


def new_training_role(scope: Construct, construct_id: str) -> iam.Role:
    """Create a role for SageMaker without permissions; :func:`grant_training` adds those of a pipeline."""
    return service_role(
        scope, construct_id, "sagemaker.amazonaws.com", "Runs the training jobs of one pipeline"
    )


def grant_training(
    role: iam.IRole,
    layout: PipelineLayout,
    *,
    scope: Construct,
    image: TrainingImage,
    job_name_prefix: str,
    tuning_name_prefix: str | None = None,
) -> None:
    """Allow ``role`` to read RecordSets, write models, pull the image, log, send metrics and use the keys.

    The names of its jobs begin with ``job_name_prefix``; those of a tuning job's trainings, whose logs it
    also writes, with ``tuning_name_prefix``.

    Warns on ``scope`` if the role cannot be granted anything.
    """
    data = S3Access(role, layout.data_bucket, layout.encryption_key)
    data.list([layout.recordsets])
    data.read([f"{layout.recordsets}*"])
    models = S3Access(role, layout.model_bucket, layout.encryption_key)
    models.list([layout.models])
    models.write([f"{layout.models}*"], multipart=True)
    prefixes = [name_prefix for name_prefix in (job_name_prefix, tuning_name_prefix) if name_prefix]
    for statement in container_statements(
        scope,
        repository_arn=image.repository_arn,
        log_group=LOG_GROUP,
        streams=[f"{name_prefix}-*" for name_prefix in prefixes],
        namespace=LOG_GROUP,
    ):
        role.add_to_principal_policy(statement)
    if layout.encryption_key:
        grant_volumes(role, layout.encryption_key)
    elif layout.model_bucket.encryption_key:
        # The jobs name the bucket's key for their output, which takes kms:Encrypt:
        # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html
        layout.model_bucket.encryption_key.grant(role, "kms:Encrypt")
    _warn_unless_granted(scope, role, layout.prefix, image, " and ".join(map(repr, prefixes)))


def _warn_unless_granted(
    scope: Construct, role: iam.IRole, prefix: str, image: TrainingImage, jobs: str
) -> None:
    """Warn on ``scope`` if CDK dropped the grants to ``role``.

    CDK drops them silently for a role that it must not change: imported with ``mutable=False``, or another
    account's. A role that it can change has a policy by now.
    """
    if any(isinstance(child, iam.Policy) for child in role.node.find_all()):
        return
    name = role.node.path if Token.is_unresolved(role.role_arn) else role.role_arn
    Annotations.of(scope).add_warning_v2(
        NOT_GRANTED,
        f"{name} cannot be changed by this app (mutable=False, or another account's), so nothing "
        "was granted to it: training jobs fail unless it may do what docs/pipeline.md lists under 'A role of "
        f"your own', where PREFIX is {prefix!r}, JOBS is {jobs} and REPOSITORY is "
        f"{image.repository_arn}. Grant it that and acknowledge this warning, or import the role mutable.",
    )
