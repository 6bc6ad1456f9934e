"""Ranges and objectives of hyperparameter tuning, checked by the algorithm's own tables."""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from amazon_estimators.algorithms.algorithm import Algorithm
from amazon_estimators.algorithms.metrics import Metric
from amazon_estimators.algorithms.rules import Caution, Finding, Problem
from amazon_estimators.errors import HyperparameterError
from amazon_estimators.hyperparameters.hyperparameter import Hyperparameter, HyperparameterWarning
from amazon_estimators.hyperparameters.value_types import Integer, Real

GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/"
RANGES = f"{GUIDE}automatic-model-tuning-define-ranges.html"
METRICS = f"{GUIDE}automatic-model-tuning-define-metrics-variables.html"
STRATEGIES = f"{GUIDE}automatic-model-tuning-how-it-works.html"
API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTuningJobConfig.html"
"""Where AWS says what is refused."""

SCALING = ("Auto", "Linear", "Logarithmic", "ReverseLogarithmic")
MAX_RANGES = 30
MAX_CATEGORIES = 30
"""https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-limits.html"""
WIDE = 1000
"""The ratio of a range's ends from which on it is searched on a logarithmic scale by default."""
EARLY_STOPPING = ("LinearLearner", "IPInsights")
"""The algorithms that AWS lists with early stopping, of these ten.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html
"""


@dataclass(frozen=True)
class ContinuousParameter:
    """A range of numbers, both ends included.

    Attributes:
        min_value: The least.
        max_value: The greatest.
        scaling_type: ``"Auto"``, ``"Linear"``, ``"Logarithmic"`` (all values above 0) or
            ``"ReverseLogarithmic"`` (from 0 to below 1). Default: Auto.
    """

    min_value: float
    max_value: float
    scaling_type: str = "Auto"
    request_key = "ContinuousParameterRanges"

    def request(self, name: str) -> dict[str, Any]:
        """Return the range as the API takes it."""
        return {
            "Name": name,
            "MinValue": str(self.min_value),
            "MaxValue": str(self.max_value),
            "ScalingType": self.scaling_type,
        }

    def bounds(self) -> tuple[Any, ...]:
        """Return the values that the hyperparameter has to allow."""
        return self.min_value, self.max_value

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the range itself, beginning with a verb."""
        yield from _scale_problems(self)
        if self.scaling_type == "ReverseLogarithmic" and not 0 <= self.min_value <= self.max_value < 1:
            yield (
                f"has ReverseLogarithmic scaling from {self.min_value} to {self.max_value}; "
                "allowed: from 0 to below 1"
            )


@dataclass(frozen=True)
class IntegerParameter(ContinuousParameter):
    """A range of whole numbers, both ends included."""

    min_value: int
    max_value: int
    scaling_type: str = "Auto"
    request_key = "IntegerParameterRanges"

    def problems(self) -> Iterator[str]:
        yield from _scale_problems(self)
        if self.scaling_type == "ReverseLogarithmic":
            yield "has ReverseLogarithmic scaling, which is for continuous ranges only"


@dataclass(frozen=True)
class CategoricalParameter:
    """A few values, of which each training takes one; a single value may be given without a list."""

    values: Any
    request_key = "CategoricalParameterRanges"

    def bounds(self) -> tuple[Any, ...]:
        """Return the values that the hyperparameter has to allow."""
        if isinstance(self.values, str) or not isinstance(self.values, Iterable):
            return (self.values,)
        return tuple(self.values)

    def request(self, name: str) -> dict[str, Any]:
        """Return the range as the API takes it."""
        return {"Name": name, "Values": [str(value) for value in self.bounds()]}

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the range itself, beginning with a verb."""
        if not 1 <= len(self.bounds()) <= MAX_CATEGORIES:
            yield f"has {len(self.bounds())} values; allowed: 1 to {MAX_CATEGORIES}"


Range = ContinuousParameter | CategoricalParameter


def ranges_request(
    ranges: Mapping[str, Range], algorithm: type[Algorithm]
) -> dict[str, list[dict[str, Any]]]:
    """Return ``ParameterRanges``: by kind, names and values spelt as the service reads them."""
    request: dict[str, list[dict[str, Any]]] = {
        "IntegerParameterRanges": [],
        "ContinuousParameterRanges": [],
        "CategoricalParameterRanges": [],
    }
    for given, searched in ranges.items():
        declared = declared_name(algorithm, given)
        entry = searched.request(declared or given)
        if declared and isinstance(searched, CategoricalParameter):
            kind = algorithm.hyperparameter(declared)
            entry["Values"] = [kind.kind.spell(kind.read(value)) for value in searched.bounds()]
        request[searched.request_key].append(entry)
    return request


