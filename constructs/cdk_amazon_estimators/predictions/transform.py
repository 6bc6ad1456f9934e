"""The states of a transform job: make the model, run the job, delete the model whatever came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.scoring.engines import transform_input, transform_output
from cdk_amazon_estimators.retries import of_registry, of_training
from cdk_amazon_estimators.training.adoption import SyncJob
from cdk_amazon_estimators.training.capacity import Training, Waits, train_with_capacity
from cdk_amazon_estimators.training.job import JobSettings, job_run_statements

JOB = SyncJob(
    noun="TransformJob",
    name="$.plan.job_name",
    leaves="transform",
    selects={
        f"{name}.$": f"$.{name}" for name in ("TransformJobName", "TransformStartTime", "TransformEndTime")
    },
)
EXISTS = "*already existing model*"
"""SageMaker's text of a model that is there: made by a call of this attempt whose answer was lost."""
GONE = "*Could not find model*"


@dataclass(frozen=True, kw_only=True)
class Transform:
    """The settings of transform jobs.

    Attributes:
        algorithm: The algorithm of the models.
        job: Type and number of instances, and the key of their volumes.
        role: The role that the models run as.
        network: ``VpcConfig`` of the models; None for SageMaker's own network.
        bucket: The name of the bucket of rows and answers.
        output_key: The ARN of the KMS key of answers; None for the bucket's encryption.
        waits: How long a job waits for instances, and how long an execution takes.
        name_prefix: The beginning of the names of models and jobs.
    """

    algorithm: type[Algorithm]
    job: JobSettings
    role: iam.IRole
    network: dict[str, Sequence[str]] | None
    bucket: str
    output_key: str | None
    waits: Waits
    name_prefix: str


@dataclass(frozen=True)
class TransformStates:
    """The states from the model to its deletion.

    Attributes:
        scope: The pipeline.
        first: The state to enter.
        delete: Deletes the model after the job.
    """

    scope: Construct
    first: sfn.CustomState
    delete: sfn.CustomState

    def lead(self, then: sfn.State, *, failed: sfn.IChainable) -> None:
        """Lead to ``then`` once the model is deleted, or to ``failed`` if it cannot be."""
        is_gone = (
            sfn.Choice(self.scope, "IsModelGone", comment="Did a call delete it whose answer was lost?")
            .when(sfn.Condition.string_matches("$.error.Cause", GONE), then)
            .otherwise(failed)
        )
        self.delete.add_catch(is_gone, result_path="$.error")
        self.delete.next(then)


def transform_states(
    scope: Construct,
    transform: Transform,
    *,
    explain: sfn.IChainable,
    announce_waiting: sfn.CustomState,
) -> TransformStates:
    """Make the states.

    Args:
        scope: The pipeline.
        transform: The settings.
        explain: Where errors of the job lead, once the model is deleted.
        announce_waiting: Tells that no instances are free.
    """
    run = _run(scope, transform)
    discard = _delete(scope, "DiscardModel")
    discard.add_catch(explain, result_path="$.discarded")
    discard.next(explain)
    training = train_with_capacity(
        scope,
        training=Training(job=JOB, entry=run, tasks=[run], statements=()),
        explain=discard,
        announce_waiting=announce_waiting,
        waits=transform.waits,
        begin_id="BeginTransform",
    )
    create = _create(scope, transform)
    is_there = (
        sfn.Choice(scope, "IsModelThere", comment="Was it made by a call whose answer was lost?")
        .when(sfn.Condition.string_matches("$.error.Cause", EXISTS), training.begin)
        .otherwise(discard)
    )
    create.add_catch(is_there, result_path="$.error")
    create.next(training.begin)
    delete = _delete(scope, "DeleteModel")
    training.lead(delete)

    return TransformStates(scope, create, delete)


def transform_statements(scope: Construct, transform: Transform) -> list[iam.PolicyStatement]:
    """Return what the state machine's role needs for the states."""

    def arn(resource: str) -> str:
        return Stack.of(scope).format_arn(
            service="sagemaker",
            resource=resource,
            resource_name=f"{transform.name_prefix}-*",
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )

    return [
        iam.PolicyStatement(
            actions=["sagemaker:AddTags", "sagemaker:CreateModel", "sagemaker:DeleteModel"],
            resources=[arn("model")],
        ),
        iam.PolicyStatement(
            actions=[
                "sagemaker:AddTags",
                "sagemaker:CreateTransformJob",
                "sagemaker:DescribeTransformJob",
                "sagemaker:ListTags",
                "sagemaker:StopTransformJob",
            ],
            resources=[arn("transform-job")],
        ),
        *job_run_statements(
            scope, role=transform.role, rule="StepFunctionsGetEventsForSageMakerTransformJobsRule"
        ),
    ]


def _create(scope: Construct, transform: Transform) -> sfn.CustomState:
    request: dict[str, Any] = {
        "ModelName.$": "$.plan.model_name",
        "PrimaryContainer": {"Image.$": "$.model.image", "ModelDataUrl.$": "$.model.model"},
        "ExecutionRoleArn": transform.role.role_arn,
        "Tags.$": "$.plan.tags",
    }
    if transform.network is not None:
        request["VpcConfig"] = transform.network
    if transform.job.enable_network_isolation:
        request["EnableNetworkIsolation"] = True
    task = {
        "Type": "Task",
        "Resource": f"arn:{Aws.PARTITION}:states:::sagemaker:createModel",
        "Parameters": request,
        "ResultPath": sfn.JsonPath.DISCARD,
        "Retry": of_training(),
    }
    return sfn.CustomState(scope, "CreateModel", state_json=task)


def _run(scope: Construct, transform: Transform) -> sfn.CustomState:
    members = transform.job.members()
    resources = {
        "InstanceType": transform.job.instance_type,
        "InstanceCount": transform.job.instance_count,
        **({"VolumeKmsKeyId": members["volume_kms_key"]} if members["volume_kms_key"] else {}),
    }
    request = {
        "ModelName.$": "$.plan.model_name",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri.$": "$.sealed.record_set"}},
            **transform_input(transform.algorithm),
        },
        "TransformOutput": {
            "S3OutputPath.$": f"States.Format('s3://{transform.bucket}/{{}}', $.plan.answers)",
            **transform_output(transform.algorithm),
            **({"KmsKeyId": transform.output_key} if transform.output_key else {}),
        },
        "TransformResources": resources,
        "BatchStrategy": "MultiRecord",
        "Tags.$": "$.plan.tags",
    }
    return sfn.CustomState(scope, "Transform", state_json=JOB.task(request))


def _delete(scope: Construct, construct_id: str) -> sfn.CustomState:
    task = {
        "Type": "Task",
        "Resource": f"arn:{Aws.PARTITION}:states:::aws-sdk:sagemaker:deleteModel",
        "Parameters": {"ModelName.$": "$.plan.model_name"},
        "ResultPath": sfn.JsonPath.DISCARD,
        "Retry": of_registry(),
    }
    return sfn.CustomState(scope, construct_id, state_json=task)
