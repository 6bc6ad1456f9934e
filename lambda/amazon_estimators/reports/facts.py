"""Hold what a page tells. Everything is optional: a RecordSet without a training has a page too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.pipeline.channel_origin import ChannelOrigin
from amazon_estimators.record_sets.profiles.comparison import Comparison
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.record_set import RecordSet


@dataclass(frozen=True, kw_only=True)
class ChannelFacts:
    """One channel.

    Attributes:
        name: Its name.
        record_set: Its RecordSet; None if unknown.
        profile: The profile of its features; None if there is none.
        before: The profile it is compared with; None for no comparison.
        comparison: What moved between the two.
        against: What it is compared with, or why it is not, as a sentence.
        origin: Where it comes from; None outside a training.
        missing: What could not be read, and why.
    """

    name: str
    record_set: RecordSet | None = None
    profile: ProfileDocument | None = None
    before: ProfileDocument | None = None
    comparison: Comparison | None = None
    against: str = ""
    origin: ChannelOrigin | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Step:
    """A part of an execution.

    Attributes:
        name: What it did.
        seconds: How long it took.
        cost: What it cost, in words.
        of: The step that it is a part of; empty for a step of its own.
    """

    name: str
    seconds: float
    cost: str = ""
    of: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """A page.

    Attributes:
        title: What it is about.
        made: When the page was made, in UTC.
        about: The facts to begin with, by name.
        warnings: What to look at first.
        channels: The channels.
        algorithm: The algorithm, for the ranges of hyperparameters and the directions of metrics.
        hyperparameters: As the job had them.
        metrics: The final metrics of the job.
        verdict: What the gate said, as the event has it; None without a gate.
        trainings: Earlier trainings, oldest first: ``job``, ``at``, ``metrics``, ``good``.
        current: The metrics of the model in use before, and its job; None for none.
        steps: The parts of the execution, in order.
        cost: What the training cost, in words; empty if there was none.
        job: The training job; None without one.
        model: The S3 URI of the model; None without one.
    """

    title: str
    made: str
    about: Mapping[str, object] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    channels: Sequence[ChannelFacts] = ()
    algorithm: type[Algorithm] | None = None
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    verdict: Mapping[str, Any] | None = None
    trainings: Sequence[Mapping[str, Any]] = ()
    current: tuple[str, Mapping[str, float]] | None = None
    steps: Sequence[Step] = ()
    cost: str = ""
    job: str | None = None
    model: str | None = None
