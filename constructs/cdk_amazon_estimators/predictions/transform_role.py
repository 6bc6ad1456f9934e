"""The SageMaker execution role of a transform job's model, on the resources of one pipeline."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from amazon_estimators.scoring.keys import answers_prefix
from cdk_amazon_estimators.access.container import container_statements
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.access.service_role import service_role
from cdk_amazon_estimators.access.volumes import grant_volumes
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.training_pipeline import TrainingPipeline

LOG_GROUP = "/aws/sagemaker/TransformJobs"
"""The log group of all transform jobs, and the namespace of their metrics."""


def new_transform_role(
    scope: Construct, layout: PipelineLayout, model: TrainingPipeline, *, name_prefix: str
) -> iam.Role:
    """Make a role that may read rows and models, write answers, pull the image, log and send metrics.

    Args:
        scope: The prediction pipeline.
        layout: Its layout.
        model: The training pipeline.
        name_prefix: The beginning of the names of its transform jobs.
    """
    role = service_role(
        scope, "TransformRole", "sagemaker.amazonaws.com", "Runs the transform jobs of one pipeline"
    )
    data = S3Access(role, layout.data_bucket, layout.encryption_key)
    data.list([layout.recordsets, answers_prefix(layout.prefix)])
    data.read([f"{layout.recordsets}*"])
    data.write([f"{answers_prefix(layout.prefix)}*"], multipart=True)
    models = S3Access(role, model.model_bucket, model.layout.encryption_key)
    models.list([model.layout.models])
    models.read([f"{model.layout.models}*"])
    for statement in container_statements(
        scope,
        repository_arn=model.training_image.repository_arn,
        log_group=LOG_GROUP,
        streams=[f"{name_prefix}-*"],
        namespace=LOG_GROUP,
    ):
        role.add_to_policy(statement)
    if layout.encryption_key:
        grant_volumes(role, layout.encryption_key)
    return role
