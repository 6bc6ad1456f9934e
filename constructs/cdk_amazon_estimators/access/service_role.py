"""A role that one AWS service assumes, for resources of this account only."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct


def service_role(scope: Construct, construct_id: str, service: str, description: str) -> iam.Role:
    """Make a role that ``service``, such as ``"sagemaker.amazonaws.com"``, assumes.

    A condition keeps the service from assuming the role on behalf of another account.
    """
    return iam.Role(
        scope,
        construct_id,
        description=description,
        assumed_by=iam.ServicePrincipal(
            service, conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        ),
    )
