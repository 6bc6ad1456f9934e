"""Create the states of a search: PrepareTuning, Tune, Leaderboard and BestTraining."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import ArnFormat, Aws, Duration, Size, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn

from amazon_estimators.pipeline import keys
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.after_training.step import Context
from cdk_amazon_estimators.function_task import EXECUTION, invoke, invoke_statement
from cdk_amazon_estimators.retries import of_registry
from cdk_amazon_estimators.training.adoption import SyncJob
from cdk_amazon_estimators.training.capacity import Training
from cdk_amazon_estimators.training.job import job_run_statements

JOB = SyncJob(
    noun="HyperParameterTuningJob",
    name="$.prepared.job_name",
    leaves="tuned",
    # The description repeats the request; the leaderboard reads what it needs from it.
    selects={"job_name.$": "$.HyperParameterTuningJobName"},
)
"""Its name may have 32 characters: 19 are PrepareTuning's, so redrives and waits have 11 digits together."""


def tuning_states(
    context: Context,
    *,
    event: Mapping[str, Any],
    config: Mapping[str, Any],
    definition: Mapping[str, Any],
    role: iam.IRole,
    name_prefix: str,
) -> Training:
    """Create the states, and grant their function the permissions it needs.

    Args:
        context: The pipeline.
        event: The members about the tuning in the function's event.
        config: HyperParameterTuningJobConfig.
        definition: The members of the training job that do not depend on the data.
        role: The execution role of the trainings.
        name_prefix: The prefix of the tuning job's name.
    """
    function = context.encoder.step(
        "Tune", "Prepare and conclude a tuning job", timeout=Duration.minutes(5), memory=Size.mebibytes(512)
    )
    jobs = _arn(context, "hyper-parameter-tuning-job", name_prefix)
    _grant(function, context, jobs)
    told = {
        "pipeline": context.settings,
        "tuning": event,
        "plan.$": "$.plan",
        "execution": EXECUTION,
    }
    prepare = invoke(
        context.scope,
        "PrepareTuning",
        function,
        event={**told, "input.$": "$.input", "request.$": "$.request"},
        result_path="$.prepared",
    )
    cold = _task(context, "Tune", config, definition)
    tasks: list[sfn.CustomState] = [cold]
    entry: sfn.State = cold
    if event["warm_start"]:
        parent = {"WarmStartConfig.$": "$.prepared.warm_start"}
        warm = _task(context, "TuneFromParent", config, definition, **parent)
        tasks.append(warm)
        entry = (
            sfn.Choice(context.scope, "HasParent", comment="Is there a tuning job to learn from?")
            .when(sfn.Condition.is_null("$.prepared.warm_start"), cold)
            .otherwise(warm)
        )
    leaderboard = invoke(
        context.scope,
        "Leaderboard",
        function,
        event={**told, "prepared.$": "$.prepared", "tuned.$": "$.tuned"},
        result_path="$.tuned",
    )
    describe: dict[str, Any] = {
        "Type": "Task",
        "Resource": f"arn:{Aws.PARTITION}:states:::aws-sdk:sagemaker:describeTrainingJob",
        "Parameters": {"TrainingJobName.$": "$.tuned.best"},
        "ResultPath": "$.job",
        "Retry": of_registry(),
    }
    return Training(
        job=JOB,
        entry=entry,
        tasks=tasks,
        prepare=prepare,
        conclude=[leaderboard, sfn.CustomState(context.scope, "BestTraining", state_json=describe)],
        leaves=["tuned"],
        statements=_statements(context, function, jobs, role=role, name_prefix=name_prefix),
    )


def _task(
    context: Context,
    construct_id: str,
    config: Mapping[str, Any],
    definition: Mapping[str, Any],
    **more: str,
) -> sfn.CustomState:
    request = {
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinition": {
            **definition,
            "StaticHyperParameters.$": "$.prepared.static_hyperparameters",
            "InputDataConfig.$": "$.request.input_data_config",
        },
        "Tags.$": "$.request.tags",
        **more,
    }
    return sfn.CustomState(context.scope, construct_id, state_json=JOB.task(request))


def _statements(
    context: Context, function: lambda_.Function, jobs: str, *, role: iam.IRole, name_prefix: str
) -> list[iam.PolicyStatement]:
    """Return the permissions that the state machine's role needs on the jobs of one pipeline."""
    return [
        invoke_statement(function),
        iam.PolicyStatement(
            actions=[
                "sagemaker:AddTags",
                "sagemaker:CreateHyperParameterTuningJob",
                "sagemaker:DescribeHyperParameterTuningJob",
                "sagemaker:ListTags",
                "sagemaker:StopHyperParameterTuningJob",
            ],
            resources=[jobs],
        ),
        iam.PolicyStatement(
            actions=["sagemaker:DescribeTrainingJob"],
            resources=[_arn(context, "training-job", name_prefix)],
        ),
        *job_run_statements(
            context.scope, role=role, rule="StepFunctionsGetEventsForSageMakerTuningJobsRule"
        ),
    ]


def _grant(function: lambda_.Function, context: Context, jobs: str) -> None:
    """Allow reading the trainings, writing the leaderboard and recording the last tuning job."""
    layout = context.layout
    data = S3Access(function, layout.data_bucket, layout.encryption_key)
    data.list([layout.datasets])
    last = keys.last_tuned_key(layout.prefix)
    data.read([last])
    data.write([last])
    board = keys.leaderboard_key(layout.prefix, keys.ANY)
    S3Access(function, layout.model_bucket, layout.encryption_key).write([board])
    function.add_to_role_policy(
        iam.PolicyStatement(
            actions=[
                "sagemaker:DescribeHyperParameterTuningJob",
                "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
            ],
            resources=[jobs],
        )
    )


def _arn(context: Context, resource: str, name_prefix: str) -> str:
    return Stack.of(context.scope).format_arn(
        service="sagemaker",
        resource=resource,
        resource_name=f"{name_prefix}-*",
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )
