"""Read constructs. Each question to one is a call to Node, so ask few."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from aws_cdk import CfnResource, Stack
from constructs import IConstruct


def resources_below(*scopes: IConstruct) -> dict[str, CfnResource]:
    """Return the resources below ``scopes`` by jsii's names, each once even if a scope lies in another.

    Python has a new object for a resource each time it asks, so that only the name tells which it is.
    """
    return _by_name(node for scope in scopes for node in scope.node.find_all())


def resources_of(stack: Stack) -> dict[str, CfnResource]:
    """Return the resources in the template of ``stack`` by jsii's names, without those of nested stacks."""
    nodes = stack.node.find_all()
    nested = [node for node in nodes[1:] if isinstance(node, Stack)]
    elsewhere = resources_below(*nested)
    return {name: resource for name, resource in _by_name(nodes).items() if name not in elsewhere}


def _by_name(nodes: Iterable[IConstruct]) -> dict[str, CfnResource]:
    return {_name(node): node for node in nodes if isinstance(node, CfnResource)}


def _name(resource: CfnResource) -> str:
    return str(resource.__jsii_ref__.ref)  # type: ignore[attr-defined]


def properties_of(resources: Mapping[str, CfnResource]) -> dict[str, dict[str, Any]]:
    """Return the properties of resources of one stack as in the template, but in camel case."""
    stack = next((Stack.of(resource) for resource in resources.values()), None)
    if stack is None:
        return {}
    properties = [resource._cfn_properties for resource in resources.values()]
    return dict(zip(resources, stack.resolve(properties), strict=True))


def type_of(resource: CfnResource) -> str:
    """Return the type of a resource, such as ``"AWS::S3::Bucket"``."""
    return _type_of_all(type(resource)) or resource.cfn_resource_type


@cache
def _type_of_all(kind: type[CfnResource]) -> str | None:
    """Return the type of all resources of a class; None for a class whose resources state theirs."""
    return getattr(kind, "CFN_RESOURCE_TYPE_NAME", None)
