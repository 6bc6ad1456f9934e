"""Check the quotas of a template, which all pipelines of a stack share, at synth.

AWS CloudFormation allows 500 resources and 1 MB. CDK says so too, but not what to do about pipelines.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import Annotations, CfnResource, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct, IValidation

from cdk_amazon_estimators.props.quotas import CHECKED, resource_problems, settings_problems
from cdk_amazon_estimators.resources import properties_of, resources_below, resources_of, type_of

GUIDE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
IAM_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"

MOST_RESOURCES = 500
"""Resources of a template."""
LARGEST_TEMPLATE = 1_000_000
"""Bytes of a template; CloudFormation answers "Template may not exceed 1000000 bytes in size."."""
LARGE_TEMPLATE = "cdk-amazon-estimators:largeTemplate"
"""The id by which the warning is acknowledged."""
NAME = 60
"""Characters assumed for the name of a resource."""
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

_pipelines: WeakKeyDictionary[Stack, list[tuple[Construct, Any]]] = WeakKeyDictionary()


def check_quotas(pipeline: Construct, settings: Any) -> None:
    """Check the quotas of all below ``pipeline``, and of its stack, when the app is synthesised."""
    stack = Stack.of(pipeline)
    if stack not in _pipelines:
        _pipelines[stack] = []
        stack.node.add_validation(StackQuotas(stack, _pipelines[stack]))
    _pipelines[stack].append((pipeline, settings))


@jsii.implements(IValidation)
class StackQuotas:
    """Measures the pipelines of a stack and its template."""

    def __init__(self, stack: Stack, pipelines: Sequence[tuple[Construct, Any]] = ()) -> None:
        self._stack, self._pipelines = stack, pipelines

    def validate(self) -> list[str]:
        resources = resources_of(self._stack)
        self._warn_of_policies(resources.values())
        below = resources_below(*(pipeline for pipeline, _ in self._pipelines))
        checked = {name: resource for name, resource in below.items() if isinstance(resource, CHECKED)}
        is_measured = SMALL <= len(resources) <= MOST_RESOURCES
        properties = properties_of({**resources, **checked} if is_measured else checked)
        settings = self._stack.resolve([settings for _, settings in self._pipelines])
        return [
            *self._count_problems(len(resources)),
            *(self._size_problems(resources, properties) if is_measured else ()),
            *(
                problem
                for (pipeline, _), resolved in zip(self._pipelines, settings, strict=True)
                for problem in settings_problems(pipeline, resolved)
            ),
            *(
                problem
                for name, resource in checked.items()
                for problem in resource_problems(resource, properties[name])
            ),
        ]

    def _count_problems(self, count: int) -> Iterator[str]:
        if count > MOST_RESOURCES:
            yield f"the stack has {count} resources; allowed: {MOST_RESOURCES}. {WAY_OUT}"

    def _size_problems(
        self, resources: Mapping[str, CfnResource], properties: Mapping[str, Any]
    ) -> Iterator[str]:
        """Yield the problem of a template that is too large without indentation; warn if it is only with
        it."""
        content = {
            f"{number:0{NAME}}": {"Type": type_of(resource), "Properties": properties[name]}
            for number, (name, resource) in enumerate(resources.items())
        }
        least = len(json.dumps(content, separators=(",", ":")))
        if least > LARGEST_TEMPLATE:
            yield f"the template takes {least:,} bytes; allowed: {LARGEST_TEMPLATE:,}. {WAY_OUT}"
            return
        indented = len(json.dumps({"Resources": content}, indent=1))
        if indented > LARGEST_TEMPLATE:
            Annotations.of(self._stack).add_warning_v2(
                LARGE_TEMPLATE,
                f"the template takes {indented:,} bytes, and {least:,} without blanks; allowed: "
                f"{LARGEST_TEMPLATE:,}. Give the stack suppress_template_indentation=True and acknowledge "
                f"this warning. {WAY_OUT}",
            )

    def _warn_of_policies(self, resources: Iterable[CfnResource]) -> None:
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
