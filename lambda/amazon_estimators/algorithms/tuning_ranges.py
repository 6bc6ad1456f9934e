"""Define ranges of hyperparameters to search, their form in the API, and those that AWS recommends."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amazon_estimators.algorithms.algorithm import Algorithm
from amazon_estimators.errors import HyperparameterError
from amazon_estimators.hyperparameters.hyperparameter import Hyperparameter, HyperparameterWarning
from amazon_estimators.hyperparameters.value_types import Integer

SCALING = ("Auto", "Linear", "Logarithmic", "ReverseLogarithmic")
MAX_CATEGORIES = 30
"""https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-limits.html"""
WIDE = 1000
"""The ratio of a range's ends from which on it is searched on a logarithmic scale by default."""


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
    for name, searched in ranges.items():
        declared = declared_name(algorithm, name)
        entry = searched.request(declared or name)
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


def documented_ranges(algorithm: Algorithm) -> dict[str, Range]:
    """Return the ranges that AWS recommends for the hyperparameters that ``algorithm`` leaves open.

    Leaves out those that have no effect with its settings, or that it then does not accept. A range of real
    numbers that spans three orders of magnitude is searched on a logarithmic scale.

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


def _scale_problems(searched: ContinuousParameter) -> Iterator[str]:
    numbers = (searched.min_value, searched.max_value)
    if not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers):
        yield f"is from {searched.min_value!r} to {searched.max_value!r}; expecting two numbers"
        return
    if searched.min_value > searched.max_value:
        yield f"is from {searched.min_value} to {searched.max_value}: min_value exceeds max_value"
    if searched.scaling_type not in SCALING:
        yield f"has scaling_type {searched.scaling_type!r}; allowed: {', '.join(SCALING)}"
    if searched.scaling_type == "Logarithmic" and searched.min_value <= 0:
        yield f"has Logarithmic scaling from {searched.min_value}; all values must be above 0"