def ranges_of(request: Mapping[str, Any]) -> dict[str, Range]:
    """Return the ranges that ``ParameterRanges`` states, by the service's names.

    Raises:
        ValueError: The ends of a range are not numbers.
    """
    ranges: dict[str, Range] = {}
    for entry in request.get("IntegerParameterRanges", ()):
        ends = int(entry["MinValue"]), int(entry["MaxValue"])
        ranges[entry["Name"]] = IntegerParameter(*ends, entry.get("ScalingType", "Auto"))
    for entry in request.get("ContinuousParameterRanges", ()):
        limits = float(entry["MinValue"]), float(entry["MaxValue"])
        ranges[entry["Name"]] = ContinuousParameter(*limits, entry.get("ScalingType", "Auto"))
    for entry in request.get("CategoricalParameterRanges", ()):
        ranges[entry["Name"]] = CategoricalParameter(entry["Values"])
    return ranges


def declared_name(algorithm: type[Algorithm], name: str) -> str | None:
    """Return the service's name of a hyperparameter, given that or the SDK's; None if there is none."""
    for declared in algorithm.declared().values():
        if name in (declared.name, declared.alias):
            return declared.name
    return None


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
        near = get_close_matches(str(name), known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
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
    for given, searched in ranges.items():
        name = declared_name(algorithm, given)
        if name is None:
            known = list(algorithm.declared())
            near = get_close_matches(given, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            yield Problem(
                f"{algorithm.__name__} has no hyperparameter {given!r}.{hint}", source=algorithm.documentation
            )
            continue
        faults = [
            Problem(f"the range of {given} {problem}.", source=RANGES) for problem in searched.problems()
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


def documented_ranges(algorithm: Algorithm) -> dict[str, Range]:
    """Return the ranges that AWS recommends for the hyperparameters that ``algorithm`` leaves open.

    Those that have no effect beside what it sets, or that it then does not take, are left out. A range of
    real numbers that spans three orders of magnitude is searched on a logarithmic scale.

    Example:
        >>> from amazon_estimators.algorithms import KMeans
        >>> documented_ranges(KMeans(k=10, epochs=1))["extra_center_factor"]
        IntegerParameter(min_value=4, max_value=10, scaling_type='Auto')
    """
    return {
        name: documented
        for name, declared in algorithm.declared().items()
        if name not in algorithm.values
        and (documented := _documented(declared)) is not None
        and _has_effect(algorithm, name, documented.bounds()[-1])
    }


def _documented(declared: Hyperparameter[Any]) -> Range | None:
    recommended = declared.tuning
    if recommended is None:
        return None
    if recommended.low is None or recommended.high is None:
        return CategoricalParameter(recommended.values)
    if isinstance(declared.kind, Integer):
        return IntegerParameter(int(recommended.low), int(recommended.high))
    wide = recommended.low > 0 and recommended.high / recommended.low >= WIDE
    return ContinuousParameter(recommended.low, recommended.high, "Logarithmic" if wide else "Auto")


def _has_effect(algorithm: Algorithm, name: str, value: Any) -> bool:
    """Return False if the algorithm refuses a value of a hyperparameter, or warns that it does nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", HyperparameterWarning)
        try:
            algorithm.override({name: value})
        except (HyperparameterError, HyperparameterWarning):
            return False
    return True


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
        tunable = ", ".join(one.name for one in algorithm.declared().values() if one.tuning) or "none"
        yield Caution(f"AWS does not list {name} among what can be tuned: {tunable}.")


def _scale_problems(searched: ContinuousParameter) -> Iterator[str]:
    numbers = (searched.min_value, searched.max_value)
    if not all(isinstance(one, int | float) and math.isfinite(one) for one in numbers):
        yield f"is from {searched.min_value!r} to {searched.max_value!r}; expecting two numbers"
        return
    if searched.min_value > searched.max_value:
        yield f"is from {searched.min_value} to {searched.max_value}: min_value exceeds max_value"
    if searched.scaling_type not in SCALING:
        yield f"has scaling_type {searched.scaling_type!r}; allowed: {', '.join(SCALING)}"
    if searched.scaling_type == "Logarithmic" and searched.min_value <= 0:
        yield f"has Logarithmic scaling from {searched.min_value}; all values must be above 0"
