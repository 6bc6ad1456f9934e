"""Create the state that runs a training job, ``sagemaker:createTrainingJob.sync``, with the members of
SageMaker's API.

CDK's own task (SageMakerCreateTrainingJob) cannot read hyperparameters from the state, and supports neither
spot training nor retries of the job nor encryption between containers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from aws_cdk import ArnFormat, Duration, Size, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from amazon_estimators.algorithms.instances import types_of
from amazon_estimators.pipeline.create_training_job import MEMBERS, request_of
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import known, known_seconds
from cdk_amazon_estimators.training.adoption import SyncJob
from cdk_amazon_estimators.training.instance_preferences import LOCAL_STORAGE, instances
from cdk_amazon_estimators.training.instance_types import warn_of_unknown
from cdk_amazon_estimators.training.network import training_network

SPOT_LIMIT = Duration.hours(1)
"""The longest time that SageMaker waits and trains on spot capacity without checkpoints."""

JOB = SyncJob(noun="TrainingJob", name="$.request.job_name", leaves="job")


@dataclass(frozen=True, kw_only=True)
class JobSettings:
    """The settings of a training job that do not depend on the data.

    TrainingPipeline takes the same settings and documents them.
    """

    instance_type: str | Sequence[str]
    instance_count: int = 1
    volume_size: Size = field(default_factory=lambda: Size.gibibytes(30))
    max_runtime: Duration = field(default_factory=lambda: Duration.days(1))
    spot_max_wait: Duration | None = None
    keep_alive: Duration | None = None
    max_retry_attempts: int = 2
    encryption_key: kms.IKey | None = None
    vpc: ec2.IVpc | None = None
    subnets: ec2.SubnetSelection | None = None
    security_groups: Sequence[ec2.ISecurityGroup] | None = None
    encrypt_inter_container_traffic: bool = False
    enable_network_isolation: bool = False

    @classmethod
    def of(cls, props: Mapping[str, Any]) -> Self:
        """Return the settings in a pipeline's props. A prop that is None keeps its default."""
        names = [setting.name for setting in fields(cls)]
        return cls(**{name: props[name] for name in names if props[name] is not None})

    @property
    def disk_gib(self) -> int | None:
        """The disk of each instance in GiB; None if every type has its own disks."""
        return None if self.has_local_storage else int(self.volume_size.to_gibibytes())

    @property
    def has_local_storage(self) -> bool:
        """Return True if every type has its own disks."""
        return all(map(LOCAL_STORAGE.match, types_of(self.instance_type)))

    def members(self) -> dict[str, Any]:
        """Return the settings by their name in MEMBERS, in the service's units."""
        return {
            **instances(self.instance_type),
            "instance_count": self.instance_count,
            "volume_size": self.volume_size.to_gibibytes(),
            "volume_kms_key": _volume_key(self),
            "output_kms_key": None if self.encryption_key is None else self.encryption_key.key_arn,
            "keep_alive_period_in_seconds": _seconds(self.keep_alive),
            "max_run": _seconds(self.max_runtime),
            "max_wait": _seconds(self.spot_max_wait),
            # The service accepts 1 to 30; without retries, the strategy is left out.
            "max_retry_attempts": self.max_retry_attempts or None,
            "use_spot_instances": self.spot_max_wait is not None,
            "encrypt_inter_container_traffic": self.encrypt_inter_container_traffic,
            "enable_network_isolation": self.enable_network_isolation,
        }

    def check(self, problems: Problems) -> None:
        """Note settings that SageMaker would refuse."""
        runtime = known_seconds("max_runtime", self.max_runtime)
        wait = known_seconds("spot_max_wait", self.spot_max_wait)
        volume = known("volume_size", self.volume_size)
        gibibytes = None if volume is None else volume.to_gibibytes()
        _check_range(problems, "volume_size", gibibytes, "volume_size", " GiB")
        _check_range(problems, "max_runtime", runtime, "max_run", " seconds")
        alive = known_seconds("keep_alive", self.keep_alive)
        _check_range(problems, "keep_alive", alive, "keep_alive_period_in_seconds", " seconds")
        retries = known("max_retry_attempts", self.max_retry_attempts)
        problems.unless(
            not retries or MEMBERS["max_retry_attempts"].takes(retries),
            f"max_retry_attempts is {retries}; allowed: 0 to {MEMBERS['max_retry_attempts'].most}",
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
            self.spot_max_wait is None or self.keep_alive is None,
            "keep_alive and spot_max_wait are both given; spot instances are never kept. Leave one out.",
        )
        network = [
            name
            for name in ("subnets", "security_groups")
            if getattr(self, name) is not None and self.vpc is None
        ]
        problems.unless(not network, f"{' and '.join(network)} without vpc; allowed: with vpc. Give vpc too.")


