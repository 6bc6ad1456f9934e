"""Check the quotas of a template, which all pipelines of a stack share, at synth.

AWS CloudFormation allows 500 resources and 1 MB. CDK says so too, but not what to do about pipelines.
"""

from __future__ import annotations

import json
from collections import Counter
from weakref import WeakSet

import jsii
from aws_cdk import Annotations, CfnResource, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct, IValidation

from cdk_amazon_estimators.resources import resources_of, type_of

GUIDE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
IAM_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"

MOST_RESOURCES = 500
"""Resources of a template."""
LARGEST_TEMPLATE = 1_000_000
"""Bytes of a template; CloudFormation answers "Template may not exceed 1000000 bytes in size."."""
LARGE_TEMPLATE = "cdk-amazon-estimators:largeTemplate"
"""The id by which the warning is acknowledged."""
SMALL = 200
"""Resources below which a template of pipelines is not measured: it is far below 1 MB."""
MOST_POLICIES = 10
"""Managed policies of a role; the quota can be raised."""
MANY_POLICIES = "cdk-amazon-estimators:manyManagedPolicies"
"""The id by which the warning is acknowledged."""

WAY_OUT = (
    "Put the pipelines into several stacks, or into nested stacks (aws_cdk.NestedStack): each has this quota "
    f"for itself, and functions of its own; the buckets can be shared ({GUIDE})"
)

_measured: WeakSet[Stack] = WeakSet()


def check_stack_quotas(scope: Construct) -> None:
    """Check the stack of ``scope`` when the app is synthesised, once for all pipelines in it."""
    stack = Stack.of(scope)
    if stack not in _measured:
        _measured.add(stack)
        stack.node.add_validation(StackQuotas(stack))


@jsii.implements(IValidation)
class StackQuotas:
    """Measures the template of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def validate(self) -> list[str]:
        resources = resources_of(self._stack)
        self._warn_of_policies(resources)
        count = len(resources)
        if count > MOST_RESOURCES:
            return [f"the stack has {count} resources; allowed: {MOST_RESOURCES}. {WAY_OUT}"]
        return self._size_problems(resources) if count >= SMALL else []

    def _size_problems(self, resources: list[CfnResource]) -> list[str]:
        """Return the problem of a template that is too large without indentation; warn if it is only with
        it."""
        properties = self._stack.resolve([node._cfn_properties for node in resources])
        content = {
            node.node.path: {"Type": type_of(node), "Properties": resolved}
            for node, resolved in zip(resources, properties, strict=True)
        }
        least = len(json.dumps(content, separators=(",", ":")))
        if least > LARGEST_TEMPLATE:
            return [f"the template takes {least:,} bytes; allowed: {LARGEST_TEMPLATE:,}. {WAY_OUT}"]
        indented = len(json.dumps({"Resources": content}, indent=1))
        if indented > LARGEST_TEMPLATE:
            Annotations.of(self._stack).add_warning_v2(
                LARGE_TEMPLATE,
                f"the template takes {indented:,} bytes, and {least:,} without blanks; allowed: "
                f"{LARGEST_TEMPLATE:,}. Give the stack suppress_template_indentation=True and acknowledge "
                f"this warning. {WAY_OUT}",
            )
        return []

    def _warn_of_policies(self, resources: list[CfnResource]) -> None:
        """Warn of roles with more managed policies than a new account allows: CDK creates them as needed."""
        count = Counter(
            json.dumps(role)
            for policy in resources
            if isinstance(policy, iam.CfnManagedPolicy)
            for role in self._stack.resolve(policy.roles) or ()
        )
        for role, number in count.items():
            if number > MOST_POLICIES:
                Annotations.of(self._stack).add_warning_v2(
                    MANY_POLICIES,
                    f"the role {role} has {number} managed policies, because so many pipelines share a "
                    f"RecordSetEncoder; a new account allows {MOST_POLICIES} ({IAM_GUIDE}). Give some of the "
                    "pipelines an encoder of their own, or raise the quota and acknowledge this warning.",
                )
