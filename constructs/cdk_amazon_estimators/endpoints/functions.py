"""The Lambda functions behind an endpoint's states, and what each may do on one endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import ArnFormat, Duration, Size, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from amazon_estimators.pipeline import keys
from amazon_estimators.record_sets.keys import manifest_key, shard_patterns
from amazon_estimators.serving.sample import CHANNEL
from cdk_amazon_estimators.access.function_statements import tell_statement
from cdk_amazon_estimators.access.registry import registry_statements
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.access.volumes import grant_volumes
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.endpoints.scaling import scaling_statements, stop_scaling_statement
from cdk_amazon_estimators.training.job_names import tuning_name_prefix
from cdk_amazon_estimators.training_pipeline import TrainingPipeline


@dataclass(frozen=True)
class Functions:
    """The functions of all endpoints of a stack."""

    deploy: lambda_.Function
    smoke: lambda_.Function
    clean: lambda_.Function
    tell: lambda_.Function
    lifecycle: lambda_.Function
    scale: lambda_.Function | None = None

    @property
    def steps(self) -> Sequence[lambda_.Function]:
        """Return those that the state machine invokes."""
        steps = (self.deploy, self.smoke, self.scale, self.clean, self.tell)
        return [step for step in steps if step is not None]

    @classmethod
    def of(cls, encoder: RecordSetEncoder, *, scales: bool) -> Functions:
        """Return the functions, with the code of ``encoder``. The first call makes them."""

        def made(name: str, description: str, minutes: int = 2) -> lambda_.Function:
            return encoder.step(
                name, description, timeout=Duration.minutes(minutes), memory=Size.mebibytes(512)
            )

        return cls(
            deploy=made("Deploy", "Bring an endpoint nearer to the model in use"),
            smoke=made("Smoke", "Ask a deployed endpoint about one record"),
            clean=made("Clean", "Delete models and configurations that an endpoint no longer needs"),
            tell=made("Tell", "Tell how a deployment ended"),
            lifecycle=made("Lifecycle", "Deploy with the stack, and delete with it", minutes=15),
            scale=made("Scale", "Let the number of an endpoint's instances follow its requests")
            if scales
            else None,
        )


def grant_functions(
    scope: Construct,
    functions: Functions,
    pipeline: TrainingPipeline,
    *,
    endpoint_name: str,
    execution_role: iam.IRole,
    volume_key: kms.IKey | None,
) -> None:
    """Allow the functions what they need for one endpoint.

    Args:
        scope: The endpoint.
        functions: The functions.
        pipeline: The pipeline it follows.
        endpoint_name: Its name.
        execution_role: The role that Deploy passes to SageMaker.
        volume_key: The KMS key of the instances' volumes.
    """
    arns = Arns(scope, endpoint_name)
    for function in (functions.deploy, functions.clean):
        grant_model_in_use(scope, function, pipeline)
        allow(function, arns.endpoint, "sagemaker:DescribeEndpoint")
    _grant_deploying(functions.deploy, arns, execution_role)
    if volume_key is not None:
        grant_volumes(functions.deploy, volume_key)
    allow(functions.smoke, arns.endpoint, "sagemaker:InvokeEndpoint")
    allow(functions.smoke, arns.training_jobs(pipeline), "sagemaker:DescribeTrainingJob")
    layout = pipeline.layout
    channel = keys.channel_root(layout.record_set(keys.ANY), CHANNEL)
    S3Access(functions.smoke, layout.data_bucket, layout.encryption_key).read(
        [manifest_key(channel), *shard_patterns(channel)]
    )
    allow(functions.clean, arns.configs, "sagemaker:DescribeEndpointConfig")
    for function in (functions.clean, functions.lifecycle):
        allow(function, arns.configs, "sagemaker:DeleteEndpointConfig")
        allow(function, arns.models, "sagemaker:DeleteModel")
        # Listing knows no resource.
        allow(function, ["*"], "sagemaker:ListEndpointConfigs", "sagemaker:ListModels")
    allow(functions.lifecycle, arns.endpoint, "sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint")
    if functions.scale is not None:
        for statement in scaling_statements(scope, endpoint_name, [*arns.endpoint, *arns.configs]):
            functions.scale.add_to_role_policy(statement)
        functions.deploy.add_to_role_policy(stop_scaling_statement(scope))
    functions.tell.add_to_role_policy(tell_statement(scope))


class Arns:
    """The ARNs of an endpoint, and patterns of those of its models and configurations."""

    def __init__(self, scope: Construct, endpoint_name: str) -> None:
        self._scope = scope
        # SageMaker writes ARNs in lower case, and IAM's comparison heeds it.
        name = endpoint_name.lower()
        self.endpoint = [self._arn("endpoint", name)]
        self.configs = [self._arn("endpoint-config", f"{name}-*")]
        self.models = [self._arn("model", f"{name}-*")]

    def training_jobs(self, pipeline: TrainingPipeline) -> list[str]:
        """Return the pattern of the pipeline's training jobs, those of its tuning jobs among them."""
        prefix = pipeline.job_name_prefix
        return [self._arn("training-job", f"{one}-*") for one in (prefix, tuning_name_prefix(prefix))]

    def _arn(self, resource: str, name: str) -> str:
        return Stack.of(self._scope).format_arn(
            service="sagemaker",
            resource=resource,
            resource_name=name,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )


def grant_model_in_use(scope: Construct, function: lambda_.Function, pipeline: TrainingPipeline) -> None:
    """Allow to read which model is in use, where the pipeline keeps that."""
    if pipeline.model_package_group is not None:
        for statement in registry_statements(scope, pipeline.model_package_group):
            function.add_to_role_policy(statement)
        return
    layout = pipeline.layout
    data = S3Access(function, layout.data_bucket, layout.encryption_key)
    data.list([layout.datasets])
    data.read([keys.current_model_key(layout.prefix)])


def _grant_deploying(function: lambda_.Function, arns: Arns, role: iam.IRole) -> None:
    allow(function, arns.models, "sagemaker:CreateModel", "sagemaker:DescribeModel")
    allow(function, arns.configs, "sagemaker:CreateEndpointConfig", "sagemaker:DescribeEndpointConfig")
    allow(function, arns.endpoint, "sagemaker:DeleteEndpoint")
    # Both are asked for on the configuration, too.
    allow(
        function,
        [*arns.endpoint, *arns.configs],
        "sagemaker:CreateEndpoint",
        "sagemaker:UpdateEndpoint",
    )
    allow(function, [*arns.models, *arns.configs, *arns.endpoint], "sagemaker:AddTags")
    function.add_to_role_policy(
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )
    )


def allow(function: lambda_.Function, resources: Sequence[str], *actions: str) -> None:
    """Allow a function actions on resources."""
    function.add_to_role_policy(iam.PolicyStatement(actions=list(actions), resources=list(resources)))
