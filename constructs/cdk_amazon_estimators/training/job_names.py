"""Name a pipeline's jobs: their prefix distinguishes them from all others, also in policies."""

from __future__ import annotations

import hashlib
import re

from aws_cdk import Stack
from constructs import Construct


def job_name_prefix(pipeline: Construct) -> str:
    """Return a prefix of at most 30 characters: the construct's ID and a hash of stack and path.

    A nested stack has no name at synth, but its parent has one. The prefix is in lower case, like SageMaker's
    ARNs of jobs, because IAM's comparison is case-sensitive.
    """
    stack = Stack.of(pipeline)
    while stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    digest = hashlib.sha256(f"{stack.stack_name}\n{pipeline.node.path}".encode()).hexdigest()[:8]
    readable = re.sub(r"[^a-z0-9]+", "-", pipeline.node.id.lower())[:21].strip("-") or "pipeline"
    return f"{readable}-{digest}"


def tuning_name_prefix(job_prefix: str) -> str:
    """Return only the hash: a tuning job's name has room for 32 characters."""
    return job_prefix.rpartition("-")[2]
