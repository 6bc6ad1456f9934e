"""Create the state machine of a training pipeline: the states that train, and those before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn

from cdk_amazon_estimators.after_training import Tuning
from cdk_amazon_estimators.after_training.step import AfterTraining, Context
from cdk_amazon_estimators.checked_props import CheckedProps
from cdk_amazon_estimators.state_machine import (
    STATE_MACHINE_ID,
    pipeline_state_machine,
    workflow,
    workflow_statements,
)
from cdk_amazon_estimators.training.capacity import Training
from cdk_amazon_estimators.training.job import (
    JOB,
    job_definition,
    training_job,
    training_job_statements,
)
from cdk_amazon_estimators.training.job_names import tuning_name_prefix


def training_state_machine(
    context: Context,
    chosen: CheckedProps,
    *,
    role: iam.IRole,
    job_name_prefix: str,
    tuning: Tuning | None,
    after: Sequence[AfterTraining],
    max_concurrency: int,
    log_retention: logs.RetentionDays,
    encryption_key: kms.IKey | None,
) -> sfn.StateMachine:
    """Create it.

    Args:
        context: The pipeline, as its steps after training see it.
        chosen: The pipeline's props.
        role: The execution role of the training jobs.
        job_name_prefix: The beginning of the names of the jobs.
        tuning: The search for hyperparameters; None for one training job.
        after: The steps after training, in order.
        max_concurrency: The most shards that are encoded at a time.
        log_retention: How long the log is kept.
        encryption_key: KMS key of the state machine and its log; None for keys of the services.
    """
    training = _training(context, chosen, role=role, job_name_prefix=job_name_prefix, tuning=tuning)
    flow = workflow(
        context.scope,
        encoder=context.encoder,
        settings=context.settings,
        training=training,
        after=after,
        context=context,
        max_concurrency=max_concurrency,
        waits=chosen.waits,
    )
    return pipeline_state_machine(
        context.scope,
        STATE_MACHINE_ID,
        definition=flow.definition,
        timeout=chosen.waits.execution,
        layout=context.layout,
        statements=[*workflow_statements(context.encoder), *training.statements, *flow.statements],
        log_retention=log_retention,
        encryption_key=encryption_key,
    )


def _training(
    context: Context,
    chosen: CheckedProps,
    *,
    role: iam.IRole,
    job_name_prefix: str,
    tuning: Tuning | None,
) -> Training:
    """Create the states that train: one job, or a tuning job."""
    scope, layout = context.scope, context.layout
    job: dict[str, Any] = {
        "image": chosen.image.uri,
        "role": role,
        "output_path": layout.model_bucket.s3_url_for_object(layout.models.rstrip("/")),
        "settings": chosen.job,
        "output_key": layout.encryption_key or layout.model_bucket.encryption_key,
    }
    if tuning is not None:
        return tuning.bind(
            context,
            definition=job_definition(scope, **job),
            role=role,
            name_prefix=tuning_name_prefix(job_name_prefix),
        )
    train = training_job(scope, "Train", **job)
    statements = training_job_statements(scope, role=role, job_name_prefix=job_name_prefix)
    return Training(job=JOB, entry=train, tasks=[train], statements=statements)
