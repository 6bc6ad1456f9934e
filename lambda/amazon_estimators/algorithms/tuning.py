"""Check the ranges and objectives of hyperparameter tuning against the algorithm's own tables."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from amazon_estimators.algorithms.algorithm import Algorithm
from amazon_estimators.algorithms.metrics import Metric
from amazon_estimators.algorithms.rules import Caution, Finding, Problem
from amazon_estimators.algorithms.tuning_ranges import (
    CategoricalParameter,
    ContinuousParameter,
    IntegerParameter,
    Range,
    declared_name,
)
from amazon_estimators.hyperparameters.value_types import Integer, Real
from amazon_estimators.text import nearest

GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/"
RANGES = f"{GUIDE}automatic-model-tuning-define-ranges.html"
METRICS = f"{GUIDE}automatic-model-tuning-define-metrics-variables.html"
STRATEGIES = f"{GUIDE}automatic-model-tuning-how-it-works.html"
API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTuningJobConfig.html"
"""The pages of AWS's documentation behind the refusals."""

MAX_RANGES = 30
EARLY_STOPPING = ("LinearLearner", "IPInsights")
"""The algorithms that AWS lists with early stopping, of these ten.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html
"""


def objectives(algorithm: type[Algorithm]) -> dict[str, Metric]:
    """Return the metrics that tuning may optimise, by name."""
    return {metric.name: metric for metric in algorithm.metrics if metric.objective}


def objective_findings(
    algorithm: type[Algorithm],
    metric: str,
    objective_type: str,
    channels: Collection[str] | None,
    settings: Mapping[str, Any],
) -> Iterator[Finding]:
    """Yield what is wrong with an objective.

    Args:
        algorithm: The algorithm's class.
        metric: The metric's name, such as ``"test:msd"``.
        objective_type: ``"Minimize"`` or ``"Maximize"``.
        channels: The channels of the trainings; None if they are not known yet.
        settings: Hyperparameters that all trainings share, as Python values.
    """
    known = objectives(algorithm)
    if not known:
        yield Problem(
            f"{algorithm.__name__} logs no metric that tuning could optimise.",
            source=algorithm.documentation,
        )
        return
    yield from metric_findings(
        algorithm, "objective metric", metric, known, channels=channels, settings=settings
    )
    if metric not in known:
        return
    if objective_type not in ("Minimize", "Maximize"):
        yield Problem(f"objective type is {objective_type!r}; allowed: Minimize, Maximize.", source=API)
    elif objective_type != known[metric].direction:
        yield Caution(f"{metric} is better the other way: {known[metric].direction}, not {objective_type}.")


def metric_findings(
    algorithm: type[Algorithm],
    what: str,
    name: str,
    known: Mapping[str, Metric],
    *,
    channels: Collection[str] | None,
    settings: Mapping[str, Any],
) -> Iterator[Finding]:
    """Yield why trainings do not report a metric.

    Args:
        algorithm: The algorithm's class.
        what: How messages call the metric.
        name: The metric's name, such as ``"test:msd"``.
        known: The metrics to choose from, by name.
        channels: The channels of the trainings; None if they are not known yet.
        settings: Hyperparameters of the trainings, as Python values.
    """
    if name not in known:
        near = nearest(name, known)
        hint = f" Did you mean {near!r}?" if near else ""
        yield Problem(
            f"{what} {name!r} is not one of {algorithm.__name__}: {', '.join(known)}.{hint}", source=METRICS
        )
        return
    channel = name.partition(":")[0]
    if channels is not None and channel not in channels:
        yield Problem(
            f"{what} {name!r} needs a channel {channel!r}; there are {', '.join(sorted(channels))}.",
            source=METRICS,
        )
    needed = known[name].predictor_types
    predictor = settings.get("predictor_type")
    if needed and predictor is not None and predictor not in needed:
        yield Problem(
            f"{name} is logged for predictor_type {' or '.join(needed)}, not for {predictor}.",
            source=METRICS,
        )


def range_findings(algorithm: type[Algorithm], ranges: Mapping[str, Range]) -> Iterator[Finding]:
    """Yield what is wrong with the ranges to search."""
    if not 1 <= len(ranges) <= MAX_RANGES:
        yield Problem(
            f"{len(ranges)} hyperparameters are searched; allowed: 1 to {MAX_RANGES}.", source=RANGES
        )
    for spelling, searched in ranges.items():
        name = declared_name(algorithm, spelling)
        if name is None:
            near = algorithm.nearest(spelling)
            hint = f" Did you mean {near!r}?" if near else ""
            yield Problem(
                f"{algorithm.__name__} has no hyperparameter {spelling!r}.{hint}",
                source=algorithm.documentation,
            )
            continue
        faults = [
            Problem(f"the range of {spelling} {problem}.", source=RANGES) for problem in searched.problems()
        ]
        yield from faults or _fit(algorithm, name, searched)


def job_findings(
    algorithm: type[Algorithm],
    ranges: Sequence[Range],
    *,
    strategy: str,
    early_stopping: str,
    max_jobs: int | None,
    objective: str,
) -> Iterator[Finding]:
    """Yield what is wrong between strategy, ranges, numbers of jobs and early stopping."""
    if strategy == "Grid":
        if not all(isinstance(searched, CategoricalParameter) for searched in ranges):
            yield Problem("strategy Grid searches categorical ranges only.", source=STRATEGIES)
        else:
            combinations = math.prod(len(searched.bounds()) for searched in ranges)
            if max_jobs not in (None, combinations):
                yield Problem(
                    f"strategy Grid trains all {combinations} combinations; max_jobs is {max_jobs}: "
                    "leave it out.",
                    source=STRATEGIES,
                )
    elif max_jobs is None:
        yield Problem(f"strategy {strategy} needs the number of trainings, max_jobs.", source=API)
    if strategy == "Hyperband" and early_stopping != "Off":
        yield Problem(
            "strategy Hyperband stops trainings by itself: early stopping must be Off.", source=STRATEGIES
        )
    if early_stopping == "Auto" and not reports_per_epoch(algorithm, objective):
        yield Caution(f"AWS does not list {algorithm.__name__} with {objective} among those stopped early.")


def reports_per_epoch(algorithm: type[Algorithm], objective: str) -> bool:
    """Return True if AWS lists the algorithm, with this objective, among those that can be stopped early."""
    return algorithm.__name__ in EARLY_STOPPING and (
        algorithm.__name__ != "LinearLearner" or objective.endswith("objective_loss")
    )


def _fit(algorithm: type[Algorithm], name: str, searched: Range) -> Iterator[Finding]:
    """Yield where a range and what the hyperparameter takes do not fit."""
    declared = algorithm.hyperparameter(name)
    numeric = isinstance(declared.kind, Integer | Real)
    if isinstance(searched, ContinuousParameter) and not numeric:
        yield Problem(
            f"{name} takes {declared.kind.expecting}: search it with CategoricalParameter.", source=RANGES
        )
        return
    whole = isinstance(searched, IntegerParameter)
    if isinstance(searched, ContinuousParameter) and isinstance(declared.kind, Integer) and not whole:
        yield Problem(f"{name} is a whole number: search it with IntegerParameter.", source=RANGES)
        return
    for value in searched.bounds():
        try:
            declared.read(value)
        except ValueError as error:
            yield Problem(str(error), source=algorithm.documentation)
            return
    if declared.tuning is None:
        tunable = (
            ", ".join(
                hyperparameter.name
                for hyperparameter in algorithm.declared().values()
                if hyperparameter.tuning
            )
            or "none"
        )
        yield Caution(f"AWS does not list {name} among what can be tuned: {tunable}.")
