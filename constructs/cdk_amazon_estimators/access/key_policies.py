"""Statements of a KMS key's policy for services that use the key by themselves.

CDK cannot add statements to an imported key: its own policy must allow the same.
"""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


def allow_logs(key: kms.IKey, scope: Construct) -> None:
    """Allow CloudWatch Logs to use ``key`` for the log groups of the stack's account and region."""
    groups = Stack.of(scope).format_arn(
        service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="CloudWatchLogs",
            principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
            actions=[
                "kms:Decrypt",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            resources=["*"],  # in the policy of a key, the key
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        )
    )


def allow_events(key: kms.IKey) -> None:
    """Allow EventBridge to send to encrypted queues, for rules of this account."""
    _allow_service(key, "EventBridge", "events", "kms:Decrypt", "kms:GenerateDataKey")


def allow_alarms(key: kms.IKey) -> None:
    """Allow CloudWatch to publish to encrypted topics, for alarms of this account."""
    _allow_service(key, "CloudWatchAlarms", "cloudwatch", "kms:Decrypt", "kms:GenerateDataKey*")


def allow_through(key: kms.IKey, grantee: iam.IGrantable, *actions: str, service: str) -> None:
    """Allow ``grantee`` the actions on ``key`` only through ``service``, such as ``"s3"``."""
    iam.Grant.add_to_principal_or_resource(
        grantee=grantee,
        actions=list(actions),
        resource_arns=[key.key_arn],
        resource=key,
        # China's endpoints end with amazonaws.com.cn.
        conditions={"StringLike": {"kms:ViaService": f"{service}.{Aws.REGION}.amazonaws.com*"}},
    )


def _allow_service(key: kms.IKey, sid: str, service: str, *actions: str) -> None:
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
            actions=[*actions],
            resources=["*"],  # in the policy of a key, the key
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
