"""Write the data behind a registered model into SageMaker's own lineage."""

from __future__ import annotations

from aws_cdk import ArnFormat, Duration, Size, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_amazon_estimators.after_training.step import Context
from cdk_amazon_estimators.function_task import EXECUTION, invoke, invoke_statement
from cdk_amazon_estimators.retries import of_reports


def associate_record_set(context: Context, *, then: sfn.State) -> tuple[sfn.CustomState, iam.PolicyStatement]:
    """Return the state, and the permission that the state machine's role needs for it.

    It leads to ``then`` with the ARNs, or with why they are missing, at ``$.package.lineage``: a registered
    model does not fail for its lineage.
    """
    function = context.encoder.step(
        "Associate",
        "Associate the data of a training with its job",
        timeout=Duration.minutes(1),
        memory=Size.mebibytes(512),
    )
    for statement in _statements(context.scope):
        function.add_to_role_policy(statement)
    state = invoke(
        context.scope,
        "AssociateRecordSet",
        function,
        event={
            "pipeline": context.settings,
            "plan.$": "$.plan",
            "job.$": "$.job",
            "execution": EXECUTION,
        },
        result_path="$.package.lineage",
        retries=of_reports(),
    )
    state.add_catch(then, result_path="$.package.lineage")
    state.next(then)
    return state, invoke_statement(function)


def _statements(scope: Construct) -> list[iam.PolicyStatement]:
    """Return the permissions to find and to make artifacts and associations."""

    def arn(resource: str) -> str:
        return Stack.of(scope).format_arn(
            service="sagemaker",
            resource=resource,
            resource_name="*",
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )

    # An artifact is named after a hash of its source, and SageMaker names a job's trial component.
    artifacts, components = arn("artifact"), arn("experiment-trial-component")
    return [
        iam.PolicyStatement(actions=["sagemaker:CreateArtifact"], resources=[artifacts]),
        iam.PolicyStatement(actions=["sagemaker:AddAssociation"], resources=[artifacts, components]),
        # These actions list what exists and have no resource type.
        iam.PolicyStatement(
            actions=[
                "sagemaker:ListArtifacts",
                "sagemaker:ListAssociations",
                "sagemaker:ListTrialComponents",
            ],
            resources=["*"],
        ),
    ]
