"""The state that runs a training job: ``sagemaker:createTrainingJob.sync`` as SageMaker's API has it.

CDK's own task (SageMakerCreateTrainingJob) cannot take hyperparameters from the state, and knows neither spot
training nor retries of the job nor encryption between containers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import ArnFormat, Aws, Duration, Size, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import known, known_seconds
from cdk_amazon_estimators.retries import of_training
from cdk_amazon_estimators.training.instance_types import warn_of_unknown
from cdk_amazon_estimators.training.network import training_network

SPOT_LIMIT = Duration.hours(1)
"""The most SageMaker waits and trains on spot capacity with algorithms that keep no checkpoints, as these."""

JOB_NAME = (
    "States.Format('{}-{}-{}-{}', $.request.job_name, $$.Execution.RedriveCount, $.capacity.waits, "
    "$$.State.RetryCount)"
)
"""Ends with the redrive, the wait for capacity and the retry that start the job: no name is met again."""

LOCAL_STORAGE = re.compile(
    r"ml\.(?:[a-z]+\d+[a-z]*d[a-z]*|g[456]e?|gr6|p4de?|p5e?n?|p6[a-z0-9-]*|trn\d[a-z]*)\."
)
"""Instance types with disks of their own, which the hardware encrypts: they refuse a volume key."""


@dataclass(frozen=True, kw_only=True)
class JobSettings:
    """What of a training job does not depend on the data; TrainingPipeline takes and documents the same."""

    instance_type: str
    instance_count: int
    volume_size: Size
    max_runtime: Duration
    spot_max_wait: Duration | None = None
    keep_alive: Duration | None = None
    max_retry_attempts: int = 2
    encryption_key: kms.IKey | None = None
    vpc: ec2.IVpc | None = None
    subnets: ec2.SubnetSelection | None = None
    security_groups: Sequence[ec2.ISecurityGroup] | None = None
    encrypt_inter_container_traffic: bool = False
    enable_network_isolation: bool = False

    def check(self, problems: Problems) -> None:
        """Note what SageMaker would refuse."""
        runtime = known_seconds("max_runtime", self.max_runtime)
        wait = known_seconds("spot_max_wait", self.spot_max_wait)
        alive = known_seconds("keep_alive", self.keep_alive)
        retries = known("max_retry_attempts", self.max_retry_attempts)
        volume = known("volume_size", self.volume_size)
        gibibytes = None if volume is None else volume.to_gibibytes()
        problems.unless(
            gibibytes is None or 1 <= gibibytes <= 16384,
            f"volume_size is {gibibytes} GiB; allowed: 1 to 16,384 GiB",
        )
        problems.unless(
            runtime is None or 1 <= runtime <= 28 * 86400,
            f"max_runtime is {runtime} seconds; allowed: 1 second to 28 days",
        )
        problems.unless(
            wait is None or wait <= SPOT_LIMIT.to_seconds(),
            f"spot_max_wait is {wait} seconds; allowed: up to 3,600, as these algorithms keep no checkpoints",
        )
        problems.unless(
            wait is None or runtime is None or runtime <= wait,
            f"max_runtime is {runtime} seconds and spot_max_wait {wait}; allowed: max_runtime up to "
            "spot_max_wait, which counts training too. Lower max_runtime.",
        )
        problems.unless(
            alive is None or 1 <= alive <= 3600,
            f"keep_alive is {alive} seconds; allowed: 1 to 3,600, or None for no warm pool",
        )
        problems.unless(
            self.spot_max_wait is None or self.keep_alive is None,
            "keep_alive and spot_max_wait are both given; spot instances are never kept. Leave one out.",
        )
        problems.unless(
            retries is None or 0 <= retries <= 30, f"max_retry_attempts is {retries}; allowed: 0 to 30"
        )
        network = [
            name
            for name in ("subnets", "security_groups")
            if getattr(self, name) is not None and self.vpc is None
        ]
        problems.unless(not network, f"{' and '.join(network)} without vpc; allowed: with vpc. Give vpc too.")


def training_job(
    scope: Construct,
    construct_id: str,
    *,
    image: str,
    role: iam.IRole,
    output_path: str,
    settings: JobSettings,
) -> sfn.CustomState:
    """The state. It reads the request that Seal made at ``$.request`` and leaves the job at ``$.job``.

    With a VPC, ``role`` is let put network interfaces into its subnets.
    """
    warn_of_unknown(scope, settings.instance_type)
    network = settings.vpc and training_network(
        scope, settings.vpc, subnets=settings.subnets, security_groups=settings.security_groups
    )
    for statement in network.statements(scope) if network else ():
        role.add_to_principal_policy(statement)
    task: dict[str, Any] = {
        "Type": "Task",
        "Resource": f"arn:{Aws.PARTITION}:states:::sagemaker:createTrainingJob.sync",
        "Parameters": {
            "TrainingJobName.$": JOB_NAME,
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "RoleArn": role.role_arn,
            "HyperParameters.$": "$.request.hyperparameters",
            "InputDataConfig.$": "$.request.input_data_config",
            "OutputDataConfig": _without_none(
                S3OutputPath=output_path,
                KmsKeyId=settings.encryption_key.key_arn if settings.encryption_key else None,
            ),
            "ResourceConfig": _without_none(
                InstanceType=settings.instance_type,
                InstanceCount=settings.instance_count,
                VolumeSizeInGB=settings.volume_size.to_gibibytes(),
                VolumeKmsKeyId=_volume_key(settings),
                KeepAlivePeriodInSeconds=_seconds(settings.keep_alive),
            ),
            "StoppingCondition": _without_none(
                MaxRuntimeInSeconds=_seconds(settings.max_runtime),
                MaxWaitTimeInSeconds=_seconds(settings.spot_max_wait),
            ),
            "RetryStrategy": {"MaximumRetryAttempts": settings.max_retry_attempts},
            "EnableManagedSpotTraining": settings.spot_max_wait is not None,
            "EnableInterContainerTrafficEncryption": settings.encrypt_inter_container_traffic,
            "EnableNetworkIsolation": settings.enable_network_isolation,
            "Tags.$": "$.request.tags",
            **({"VpcConfig": network.config} if network else {}),
        },
        "ResultPath": "$.job",
        "Retry": of_training(),
    }
    if settings.max_retry_attempts == 0:
        # The service takes 1 to 30; no strategy is how it spells none.
        del task["Parameters"]["RetryStrategy"]
    return sfn.CustomState(scope, construct_id, state_json=task)


def training_job_statements(
    scope: Construct, *, role: iam.IRole, job_name_prefix: str
) -> list[iam.PolicyStatement]:
    """What the state machine's role needs for the state, on the jobs of one pipeline."""
    stack = Stack.of(scope)
    jobs = stack.format_arn(
        service="sagemaker",
        resource="training-job",
        resource_name=f"{job_name_prefix}-*",
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )
    rule = stack.format_arn(
        service="events",
        resource="rule",
        resource_name="StepFunctionsGetEventsForSageMakerTrainingJobsRule",
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )
    return [
        iam.PolicyStatement(
            actions=[
                "sagemaker:AddTags",
                "sagemaker:CreateTrainingJob",
                "sagemaker:DescribeTrainingJob",
                "sagemaker:ListTags",
                "sagemaker:StopTrainingJob",
            ],
            resources=[jobs],
        ),
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        # Step Functions hears of the job's end through a rule of its own.
        iam.PolicyStatement(
            actions=["events:DescribeRule", "events:PutRule", "events:PutTargets"], resources=[rule]
        ),
    ]


def _volume_key(settings: JobSettings) -> str | None:
    if settings.encryption_key is None or LOCAL_STORAGE.match(settings.instance_type):
        return None
    return settings.encryption_key.key_arn


def _seconds(duration: Duration | None) -> float | None:
    return None if duration is None else duration.to_seconds()


def _without_none(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
