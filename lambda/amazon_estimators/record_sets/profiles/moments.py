"""Count, minimum, maximum, mean, variance and zeros of every feature, added up over shards.

Of dense rows, count, minimum and maximum are those of all rows; the others are those of a sample, since
Encode copies a value in less time than it takes to add up. Of sparse rows, all are exact.

Mean and variance are merged as Chan, Golub and LeVeque (1979) do: no sum of raw squares, which would lose the
variance of values far from zero. Dense rows of few columns are folded into wide ones, so that NumPy's inner
loops are long: 80 rows of 50 columns are seen as 2 rows of 2,000.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

CHUNK = 2**18
"""Values worked on at a time: few enough for a core's cache, enough to outweigh the calls of NumPy."""
FOLDED = 2048
"""Values in a row of a folded chunk, at least half of this."""


@dataclass(frozen=True)
class Moments:
    """Moments of ``d`` features over ``records`` rows. All arrays have shape (d,).

    Attributes:
        records: The number of rows. Values that sparse rows leave out count, as zeros.
        minimum: The smallest value of each feature; infinity without records.
        maximum: The largest value; minus infinity without records.
        mean: The mean; 0 without records.
        squares: The sum of squared deviations from the mean.
        zeros: The number of zeros.
        fractional: True if any value is not a whole number.
        sampled: The rows that the last four were taken from. Over shards of which different shares were
            sampled, the size of an even sample that tells the mean as well.
    """

    records: int
    minimum: Array
    maximum: Array
    mean: Array
    squares: Array
    zeros: Array
    fractional: Array
    sampled: float

    @classmethod
    def none(cls, features: int) -> Moments:
        """Return the moments of no record."""
        return cls(
            0,
            np.full(features, np.inf),
            np.full(features, -np.inf),
            np.zeros(features),
            np.zeros(features),
            np.zeros(features, np.int64),
            np.zeros(features, bool),
            0.0,
        )

    @classmethod
    def of_sample(cls, rows: Array, whole: DenseRange) -> Moments:
        """Return the moments of all rows of ``whole``, of which ``rows`` (sampled, d) are an even sample.

        Values that are not all alike have a variance, even if those of the sample are: minimum and maximum
        alone put half the square of their distance into ``squares``.
        """
        sampled = len(rows)
        minimum, maximum = (extreme.astype(np.float64) for extreme in (whole.minimum, whole.maximum))
        apart = rows.astype(np.float64)
        mean = apart.mean(axis=0)
        apart -= mean
        np.multiply(apart, apart, out=apart)
        squares, zeros = apart.sum(axis=0), (rows == 0).sum(axis=0)
        if sampled < whole.records:
            weight = whole.records / sampled
            squares = np.maximum(squares * weight, (maximum - minimum) ** 2 / 2)
            zeros = np.rint(zeros * weight).astype(np.int64)
        fractional = (np.floor(rows) != rows).any(axis=0)
        return cls(whole.records, minimum, maximum, mean, squares, zeros, fractional, float(sampled))

    @property
    def variance(self) -> Array:
        """The population variance, as ``numpy.var`` defines it; exactly 0 for constant features."""
        return np.where(self.constant, 0.0, self.squares / max(1, self.records))

    @property
    def constant(self) -> Array:
        """True for features with one value only."""
        return np.equal(self.minimum, self.maximum)

    def __add__(self, other: Moments) -> Moments:
        """Return the moments of both sets of rows together."""
        if not self.records or not other.records:
            return self if self.records else other
        mean, squares = _joined(
            (self.records, self.mean, self.squares), (other.records, other.mean, other.squares)
        )
        records = self.records + other.records
        spread = sum(part.records**2 / part.sampled for part in (self, other))
        return Moments(
            records,
            np.minimum(self.minimum, other.minimum),
            np.maximum(self.maximum, other.maximum),
            mean,
            squares,
            self.zeros + other.zeros,
            self.fractional | other.fractional,
            min(float(records), records**2 / spread),  # rounded, it may be more than all
        )


Group = tuple[Any, Array, Array]
"""Count, mean and sum of squared deviations. The count is a number or one for each feature."""


