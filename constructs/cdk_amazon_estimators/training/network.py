"""Set the network of training instances: VpcConfig of the request, and the role's permissions for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import jsii
from aws_cdk import Annotations, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct, IValidation

NO_ROUTE = "cdk-amazon-estimators:noRouteToS3"
"""The ID for acknowledging the warning."""


@dataclass(frozen=True)
class TrainingNetwork:
    """Subnets and security groups, by ID."""

    subnet_ids: Sequence[str]
    security_group_ids: Sequence[str]

    def statements(self, scope: Construct) -> list[iam.PolicyStatement]:
        """Return the permissions of the execution role, with which SageMaker puts interfaces into the
        subnets."""

        def arns(resource: str, names: Sequence[str], account: str | None = None) -> list[str]:
            stack = Stack.of(scope)
            return [
                stack.format_arn(service="ec2", resource=resource, resource_name=name, account=account)
                for name in names
            ]

        # In a shared VPC, subnets and groups may belong to another account; their IDs are unique.
        subnets = arns("subnet", self.subnet_ids, "*")
        groups = arns("security-group", self.security_group_ids, "*")
        interfaces = arns("network-interface", ["*"])  # their names are not known in advance
        return [
            iam.PolicyStatement(
                actions=["ec2:CreateNetworkInterface"], resources=[*interfaces, *subnets, *groups]
            ),
            iam.PolicyStatement(
                actions=[
                    "ec2:CreateNetworkInterfacePermission",
                    "ec2:DeleteNetworkInterface",
                    "ec2:DeleteNetworkInterfacePermission",
                ],
                resources=interfaces,
                conditions={"ArnLike": {"ec2:Subnet": subnets}},
            ),
            # These actions list what exists and have no resource type.
            iam.PolicyStatement(
                actions=[
                    "ec2:DescribeDhcpOptions",
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeSecurityGroups",
                    "ec2:DescribeSubnets",
                    "ec2:DescribeVpcs",
                ],
                resources=["*"],
            ),
        ]


def training_network(
    scope: Construct,
    vpc: ec2.IVpc,
    *,
    subnets: ec2.SubnetSelection | None = None,
    security_groups: Sequence[ec2.ISecurityGroup] | None = None,
    instances: str = "Training",
) -> TrainingNetwork:
    """Choose subnets of ``vpc``, by default the private ones, and groups, by default a new one.

    ``instances`` names their purpose in the new group's ID and description.
    """
    if not security_groups:
        own = ec2.SecurityGroup(
            scope,
            f"{instances}SecurityGroup",
            vpc=vpc,
            description=f"{instances} instances",
            allow_all_outbound=False,
        )
        own.add_ingress_rule(own, ec2.Port.all_traffic(), "Instances of one job talk to one another")
        own.add_egress_rule(own, ec2.Port.all_traffic(), "Instances of one job talk to one another")
        own.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "S3 and the other services of AWS")
        security_groups = [own]
    chosen = subnets or ec2.SubnetSelection()
    selected = vpc.select_subnets(
        availability_zones=chosen.availability_zones,
        one_per_az=chosen.one_per_az,
        subnet_filters=chosen.subnet_filters,
        subnet_group_name=chosen.subnet_group_name,
        subnets=chosen.subnets,
        subnet_type=chosen.subnet_type,
    )
    if isinstance(vpc, ec2.Vpc):
        scope.node.add_validation(_Route(scope, vpc, selected.subnets))
    return TrainingNetwork(selected.subnet_ids, [group.security_group_id for group in security_groups])


@jsii.implements(IValidation)
class _Route:
    """Warns of a VPC of this app whose instances cannot reach S3, when all of its endpoints are known."""

    def __init__(self, scope: Construct, vpc: ec2.Vpc, subnets: Sequence[ec2.ISubnet]) -> None:
        self._scope = scope
        self._vpc = vpc
        self._subnets = subnets

    def validate(self) -> list[str]:
        isolated = {subnet.node.path for subnet in self._vpc.isolated_subnets}
        if not all(subnet.node.path in isolated for subnet in self._subnets) or self._has_endpoint():
            return []
        Annotations.of(self._scope).add_warning_v2(
            NO_ROUTE,
            f"the training instances are in isolated subnets of {self._vpc.node.path}, and this app gives "
            "the VPC no endpoint for S3: training jobs fail unless there is one. Add "
            "vpc.add_gateway_endpoint('S3', service=ec2.GatewayVpcEndpointAwsService.S3), or acknowledge "
            "this warning if another app makes it.",
        )
        return []

    def _has_endpoint(self) -> bool:
        nodes = self._vpc.node.root.node.find_all()
        services = [
            json.dumps(Stack.of(node).resolve(node.service_name))
            for node in nodes
            if isinstance(node, ec2.CfnVPCEndpoint)
        ]
        return any("s3" in service for service in services)
