"""Register a trained model as a version of a model package group."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum
from typing import Any

from aws_cdk import ArnFormat, Aws, Duration, RemovalPolicy, Size, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.pipeline import keys
from amazon_estimators.record_sets.keys import record_set_key
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.after_training.record_set_lineage import associate_record_set
from cdk_amazon_estimators.after_training.step import Bound, Context
from cdk_amazon_estimators.function_task import EXECUTION, invoke, invoke_statement
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types
from cdk_amazon_estimators.retries import of_registry

GROUP_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
DEPENDENT = (
    "ClientToken",
    "ModelPackageDescription",
    "InferenceSpecification",
    "ModelMetrics",
    "ModelCard",
    "CustomerMetadataProperties",
)
"""The members of the request that the function prepares."""


class Approval(Enum):
    """The approval status of a newly registered model."""

    AUTOMATIC = "Approved"
    """Approved if it passes the gate, or without a gate."""
    MANUAL = "PendingManualApproval"
    """Pending until someone approves it, with ``amazon-estimators approve`` or in SageMaker Studio."""


@dataclass(frozen=True, kw_only=True)
class Registration:
    """Registers each model that passes the gate in the SageMaker Model Registry.

    Args:
        approval: ``Approval.AUTOMATIC`` or ``Approval.MANUAL``. Default: AUTOMATIC.
        model_package_group: The name of an existing model package group. Default: a new one, which outlives
            the stack.
        lineage: Write the data set version and the RecordSet into SageMaker's own lineage, and associate them
            with the training job. Default: False.
    """

    approval: Approval = Approval.AUTOMATIC
    model_package_group: str | None = None
    lineage: bool = False

    leaves = "package"

    def check(self, problems: Problems, algorithm: Algorithm, channels: Collection[str]) -> None:
        """Note settings that SageMaker would refuse."""
        if not check_types(problems, Registration.__init__, vars(self), of="Registration."):
            return
        group = self.model_package_group
        problems.unless(
            group is None or Token.is_unresolved(group) or GROUP_NAME.fullmatch(str(group)) is not None,
            f"registration: model_package_group is {group!r}; allowed: up to 63 letters, digits and hyphens. "
            "Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackageGroup.html",
        )

    def group_of(self, scope: Construct, job_name_prefix: str) -> str:
        """Return the name of the group, which is created unless you pass one. A group with versions stays."""
        if self.model_package_group is not None:
            return self.model_package_group
        from aws_cdk import aws_sagemaker as sagemaker  # noqa: PLC0415 - takes a fifth of a synth's imports

        group = sagemaker.CfnModelPackageGroup(
            scope,
            "ModelPackageGroup",
            model_package_group_name=job_name_prefix,
            model_package_group_description=f"Models of the training pipeline {scope.node.path}"[:1024],
        )
        group.apply_removal_policy(RemovalPolicy.RETAIN)
        return job_name_prefix

    def bind(self, context: Context, *, then: sfn.State, reject: Callable[[], sfn.State]) -> Bound:
        """Create PrepareRegistration and Register and, with ``lineage``, AssociateRecordSet."""
        group = context.model_package_group
        assert group is not None
        function = context.encoder.step(
            "Register",
            "Prepare the registration of a trained model",
            timeout=Duration.minutes(1),
            memory=Size.mebibytes(512),
        )
        layout = context.layout
        channel = keys.channel_root(layout.record_set(keys.ANY), keys.ANY)
        S3Access(function, layout.data_bucket, layout.encryption_key).read([record_set_key(channel)])
        metrics = keys.metrics_key(layout.prefix, keys.ANY)
        S3Access(function, layout.model_bucket, layout.encryption_key).write([metrics])
        prepare = invoke(
            context.scope,
            "PrepareRegistration",
            function,
            event={
                "pipeline": context.settings,
                "input.$": "$.input",
                "plan.$": "$.plan",
                "job.$": "$.job",
                **({"verdict.$": "$.verdict"} if context.has_gate else {}),
                "execution": EXECUTION,
            },
            result_path="$.package",
        )
        request: dict[str, Any] = {
            "ModelPackageGroupName": group,
            "ModelApprovalStatus": self.approval.value,
            **{f"{name}.$": f"$.package.{name}" for name in DEPENDENT},
        }
        task: dict[str, Any] = {
            "Type": "Task",
            "Resource": f"arn:{Aws.PARTITION}:states:::aws-sdk:sagemaker:createModelPackage",
            "Parameters": request,
            "ResultPath": "$.package",
            "Retry": of_registry(),
        }
        register = sfn.CustomState(context.scope, "Register", state_json=task)
        prepare.next(register)
        statements = [invoke_statement(function), _statement(context.scope, group)]
        if self.lineage:
            associate, invokes = associate_record_set(context, then=then)
            register.next(associate)
            statements.append(invokes)
        else:
            register.next(then)
        return Bound(first=prepare, tasks=[prepare, register], statements=statements)


def _statement(scope: Construct, group: str) -> iam.PolicyStatement:
    """Return the permission to register a version. SageMaker checks it on the group and on the version."""
    stack = Stack.of(scope)
    # SageMaker writes ARNs in lower case, and IAM's comparison is case-sensitive.
    name = group if Token.is_unresolved(group) else group.lower()
    arns = [
        stack.format_arn(
            service="sagemaker",
            resource=resource,
            resource_name=path,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        for resource, path in (("model-package-group", name), ("model-package", f"{name}/*"))
    ]
    return iam.PolicyStatement(actions=["sagemaker:CreateModelPackage"], resources=arns)
