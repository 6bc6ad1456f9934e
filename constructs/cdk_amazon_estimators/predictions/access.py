"""Permissions of a prediction pipeline's functions, besides those for encoding."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from amazon_estimators.pipeline import keys
from amazon_estimators.record_sets.keys import record_set_key, shard_patterns
from amazon_estimators.scoring import keys as scoring_keys
from cdk_amazon_estimators.access.registry import registry_statements
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.training.job_names import tuning_name_prefix
from cdk_amazon_estimators.training_pipeline import TrainingPipeline


def grant_scoring(encoder: RecordSetEncoder, layout: PipelineLayout, model: TrainingPipeline) -> None:
    """Allow Plan to read what the model was trained on, and Seal to list the shards to score."""
    _grant_trained_on(encoder.plan, model)
    record_set = layout.record_set(keys.ANY)
    seal = S3Access(encoder.seal, layout.data_bucket, layout.encryption_key)
    seal.read([keys.pieces_key(record_set)])
    seal.write([scoring_keys.parts_key(record_set, keys.ANY)])


def _grant_trained_on(function: lambda_.Function, model: TrainingPipeline) -> None:
    """Allow to read what the model was trained on: its features, and the words of its labels."""
    trained = keys.channel_root(model.layout.record_set(keys.ANY), keys.ANY)
    data = S3Access(function, model.data_bucket, model.layout.encryption_key)
    data.list([model.layout.recordsets])
    data.read([record_set_key(trained)])


def grant_model(function: lambda_.Function, model: TrainingPipeline) -> None:
    """Allow to see which model is in use, and what its training job says of it."""
    layout = model.layout
    data = S3Access(function, model.data_bucket, layout.encryption_key)
    data.list([layout.datasets])
    data.read([keys.current_model_key(layout.prefix)])
    S3Access(function, model.model_bucket, layout.encryption_key).list([layout.models])
    jobs = (model.job_name_prefix, tuning_name_prefix(model.job_name_prefix))
    statements = [
        iam.PolicyStatement(
            actions=["sagemaker:DescribeTrainingJob"],
            resources=[
                Stack.of(model).format_arn(
                    service="sagemaker",
                    resource="training-job",
                    resource_name=f"{prefix}-*",
                    arn_format=ArnFormat.SLASH_RESOURCE_NAME,
                )
                for prefix in jobs
            ],
        )
    ]
    if model.model_package_group is not None:
        statements += registry_statements(model, model.model_package_group)
    for statement in statements:
        function.add_to_role_policy(statement)


def grant_score(
    function: lambda_.Function, layout: PipelineLayout, model: TrainingPipeline, *, keeps: bool
) -> None:
    """Allow to read the rows and the model, and to write predictions.

    With ``keeps`` also the input, whose columns stand beside the predictions.
    """
    record_set = layout.record_set(keys.ANY)
    channel = keys.channel_root(record_set, scoring_keys.CHANNEL)
    receipts = [f"{scoring_keys.part_receipts_prefix(record_set, keys.ANY)}*"]
    predictions = scoring_keys.predictions_prefix(layout.prefix)
    data = S3Access(function, layout.data_bucket, layout.encryption_key)
    answers = scoring_keys.answers_prefix(layout.prefix)
    if keeps:
        data.read([f"{prefix}*" for prefix in layout.inputs], versions=True)
        data.read([keys.pieces_key(record_set)])
    data.list([predictions, answers])
    data.read([f"{answers}*"])
    data.read([keys.plan_key(record_set), *shard_patterns(channel), *receipts])
    data.read([scoring_keys.parts_key(record_set, keys.ANY)])
    data.write([*receipts, f"{predictions}*"], multipart=True)
    _grant_trained_on(function, model)
    models = S3Access(function, model.model_bucket, model.layout.encryption_key)
    models.read([f"{model.layout.models}*"])
