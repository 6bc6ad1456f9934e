"""Tell which features moved between two profiles: by their quantiles, and by their means.

The population stability index compares shares of rows in ten bins, the deciles of the first profile. Between
two samples of one population it is about chi-squared with 9 degrees of freedom, times ``1/n + 1/m``
(Yurdakul 2018): a feature counts as moved only above what chance explains once in 1,000 times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from amazon_estimators.errors import RecordSetError
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import FeatureProfile
from amazon_estimators.record_sets.profiles.findings import feature_name
from amazon_estimators.text import listed

Array = np.ndarray[Any, Any]
Buckets = tuple[Array, Array]
"""Ordered bits and counts of one feature's buckets."""

BINS = 10
MOVED_PSI = 0.1
"""The usual line: below 0.1 stable, above 0.25 another population."""
CHANCE = 27.88
"""Chi-squared of 9 degrees of freedom, exceeded once in 1,000 times."""
MOVED_MEAN, CHANCE_MEAN = 0.25, 4.0
"""Standard deviations of the first profile, and standard errors, that a mean moves."""


@dataclass(frozen=True)
class Shift:
    """The difference in one feature.

    Attributes:
        feature: Its name, or its number if the RecordSets have no names.
        psi: The population stability index; None without quantiles, above 2,000 features.
        ks: The largest difference of the shares of rows below a value, 0 to 1; None without quantiles.
        mean_before: Its mean in the first profile.
        mean_after: Its mean in the second.
        mean_shift: Their difference in standard deviations of the first; infinity if that is constant.
        moved: True if it differs by more than chance explains, and enough to matter.
    """

    feature: int | str
    psi: float | None
    ks: float | None
    mean_before: float
    mean_after: float
    mean_shift: float
    moved: bool


@dataclass(frozen=True)
class Comparison:
    """Two profiles side by side.

    Attributes:
        shifts: The features that both have, those that moved most first.
        gone: Names of features that only the first has.
        new: Names of features that only the second has.
    """

    shifts: tuple[Shift, ...]
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()

    @property
    def moved(self) -> tuple[Shift, ...]:
        """The features that moved."""
        return tuple(shift for shift in self.shifts if shift.moved)


def compare(before: ProfileDocument, after: ProfileDocument) -> Comparison:
    """Compare two profiles feature by feature: by name if both have names, else by position.

    Raises:
        RecordSetError: They have no names in common, or without names another number of features.
    """
    pairs = _pairs(before, after)
    one, other = ([pair[side] for pair in pairs] for side in (0, 1))
    moments, later = before.profile.moments, after.profile.moments
    difference = later.mean[other] - moments.mean[one]
    deviation = np.sqrt(moments.variance[one])
    error = np.sqrt(moments.variance[one] / moments.sampled + later.variance[other] / later.sampled)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(difference == 0, 0.0, np.abs(difference) / deviation)
    mean_moved = (shift >= MOVED_MEAN) & (np.abs(difference) > CHANCE_MEAN * error)
    distances = _distances(before.profile, after.profile, one, other)
    shifts = [
        Shift(
            feature_name(first, before.names),
            None if distance is None else distance[0],
            None if distance is None else distance[1],
            float(moments.mean[first]),
            float(later.mean[second]),
            float(shift[at]),
            bool(mean_moved[at] or (distance is not None and distance[2])),
        )
        for at, ((first, second), distance) in enumerate(zip(pairs, distances, strict=True))
    ]
    ranked = sorted(shifts, key=lambda shift: (shift.moved, shift.psi or 0.0, shift.mean_shift), reverse=True)
    if not (before.names and after.names):
        return Comparison(tuple(ranked))
    gone, new = (
        tuple(name for name in names if name not in known)
        for names, known in ((before.names, {*after.names}), (after.names, {*before.names}))
    )
    return Comparison(tuple(ranked), gone, new)


def _pairs(before: ProfileDocument, after: ProfileDocument) -> list[tuple[int, int]]:
    """Return the positions of each feature in both."""
    if before.names and after.names:
        place = {name: at for at, name in enumerate(after.names)}
        pairs = [(at, place[name]) for at, name in enumerate(before.names) if name in place]
        if pairs:
            return pairs
        raise RecordSetError(
            f"the RecordSets have no feature in common: {listed(before.names, 5)} against "
            f"{listed(after.names, 5)}",
            remedy="Compare RecordSets of the same table.",
        )
    counts = before.profile.features, after.profile.features
    if counts[0] != counts[1]:
        raise RecordSetError(
            f"the RecordSets have {counts[0]:,} and {counts[1]:,} features, and not both have names",
            remedy="Compare RecordSets of the same table.",
        )
    return [(at, at) for at in range(counts[0])]


def _distances(
    before: FeatureProfile, after: FeatureProfile, one: Sequence[int], other: Sequence[int]
) -> list[tuple[float, float, bool] | None]:
    """Return (PSI, KS, moved) of each pair of features; None without a sketch in both."""
    first, second = before.sketch, after.sketch
    if first is None or second is None or not first.rows or not second.rows:
        return [None] * len(one)
    rows = before.moments.sampled, after.moments.sampled
    chance = CHANCE * (1 / rows[0] + 1 / rows[1])
    distances: list[tuple[float, float, bool] | None] = []
    for here, there in zip(one, other, strict=True):
        level = max(first.levels[here], second.levels[there])
        shares = _shares(first.of_feature(here), second.of_feature(there), int(level))
        least = 0.5 / rows[0], 0.5 / rows[1]
        psi = _stability_index(*shares, least)
        ks = float(np.abs(np.cumsum(shares[0]) - np.cumsum(shares[1])).max())
        distances.append((psi, ks, psi >= MOVED_PSI and psi > chance))
    return distances


def _shares(one: Buckets, other: Buckets, level: int) -> tuple[Array, Array]:
    """Return the shares of rows of both in the buckets of either, in order."""
    keys = [part[0] >> np.uint32(level) for part in (one, other)]
    union = np.unique(np.concatenate(keys))
    first, second = (
        np.bincount(np.searchsorted(union, key), part[1], len(union)) / part[1].sum()
        for key, part in zip(keys, (one, other), strict=True)
    )
    return first, second


def _stability_index(one: Array, other: Array, least: tuple[float, float]) -> float:
    """Return the population stability index over the deciles of ``one``. Empty bins hold ``least``."""
    middle = np.cumsum(one) - one / 2
    decile = np.clip((middle * BINS).astype(int), 0, BINS - 1)
    first, second = (
        np.maximum(np.bincount(decile, part, BINS), floor)
        for part, floor in zip((one, other), least, strict=True)
    )
    return float(((second - first) * np.log(second / first)).sum())
