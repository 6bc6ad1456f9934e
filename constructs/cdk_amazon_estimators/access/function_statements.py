"""Permissions of the Lambda functions that do not depend on a pipeline."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from amazon_estimators.pipeline.event_names import LINEAGE_SOURCE, SOURCE


def interfaces_statement() -> iam.PolicyStatement:
    """Return the permissions of a function's role for network interfaces in a VPC.

    Lambda checks them on all resources when it creates a function: AWSLambdaVPCAccessExecutionRole.
    """
    return iam.PolicyStatement(
        actions=[
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses",
        ],
        resources=["*"],
    )


def account_statement() -> iam.PolicyStatement:
    """Return the permission to read the account's concurrent executions; the action has no resource type."""
    return iam.PolicyStatement(actions=["lambda:GetAccountSettings"], resources=["*"])


def tell_statement(scope: Construct) -> iam.PolicyStatement:
    """Return the permission to put events of the library's own sources on the default bus."""
    return iam.PolicyStatement(
        actions=["events:PutEvents"],
        resources=[
            Stack.of(scope).format_arn(service="events", resource="event-bus", resource_name="default")
        ],
        # Every PutEvents names its source, so IfExists allows nothing more. Emulators may lack the key.
        conditions={"StringEqualsIfExists": {"events:source": [SOURCE, LINEAGE_SOURCE]}},
    )
