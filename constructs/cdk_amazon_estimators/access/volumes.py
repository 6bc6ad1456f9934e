"""The permission to use a KMS key for the volumes of SageMaker's instances."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms


def grant_volumes(grantee: iam.IGrantable, key: kms.IKey) -> None:
    """Allow ``grantee`` to use the key of volumes: SageMaker creates a grant for EBS in its name."""
    key.grant(grantee, "kms:DescribeKey", "kms:Encrypt")
    iam.Grant.add_to_principal_or_resource(
        grantee=grantee,
        actions=["kms:CreateGrant"],
        resource_arns=[key.key_arn],
        resource=key,
        conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
    )
