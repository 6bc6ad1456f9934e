"""Read the resources of a tree of constructs. Each question to a construct is a call to Node: ask few."""

from __future__ import annotations

from functools import cache

from aws_cdk import CfnResource, Stack
from constructs import IConstruct


def resources_below(scope: IConstruct) -> list[CfnResource]:
    """Return the resources below ``scope``."""
    return [node for node in scope.node.find_all() if isinstance(node, CfnResource)]


def resources_of(stack: Stack) -> list[CfnResource]:
    """Return the resources in the template of ``stack``, without those of its nested stacks."""
    nodes = stack.node.find_all()
    nested = [node for node in nodes if isinstance(node, Stack) and node is not stack]
    elsewhere = {node for other in nested for node in other.node.find_all()}
    return [node for node in nodes if isinstance(node, CfnResource) and node not in elsewhere]


def type_of(resource: CfnResource) -> str:
    """Return the type of a resource, such as ``"AWS::S3::Bucket"``."""
    return _type_of_all(type(resource)) or resource.cfn_resource_type


@cache
def _type_of_all(kind: type[CfnResource]) -> str | None:
    """Return the type of all resources of a class; None for a class whose resources state theirs."""
    return getattr(kind, "CFN_RESOURCE_TYPE_NAME", None)
