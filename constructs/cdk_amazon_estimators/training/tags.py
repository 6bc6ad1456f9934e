"""Tag a pipeline's resources, and give its jobs the tags that CDK gives to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsii
from aws_cdk import CfnResource, IStableAnyProducer, Lazy, Stack, TagManager, Tags
from constructs import Construct


def tag(pipeline: Construct, tags: Mapping[str, str]) -> None:
    """Tag the pipeline's own resources."""
    for name, value in tags.items():
        Tags.of(pipeline).add(name, value)


def resource_tags(pipeline: Construct, state_machine_id: str) -> Any:
    """Return the tags of the pipeline's state machine and of its stack, as a token.

    Tags are known when the app is synthesised, after the definition that names them is made.
    """
    return Lazy.any(_Tags(pipeline, state_machine_id))


@jsii.implements(IStableAnyProducer)
class _Tags:
    def __init__(self, pipeline: Construct, state_machine_id: str) -> None:
        self._pipeline = pipeline
        self._id = state_machine_id

    def produce(self) -> Any:
        resource = self._pipeline.node.find_child(self._id).node.default_child
        assert isinstance(resource, CfnResource)
        manager = TagManager.of(resource)
        own = manager.tag_values() if manager else {}
        tags: dict[str, str] = {}
        stack: Stack | None = Stack.of(self._pipeline)
        while stack is not None:  # CloudFormation passes the tags of a stack on to its nested stacks
            tags = {**stack.tags.tag_values(), **tags}
            stack = stack.nested_stack_parent
        return {**tags, **own}