def _check_range(problems: Problems, prop: str, value: float | None, setting: str, unit: str = "") -> None:
    """Note a value outside the service's range for ``setting``."""
    member = MEMBERS[setting]
    problems.unless(
        value is None or member.takes(value), f"{prop} is {value}{unit}; allowed: {member.allowed}"
    )


def job_definition(
    scope: Construct,
    *,
    image: str,
    role: iam.IRole,
    output_path: str,
    settings: JobSettings,
    output_key: kms.IKey | None = None,
) -> dict[str, Any]:
    """Return the members of a training job that do not depend on the data, in the API's form.

    With a VPC, ``role`` is allowed to put network interfaces into its subnets. The arguments are those of
    :func:`training_job`.
    """
    for instance_type in types_of(settings.instance_type):
        warn_of_unknown(scope, instance_type)
    network = settings.vpc and training_network(
        scope, settings.vpc, subnets=settings.subnets, security_groups=settings.security_groups
    )
    for statement in network.statements(scope) if network else ():
        role.add_to_principal_policy(statement)
    return request_of(
        {
            **settings.members(),
            "training_image": image,
            "input_mode": "File",
            "role": role.role_arn,
            "output_path": output_path,
            **({"output_kms_key": output_key.key_arn} if output_key else {}),
            "subnets": network.subnet_ids if network else None,
            "security_group_ids": network.security_group_ids if network else None,
        }
    )


def training_job(
    scope: Construct,
    construct_id: str,
    *,
    image: str,
    role: iam.IRole,
    output_path: str,
    settings: JobSettings,
    output_key: kms.IKey | None = None,
) -> sfn.CustomState:
    """Create the state that trains. It reads Seal's request at ``$.request`` and writes the job to ``$.job``.

    With a VPC, ``role`` is allowed to put network interfaces into its subnets.

    Args:
        image: URI of the training image.
        role: The execution role.
        output_path: S3 prefix of the model.
        settings: The settings that do not depend on the data.
        output_key: KMS key of the model: SageMaker does not use the bucket's own key by itself. Default: the
            settings' ``encryption_key``.
    """
    definition = job_definition(
        scope, image=image, role=role, output_path=output_path, settings=settings, output_key=output_key
    )
    request = {
        **definition,
        "HyperParameters.$": "$.request.hyperparameters",
        "InputDataConfig.$": "$.request.input_data_config",
        "Tags.$": "$.request.tags",
    }
    return sfn.CustomState(scope, construct_id, state_json=JOB.task(request))


def training_job_statements(
    scope: Construct, *, role: iam.IRole, job_name_prefix: str
) -> list[iam.PolicyStatement]:
    """Return the permissions that the state machine's role needs for the state, on the jobs of one
    pipeline."""
    stack = Stack.of(scope)
    jobs = stack.format_arn(
        service="sagemaker",
        resource="training-job",
        resource_name=f"{job_name_prefix}-*",
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
        *job_run_statements(scope, role=role, rule="StepFunctionsGetEventsForSageMakerTrainingJobsRule"),
    ]


def job_run_statements(scope: Construct, *, role: iam.IRole, rule: str) -> list[iam.PolicyStatement]:
    """Return the permissions of every ``.sync`` task: pass the execution role, and manage the rule for job
    ends."""
    events = Stack.of(scope).format_arn(
        service="events", resource="rule", resource_name=rule, arn_format=ArnFormat.SLASH_RESOURCE_NAME
    )
    return [
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        # Step Functions learns of the job's end through its own rule.
        iam.PolicyStatement(
            actions=["events:DescribeRule", "events:PutRule", "events:PutTargets"], resources=[events]
        ),
    ]


def _volume_key(settings: JobSettings) -> str | None:
    if settings.encryption_key is None or settings.has_local_storage:
        return None
    return settings.encryption_key.key_arn


def _seconds(duration: Duration | None) -> float | None:
    return None if duration is None else duration.to_seconds()