def _joined(one: Group, other: Group) -> tuple[Array, Array]:
    """Return mean and sum of squared deviations of two groups together; at least one is not empty."""
    (count, mean, squares), (more, other_mean, other_squares) = one, other
    share = more / (count + more)
    apart = other_mean - mean
    return mean + apart * share, squares + other_squares + apart * apart * (count * share)


class DenseRange:
    """Keeps the smallest and the largest of ``features`` finite float32 values over all rows."""

    def __init__(self, features: int) -> None:
        self.records = 0
        self.minimum = np.full(features, np.inf, np.float32)
        self.maximum = np.full(features, -np.inf, np.float32)
        self._fold = max(1, FOLDED // features)
        self._rows = self._fold * max(1, CHUNK // (self._fold * features))

    def add(self, table: Array) -> None:
        """Add rows, shape (rows, features)."""
        features = len(self.minimum)
        self.records += len(table)
        for start in range(0, len(table), self._rows):
            chunk = np.ascontiguousarray(table[start : start + self._rows])
            even = len(chunk) // self._fold * self._fold
            if even:
                self._add(chunk[:even].reshape(-1, self._fold * features))
            if even < len(chunk):
                self._add(chunk[even:])

    def _add(self, wide: Array) -> None:
        # fmin and fmax are faster than minimum and maximum, which let NaN through; there is none.
        for extreme, reduce in ((self.minimum, np.fmin), (self.maximum, np.fmax)):
            folded = reduce.reduce(wide, axis=0).reshape(-1, len(extreme))
            reduce(extreme, reduce.reduce(folded, axis=0), out=extreme)


class SparseMoments:
    """Adds up sparse rows of ``features`` columns: the values that are stored, and zeros for all others."""

    def __init__(self, features: int) -> None:
        self._features = features
        self.records = 0
        self._stored = np.zeros(features, np.int64)
        self._so_far = Moments.none(features)

    def add(self, data: Array, indices: Array, rows: int) -> None:
        """Add ``rows`` rows whose stored values are ``data``, in the columns ``indices``; both (nnz,)."""
        self.records += rows
        if not len(data):
            return
        columns, where = self._columns(indices)
        values = data.astype(np.float64)
        stored = np.bincount(where, minlength=len(columns))
        mean = np.bincount(where, values, minlength=len(columns)) / np.maximum(stored, 1)
        apart = values - mean[where]
        squares = np.bincount(where, apart * apart, minlength=len(columns))
        before = self._so_far
        filled = stored > 0
        columns, stored = columns[filled], stored[filled]
        before.mean[columns], before.squares[columns] = _joined(
            (self._stored[columns], before.mean[columns], before.squares[columns]),
            (stored, mean[filled], squares[filled]),
        )
        self._stored[columns] += stored
        np.fmin.at(before.minimum, indices, values)
        np.fmax.at(before.maximum, indices, values)
        np.add.at(before.zeros, indices[values == 0], 1)
        before.fractional[indices[np.floor(values) != values]] = True

    def total(self) -> Moments:
        """Return the moments of all rows so far, values that are not stored included."""
        stored, absent = self._so_far, self.records - self._stored
        if not self.records:
            return stored
        nothing = np.zeros(self._features)
        mean, squares = _joined((self._stored, stored.mean, stored.squares), (absent, nothing, nothing))
        return Moments(
            self.records,
            np.where(absent > 0, np.minimum(stored.minimum, 0), stored.minimum),
            np.where(absent > 0, np.maximum(stored.maximum, 0), stored.maximum),
            mean,
            squares,
            stored.zeros + absent,
            stored.fractional,
            float(self.records),
        )

    def _columns(self, indices: Array) -> tuple[Array, Array]:
        """Return columns, and for each stored value the position of its own among them.

        Of few values in many columns only those columns are worked on that have one.
        """
        if self._features <= 4 * len(indices):
            return np.arange(self._features), indices.astype(np.int64)
        columns, where = np.unique(indices, return_inverse=True)
        return columns.astype(np.int64), where
