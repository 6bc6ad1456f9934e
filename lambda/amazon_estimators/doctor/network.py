"""Do training instances in a VPC reach S3 and the image?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from amazon_estimators.doctor.finding import Finding, error, ok, warning
from amazon_estimators.doctor.patient import Patient

OUTSIDE = ("NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "VpcPeeringConnectionId", "InstanceId")
"""Targets of a default route that may lead to S3. An internet gateway does not: the instances have no public
address."""
EXPLAINED = "https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html"


def network(patient: Patient) -> Iterator[Finding]:
    """Do all subnets have free addresses and a route to S3?"""
    config = patient.job.get("VpcConfig")
    if config is None:
        return
    ec2 = patient.client("ec2")
    try:
        subnets = ec2.describe_subnets(SubnetIds=config["Subnets"])["Subnets"]
        ec2.describe_security_groups(GroupIds=config["SecurityGroupIds"])
    except ClientError as refused:
        if not refused.response["Error"]["Code"].endswith(".NotFound"):
            raise
        yield error(
            refused.response["Error"]["Message"], "Deploy with subnets and security groups that exist."
        )
        return
    _, count = patient.instances
    for subnet in subnets:
        name, free = subnet["SubnetId"], subnet["AvailableIpAddressCount"]
        if free < count:
            yield warning(
                f"subnet {name} has {free} free addresses; one training needs {count}", "Use a larger one."
            )
        way = _way_to_s3(ec2, subnet, patient.region)
        if way is None:
            yield error(
                f"subnet {name} has no route to S3: no gateway endpoint, no interface endpoint, no NAT",
                f"Add a gateway endpoint for S3 to its route table: {EXPLAINED}",
            )
        else:
            yield ok(f"subnet {name} reaches S3 by {way}")


def _way_to_s3(ec2: Any, subnet: Mapping[str, Any], region: str) -> str | None:
    """Return what leads from a subnet to S3, None if nothing does."""
    routes = _routes(ec2, subnet)
    endpoints = ec2.describe_vpc_endpoints(
        Filters=[
            {"Name": "vpc-id", "Values": [subnet["VpcId"]]},
            {"Name": "service-name", "Values": [f"com.amazonaws.{region}.s3"]},
        ]
    )["VpcEndpoints"]
    for endpoint in endpoints:
        if endpoint.get("VpcEndpointType", "Gateway") == "Interface":
            return f"interface endpoint {endpoint['VpcEndpointId']}"
        if routes["RouteTableId"] in endpoint.get("RouteTableIds", ()):
            return f"gateway endpoint {endpoint['VpcEndpointId']}"
    for route in routes["Routes"]:
        if route.get("DestinationCidrBlock") == "0.0.0.0/0" and route.get("State", "active") == "active":
            for kind in OUTSIDE:
                if route.get(kind):
                    return str(route[kind])
    return None


def _routes(ec2: Any, subnet: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the route table of a subnet: its own, or the main one of its VPC."""
    own = [{"Name": "association.subnet-id", "Values": [subnet["SubnetId"]]}]
    main = [
        {"Name": "vpc-id", "Values": [subnet["VpcId"]]},
        {"Name": "association.main", "Values": ["true"]},
    ]
    for filters in (own, main):
        tables = ec2.describe_route_tables(Filters=filters)["RouteTables"]
        if tables:
            table: Mapping[str, Any] = tables[0]
            return table
    return {"RouteTableId": None, "Routes": ()}
