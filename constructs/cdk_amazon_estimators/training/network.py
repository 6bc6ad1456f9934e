"""Set the network of training instances: VpcConfig of the request, and the role's permissions for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_amazon_estimators.routes_to_s3 import check_routes, select_subnets


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
    selected = select_subnets(vpc, subnets)
    who = f"the {instances.lower()} instances"
    check_routes(scope, vpc, selected.subnets, who=who, how="Jobs and models in them fail")
    return TrainingNetwork(selected.subnet_ids, [group.security_group_id for group in security_groups])
