"""Subnets from which S3 is not reached: told by what the app shows of their routes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from pipeline_stacks import REQUIRED, infos, new_stack, warnings

from cdk_amazon_estimators import RecordSetEncoder, TrainingPipeline
from cdk_amazon_estimators.routes_to_s3 import NO_ROUTE, ROUTE_NOT_SEEN

S3_ENDPOINT = ec2.GatewayVpcEndpointAwsService.S3
PRIVATE, ISOLATED, PUBLIC = (
    ec2.SubnetType.PRIVATE_WITH_EGRESS,
    ec2.SubnetType.PRIVATE_ISOLATED,
    ec2.SubnetType.PUBLIC,
)


def new_vpc(stack: Stack, kind: ec2.SubnetType, *, nat_gateways: int | None = None) -> ec2.Vpc:
    """Return a VPC with public subnets, and those of the group "jobs", of this kind."""
    configuration = [
        ec2.SubnetConfiguration(name="public", subnet_type=PUBLIC),
        ec2.SubnetConfiguration(name="jobs", subnet_type=kind),
    ]
    return ec2.Vpc(stack, "Vpc", subnet_configuration=configuration, nat_gateways=nat_gateways)


def with_endpoint(stack: Stack, service: ec2.GatewayVpcEndpointAwsService, group: str) -> ec2.IVpc:
    vpc = new_vpc(stack, ISOLATED)
    subnets = [ec2.SubnetSelection(subnet_group_name=group)]
    vpc.add_gateway_endpoint("Endpoint", service=service, subnets=subnets)
    return vpc


def with_interface(stack: Stack, service: ec2.InterfaceVpcEndpointAwsService) -> ec2.IVpc:
    vpc = new_vpc(stack, ISOLATED)
    vpc.add_interface_endpoint("Endpoint", service=service)
    return vpc


def with_transit_gateway(stack: Stack) -> ec2.IVpc:
    vpc = new_vpc(stack, ISOLATED)
    for subnet in vpc.isolated_subnets:
        assert isinstance(subnet, ec2.Subnet)
        subnet.add_route("Out", router_id="tgw-1", router_type=ec2.RouterType.TRANSIT_GATEWAY)
    return vpc


def with_the_endpoint_of_another_vpc(stack: Stack) -> ec2.IVpc:
    other = ec2.Vpc(stack, "Other")
    other.add_gateway_endpoint("S3", service=S3_ENDPOINT)
    other.add_interface_endpoint("Interface", service=ec2.InterfaceVpcEndpointAwsService.S3)
    return new_vpc(stack, ISOLATED)


def imported(stack: Stack, **subnets: list[str]) -> ec2.IVpc:
    zones = ["eu-west-1a", "eu-west-1b"]
    return ec2.Vpc.from_vpc_attributes(stack, "Vpc", vpc_id="vpc-1", availability_zones=zones, **subnets)


ROUTES: dict[str, tuple[Callable[[Stack], ec2.IVpc], str | None]] = {
    "isolated": (lambda stack: new_vpc(stack, ISOLATED), NO_ROUTE),
    "public: no address": (lambda stack: new_vpc(stack, PUBLIC), NO_ROUTE),
    "private without NAT": (lambda stack: new_vpc(stack, PRIVATE, nat_gateways=0), NO_ROUTE),
    "NAT": (lambda stack: new_vpc(stack, PRIVATE), None),
    "transit gateway": (with_transit_gateway, None),
    "endpoint": (lambda stack: with_endpoint(stack, S3_ENDPOINT, "jobs"), None),
    "endpoint of other subnets": (lambda stack: with_endpoint(stack, S3_ENDPOINT, "public"), NO_ROUTE),
    "endpoint of another service": (
        lambda stack: with_endpoint(stack, ec2.GatewayVpcEndpointAwsService.DYNAMODB, "jobs"),
        NO_ROUTE,
    ),
    "endpoint of another VPC": (with_the_endpoint_of_another_vpc, NO_ROUTE),
    "interface endpoint": (
        lambda stack: with_interface(stack, ec2.InterfaceVpcEndpointAwsService.S3),
        None,
    ),
    "interface endpoint of another service": (
        lambda stack: with_interface(stack, ec2.InterfaceVpcEndpointAwsService.SQS),
        NO_ROUTE,
    ),
    "imported": (
        lambda stack: imported(stack, private_subnet_ids=["subnet-1", "subnet-2"]),
        ROUTE_NOT_SEEN,
    ),
    "imported, isolated": (
        lambda stack: imported(stack, isolated_subnet_ids=["subnet-1", "subnet-2"]),
        NO_ROUTE,
    ),
}


@pytest.mark.parametrize("case", ROUTES)
def test_who_cannot_reach_s3_is_told(case: str) -> None:
    make, told = ROUTES[case]
    stack = new_stack(region="eu-west-1")
    vpc = make(stack)
    subnets = None if case.startswith("imported") else ec2.SubnetSelection(subnet_group_name="jobs")
    TrainingPipeline(stack, "Digits", **REQUIRED, vpc=vpc, subnets=subnets)
    functions = case != "public: no address"  # those CDK itself refuses
    if functions:
        RecordSetEncoder(stack, "Encoder", vpc=vpc, subnets=subnets)
    for name, shown in {NO_ROUTE: warnings, ROUTE_NOT_SEEN: infos}.items():
        texts = shown(stack, name)
        assert len(texts) == (told == name) * (1 + functions), (name, texts)
        assert all("the training instances" in text or "the functions" in text for text in texts)


def test_an_endpoint_that_is_added_after_the_pipeline_counts() -> None:
    stack = new_stack()
    vpc = new_vpc(stack, ISOLATED)
    TrainingPipeline(stack, "Digits", **REQUIRED, vpc=vpc)
    vpc.add_gateway_endpoint("Endpoint", service=S3_ENDPOINT)
    assert warnings(stack, NO_ROUTE) == []
