"""The profile of a RecordSet's features: their moments, and the sketch of their quantiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from amazon_estimators.record_sets.profiles.moments import DenseRange, Moments, SparseMoments
from amazon_estimators.record_sets.profiles.sketch import RowSample, Sketch

Array = np.ndarray[Any, Any]

SKETCHED_FEATURES = 2_000
"""Of more features only the moments are kept."""
PROFILED_FEATURES = 100_000
"""With more features there is no profile: those of thousands of shards would cost more than they are
worth."""
MERGED_AT_ONCE = 2**21
"""Buckets of sketches that are held before they are added up: about 100 MB with what adding up takes."""


def too_wide(features: int) -> bool:
    """Return True for so many features that they are not profiled."""
    return features > PROFILED_FEATURES


@dataclass(frozen=True)
class FeatureProfile:
    """Statistics of the rows of a RecordSet or of one of its shards.

    Attributes:
        moments: Count, minimum, maximum, mean, variance and zeros of each feature.
        sketch: Its quantiles; None above 2,000 features.
    """

    moments: Moments
    sketch: Sketch | None

    @property
    def features(self) -> int:
        """The number of features."""
        return len(self.moments.mean)

    @property
    def records(self) -> int:
        """The number of rows."""
        return self.moments.records

    @classmethod
    def merge(cls, parts: Iterable[FeatureProfile]) -> FeatureProfile | None:
        """Return the profile of all parts together, or None without parts.

        Moments are added up as they come; sketches wait until they are many, in bounded memory.
        """
        moments: Moments | None = None
        sketch: Sketch | None = None
        held: list[Sketch] = []
        buckets = 0
        for part in parts:
            moments = part.moments if moments is None else moments + part.moments
            if part.sketch is not None:
                held.append(part.sketch)
                buckets += len(part.sketch.keys)
            if buckets > MERGED_AT_ONCE:
                held = [Sketch.merge(held)]
                buckets = len(held[0].keys)
        if held:
            sketch = Sketch.merge(held)
        return None if moments is None else cls(moments, sketch)

    def quantiles(self, shares: Sequence[float]) -> Array | None:
        """Return the quantiles, shape (features, shares), from minimum to maximum; None without sketch."""
        if self.sketch is None:
            return None
        moments = self.moments
        quantiles = self.sketch.quantiles(shares)
        return np.clip(quantiles, moments.minimum[:, None], moments.maximum[:, None])


class ProfileBuilder:
    """Adds up the rows of a RecordSet, or of one shard, as they are written. All are dense, or all sparse."""

    def __init__(self) -> None:
        self._dense: DenseRange | None = None
        self._sparse: SparseMoments | None = None
        self._sample: RowSample | None = None

    def add_dense(self, rows: Array) -> None:
        """Add finite float32 rows, shape (rows, features)."""
        features = rows.shape[1]
        if too_wide(features):
            return
        if self._dense is None or self._sample is None:
            self._dense, self._sample = DenseRange(features), RowSample(features)
        self._dense.add(rows)
        self._sample.add(rows)

    def add_sparse(self, data: Array, indices: Array, indptr: Array, features: int) -> None:
        """Add CSR rows of finite float32 values; ``indptr`` starts with 0 and has shape (rows + 1,)."""
        if too_wide(features):
            return
        if self._sparse is None:
            self._sparse = SparseMoments(features)
            self._sample = RowSample(features) if features <= SKETCHED_FEATURES else None
        self._sparse.add(data, indices, len(indptr) - 1)
        if self._sample is not None:
            chosen = self._sample.chosen(len(indptr) - 1)
            rows = np.zeros((len(chosen), features), np.float32)
            starts, counts = indptr[chosen], indptr[chosen + 1] - indptr[chosen]
            at = np.repeat(np.arange(len(chosen)), counts)
            stored = np.arange(len(at)) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
            rows[at, indices[stored]] = data[stored]
            self._sample.hold(rows)

    def profile(self) -> FeatureProfile | None:
        """Return the profile; None without rows, or of more features than are profiled."""
        if self._dense is not None and self._sample is not None and self._dense.records:
            moments = Moments.of_sample(self._sample.rows(), self._dense)
        elif self._sparse is not None and self._sparse.records:
            moments = self._sparse.total()
        else:
            return None
        sketched = self._sample is not None and len(moments.mean) <= SKETCHED_FEATURES
        return FeatureProfile(moments, self._sample.sketch() if self._sample and sketched else None)
