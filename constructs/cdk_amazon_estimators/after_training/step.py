"""Define the shape of a step after training, and the context it is bound to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aws_cdk import Annotations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.rules import Caution, Finding
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout

CAUTION = "cdk-amazon-estimators:afterTraining"
"""The ID for acknowledging the warnings."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """The pipeline that a step belongs to.

    Attributes:
        scope: The pipeline.
        algorithm: Its algorithm.
        encoder: Its Lambda functions.
        settings: Its settings, which the functions read.
        layout: Its buckets and key prefixes.
        model_package_group: The group in which its models are registered; None without a registry.
        has_gate: True if its models are judged.
    """

    scope: Construct
    algorithm: Algorithm
    encoder: RecordSetEncoder
    settings: Mapping[str, Any]
    layout: PipelineLayout
    model_package_group: str | None = None
    has_gate: bool = False


@dataclass(frozen=True, kw_only=True)
class Bound:
    """The states of one step.

    Attributes:
        first: The state to enter.
        tasks: The tasks whose errors are explained.
        statements: The permissions that the state machine's role needs for them.
    """

    first: sfn.State
    tasks: Sequence[sfn.CustomState]
    statements: Sequence[iam.PolicyStatement] = ()


class AfterTraining(Protocol):
    """A step between the end of training and the announcement of the model."""

    @property
    def leaves(self) -> str:
        """Return the name of its result in the state, which Announce receives under the same name."""

    def check(self, problems: Problems, algorithm: Algorithm, channels: Collection[str]) -> None:
        """Note settings that the algorithm, with the pipeline's channels, does not support."""

    def bind(self, context: Context, *, then: sfn.State, reject: Callable[[], sfn.State]) -> Bound:
        """Create the states, which lead to ``then``, or to the state that ``reject`` creates.

        Grants their functions the permissions they need.
        """


def note_findings(problems: Problems, what: str, findings: Sequence[Finding]) -> None:
    """Note each problem with its source. A caution is not a problem."""
    for finding in findings:
        if not isinstance(finding, Caution):
            problems.unless(False, f"{what}: {finding} Source: {finding.source}")


def warn(scope: Construct, what: str, findings: Sequence[Finding]) -> None:
    """Warn of each caution on the construct."""
    for number, finding in enumerate(finding for finding in findings if isinstance(finding, Caution)):
        Annotations.of(scope).add_warning_v2(f"{CAUTION}{what}{number or ''}", f"{what}: {finding}")
