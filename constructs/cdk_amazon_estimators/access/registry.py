"""The permission to find the newest approved version of a model package group."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack, Token
from aws_cdk import aws_iam as iam
from constructs import Construct


def registry_statements(scope: Construct, group: str) -> list[iam.PolicyStatement]:
    """Return the permissions to list the versions of ``group`` and to describe one."""
    # SageMaker writes ARNs in lower case, and IAM's comparison is case-sensitive.
    group = group if Token.is_unresolved(group) else group.lower()

    def arn(resource: str, name: str) -> str:
        return Stack.of(scope).format_arn(
            service="sagemaker",
            resource=resource,
            resource_name=name,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )

    versions = arn("model-package", f"{group}/*")
    return [
        # The Service Authorization Reference has the versions for it; the request names the group.
        iam.PolicyStatement(
            actions=["sagemaker:ListModelPackages"], resources=[arn("model-package-group", group), versions]
        ),
        iam.PolicyStatement(actions=["sagemaker:DescribeModelPackage"], resources=[versions]),
    ]
