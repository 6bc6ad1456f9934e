"""Warn of subnets from which S3 cannot be reached, as far as the app shows it.

Instances and functions have no public address, so an internet gateway is no way out for them. They need a
NAT, another route that leads out, or an endpoint for S3:
https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import jsii
from aws_cdk import Annotations, Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IConstruct, IValidation

NO_ROUTE = "cdk-amazon-estimators:noRouteToS3"
"""The ID for acknowledging the warning."""
ROUTE_NOT_SEEN = "cdk-amazon-estimators:routeToS3NotSeen"
"""The ID for acknowledging the information that another app, or nobody, made the route."""
OUT = (
    "nat_gateway_id",
    "transit_gateway_id",
    "network_interface_id",
    "instance_id",
    "vpc_peering_connection_id",
    "core_network_arn",
)
"""Targets of a default route that may lead to S3."""


def select_subnets(vpc: ec2.IVpc, chosen: ec2.SubnetSelection | None) -> ec2.SelectedSubnets:
    """Return the chosen subnets of ``vpc``, by default the private ones."""
    chosen = chosen or ec2.SubnetSelection()
    return vpc.select_subnets(
        availability_zones=chosen.availability_zones,
        one_per_az=chosen.one_per_az,
        subnet_filters=chosen.subnet_filters,
        subnet_group_name=chosen.subnet_group_name,
        subnets=chosen.subnets,
        subnet_type=chosen.subnet_type,
    )


def check_routes(
    scope: Construct, vpc: ec2.IVpc, subnets: Sequence[ec2.ISubnet], *, who: str, how: str
) -> None:
    """Let synthesis say if ``who`` cannot reach S3 from ``subnets``, once all of the app is known.

    Args:
        scope: The construct that is annotated.
        vpc: The network of the subnets.
        subnets: Where ``who`` runs.
        who: Such as "the training instances".
        how: What then happens, such as "training jobs fail".
    """
    scope.node.add_validation(_Routes(scope, vpc, subnets, who, how))


@jsii.implements(IValidation)
class _Routes:
    def __init__(
        self, scope: Construct, vpc: ec2.IVpc, subnets: Sequence[ec2.ISubnet], who: str, how: str
    ) -> None:
        self._scope, self._vpc, self._subnets = scope, vpc, subnets
        self._who, self._how = who, how

    def validate(self) -> list[str]:
        nodes = self._scope.node.root.node.find_all()
        if _has_interface_endpoint(nodes, self._vpc):
            return []
        reached = _tables_with_a_route(nodes)
        isolated = {subnet.node.path for subnet in self._vpc.isolated_subnets}
        without, unknown = [], []
        for subnet in self._subnets:
            if isinstance(subnet, ec2.Subnet):  # of this app: its routes are known
                if _identity(subnet, subnet.route_table.route_table_id) not in reached:
                    without.append(subnet.node.path)
            elif subnet.node.path in isolated:
                without.append(subnet.node.path)
            else:
                unknown.append(subnet.node.path)
        notes = Annotations.of(self._scope)
        if without:
            notes.add_warning_v2(
                NO_ROUTE,
                f"{self._who} run in subnets from which this app makes no route to S3, nor an endpoint for "
                f"it: {', '.join(without)}. {self._how}, unless another app makes one. Add "
                "vpc.add_gateway_endpoint('S3', service=ec2.GatewayVpcEndpointAwsService.S3), or choose "
                "subnets with a NAT, or acknowledge this warning if another app makes the route.",
            )
        if unknown:
            notes.add_info_v2(
                ROUTE_NOT_SEEN,
                f"{self._who} run in subnets of an imported VPC, whose routes CDK does not show: "
                f"{', '.join(unknown)}. {self._how} unless S3 is reached from there. After the deployment, "
                "amazon-estimators doctor looks at the routes.",
            )
        return []


def _has_interface_endpoint(nodes: Sequence[IConstruct], vpc: ec2.IVpc) -> bool:
    """Tell whether the app makes an interface endpoint for S3 in ``vpc``: it serves all subnets."""
    return any(
        endpoint.vpc_endpoint_type == "Interface"
        and _identity(endpoint, endpoint.vpc_id) == _identity(endpoint, vpc.vpc_id)
        for endpoint in _endpoints_for_s3(nodes)
    )


def _tables_with_a_route(nodes: Sequence[IConstruct]) -> set[str]:
    """Return the route tables that lead out, or to a gateway endpoint for S3."""
    reached = {
        _identity(node, node.route_table_id)
        for node in nodes
        if isinstance(node, ec2.CfnRoute) and any(getattr(node, target) for target in OUT)
    }
    for endpoint in _endpoints_for_s3(nodes):
        reached.update(_identity(endpoint, table) for table in endpoint.route_table_ids or ())
    return reached


def _endpoints_for_s3(nodes: Sequence[IConstruct]) -> Iterator[ec2.CfnVPCEndpoint]:
    for node in nodes:
        if isinstance(node, ec2.CfnVPCEndpoint):
            service = json.dumps(Stack.of(node).resolve(node.service_name))
            if service.strip('"}]').endswith(".s3"):
                yield node


def _identity(scope: IConstruct, value: Any) -> str:
    """Return a text that is the same for two references to one resource."""
    return json.dumps(Stack.of(scope).resolve(value), sort_keys=True)
