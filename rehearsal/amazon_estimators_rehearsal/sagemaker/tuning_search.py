"""Propose hyperparameters: by grid, at random, or where a Gaussian process expects to improve."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Proposal = dict[str, str]
RANDOM_FIRST = 3
"""Random trainings before the first proposal by expected improvement."""
CANDIDATES = 500
LENGTH, NOISE = 0.3, 1e-4
"""Length scale of the process on ranges of length 1, and the variance of a measurement."""


@dataclass(frozen=True)
class Axis:
    """A searched hyperparameter. Positions are between 0 and 1.

    Attributes:
        name: The hyperparameter.
        values: The values of a categorical one; empty for numbers.
        low: The lowest number, on the scale of the search.
        high: The highest number, on the same scale.
        scale: ``"Linear"``, ``"Logarithmic"`` or ``"ReverseLogarithmic"``.
        whole: True for whole numbers.
    """

    name: str
    values: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    scale: str = "Linear"
    whole: bool = False

    def value(self, position: float) -> str:
        """Return the value at a position, in the service's spelling."""
        if self.values:
            return self.values[min(int(position * len(self.values)), len(self.values) - 1)]
        at = self._scaled(self.low) + position * (self._scaled(self.high) - self._scaled(self.low))
        if self.scale == "Logarithmic":
            at = math.exp(at)
        elif self.scale == "ReverseLogarithmic":
            at = 1 - math.exp(-at)
        number = min(max(at, self.low), self.high)
        return str(round(number)) if self.whole else repr(number)

    def position(self, value: str) -> float:
        """Return the position of a value; for a categorical value, the middle of its range."""
        if self.values:
            return (self.values.index(value) + 0.5) / len(self.values)
        low, high = self._scaled(self.low), self._scaled(self.high)
        return (self._scaled(float(value)) - low) / (high - low) if high > low else 0.5

    def _scaled(self, number: float) -> float:
        if self.scale == "Logarithmic":
            return math.log(number)
        return -math.log(1 - number) if self.scale == "ReverseLogarithmic" else number


def axes_of(ranges: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Axis]:
    """Return the axes of ``ParameterRanges``. Auto scaling is logarithmic over more than two decades."""
    axes = []
    for kind, whole in (("IntegerParameterRanges", True), ("ContinuousParameterRanges", False)):
        for entry in ranges.get(kind, ()):
            low, high = float(entry["MinValue"]), float(entry["MaxValue"])
            scale = entry.get("ScalingType", "Auto")
            if scale == "Auto":
                scale = "Logarithmic" if low > 0 and high / low > 100 else "Linear"
            axes.append(Axis(entry["Name"], (), low, high, scale, whole))
    for entry in ranges.get("CategoricalParameterRanges", ()):
        axes.append(Axis(entry["Name"], tuple(entry["Values"])))
    return axes


class Search:
    """The state of one search.

    ``strategy`` is Grid, Random or Bayesian; ``minimize`` is True if a lower objective is better.
    """

    def __init__(self, axes: Sequence[Axis], strategy: str, *, minimize: bool, seed: int) -> None:
        self._axes, self._strategy = axes, strategy
        self._sign = 1.0 if minimize else -1.0
        self._rng = np.random.default_rng(seed)
        self._grid: Iterator[tuple[str, ...]] = itertools.product(*(axis.values for axis in axes))
        self._seen: list[list[float]] = []
        self._losses: list[float] = []

    def observe(self, tuned: Mapping[str, str], objective: float) -> None:
        """Record the objective of a training."""
        if all(axis.name in tuned for axis in self._axes):
            self._seen.append([axis.position(tuned[axis.name]) for axis in self._axes])
            self._losses.append(self._sign * objective)

    def propose(self) -> Proposal | None:
        """Return the values to train next; None after the last of a grid."""
        if self._strategy == "Grid":
            combination = next(self._grid, None)
            return None if combination is None else dict(zip(self._names(), combination, strict=True))
        positions = self._rng.random((CANDIDATES, len(self._axes)))
        best = 0
        if self._strategy == "Bayesian" and len(self._losses) >= RANDOM_FIRST:
            best = int(
                _expected_improvement(positions, np.array(self._seen), np.array(self._losses)).argmax()
            )
        values = [axis.value(float(at)) for axis, at in zip(self._axes, positions[best], strict=True)]
        return dict(zip(self._names(), values, strict=True))

    def _names(self) -> list[str]:
        return [axis.name for axis in self._axes]


def _expected_improvement(
    candidates: npt.NDArray[Any], seen: npt.NDArray[Any], losses: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Return each candidate's expected improvement on the lowest loss, in standard deviations."""
    scale = losses.std() or 1.0
    losses = (losses - losses.mean()) / scale
    gram = _similarity(seen, seen) + NOISE * np.eye(len(seen))
    across = _similarity(candidates, seen)
    mean = across @ np.linalg.solve(gram, losses)
    variance = 1 - np.einsum("ij,ji->i", across, np.linalg.solve(gram, across.T))
    deviation = np.sqrt(np.maximum(variance, 1e-12))
    gap = (losses.min() - mean) / deviation
    density = np.exp(-np.square(gap) / 2) / math.sqrt(2 * math.pi)
    below = np.array([math.erf(float(value) / math.sqrt(2)) for value in gap]) / 2 + 0.5
    return np.asarray(deviation * (gap * below + density))


def _similarity(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[Any]:
    squares = np.square(left[:, None] - right[None]).sum(axis=2)
    return np.asarray(np.exp(-squares / (2 * LENGTH**2)))
