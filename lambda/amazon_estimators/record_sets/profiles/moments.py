"""Count, minimum, maximum, mean, variance and zeros of every feature, added up block by block.

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
FAR = 100.0
"""Standard deviations from zero up to which squares of raw values keep 12 of 16 digits of the variance."""


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
    """

    records: int
    minimum: Array
    maximum: Array
    mean: Array
    squares: Array
    zeros: Array
    fractional: Array

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
        )

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
        return Moments(
            self.records + other.records,
            np.minimum(self.minimum, other.minimum),
            np.maximum(self.maximum, other.maximum),
            mean,
            squares,
            self.zeros + other.zeros,
            self.fractional | other.fractional,
        )


Group = tuple[Any, Array, Array]
"""Count, mean and sum of squared deviations. The count is a number or one for each feature."""


def _joined(one: Group, other: Group) -> tuple[Array, Array]:
    """Return mean and sum of squared deviations of two groups together; at least one is not empty."""
    (count, mean, squares), (more, other_mean, other_squares) = one, other
    share = more / (count + more)
    apart = other_mean - mean
    return mean + apart * share, squares + other_squares + apart * apart * (count * share)


class DenseMoments:
    """Adds up rows of ``features`` finite float32 values."""

    def __init__(self, features: int) -> None:
        self._features = features
        self._fold = max(1, FOLDED // features)
        self._rows = self._fold * max(1, CHUNK // (self._fold * features))
        self._work = np.empty(self._rows * features)
        self._so_far = Moments.none(features)

    def add(self, table: Array) -> None:
        """Add rows, shape (rows, features)."""
        for start in range(0, len(table), self._rows):
            chunk = np.ascontiguousarray(table[start : start + self._rows])
            even = len(chunk) // self._fold * self._fold
            if even:
                self._add_folded(chunk[:even].reshape(-1, self._fold * self._features))
            if even < len(chunk):
                self._add_folded(chunk[even:])

    def total(self) -> Moments:
        """Return the moments of all rows so far."""
        return self._so_far

    def _add_folded(self, rows: Array) -> None:
        fold = rows.shape[1] // self._features
        count = len(rows) * fold

        def each(wide: Array, reduce: np.ufunc) -> Any:
            """Reduce one result for each column of the folded rows to one for each feature."""
            return reduce.reduce(wide.reshape(fold, self._features), axis=0)

        work = self._work[: rows.size].reshape(rows.shape)
        np.copyto(work, rows)
        near = self._near(work, fold)
        if near.any():
            work -= np.tile(near, fold)
        off = each(work.sum(axis=0), np.add)
        np.multiply(work, work, out=work)
        squares = each(work.sum(axis=0), np.add)
        is_zero = rows == 0
        zeros = np.zeros(self._features, np.int64)
        if is_zero.any():
            narrow = np.uint8 if len(rows) < 256 else np.int64
            found = np.add.reduce(is_zero.view(np.uint8), axis=0, dtype=narrow)
            zeros = each(found.astype(np.int64), np.add)
        # fmin and fmax are faster than minimum and maximum, which let NaN through; there is none.
        self._so_far += Moments(
            count,
            each(np.fmin.reduce(rows, axis=0), np.fmin).astype(np.float64),
            each(np.fmax.reduce(rows, axis=0), np.fmax).astype(np.float64),
            near + off / count,
            np.maximum(squares - off * off / count, 0.0),
            zeros,
            self._fractional(rows.reshape(count, self._features)),
        )

    def _near(self, work: Array, fold: int) -> Array:
        """Return what to subtract from each feature so that its squares keep the digits of its variance.

        That is the mean so far, or 0 if values are not far from zero; of the first rows it is their own mean.
        """
        mean, squares, records = self._so_far.mean, self._so_far.squares, self._so_far.records
        if not records:
            own = work.sum(axis=0).reshape(fold, self._features).sum(axis=0)
            return np.asarray(np.divide(own, len(work) * fold))
        return np.where(mean * mean * records > FAR * FAR * squares, mean, 0.0)

    def _fractional(self, rows: Array) -> Array:
        """Return the features with fractions; those known to have some are not inspected again."""
        known = self._so_far.fractional
        found = known.copy()
        left = np.flatnonzero(~known)
        if len(left):
            part = rows if 2 * len(left) > self._features else rows[:, left]
            inspected = slice(None) if part is rows else left
            found[inspected] |= (np.floor(part) != part).any(axis=0)
        return found


class SparseMoments:
    """Adds up sparse rows of ``features`` columns: the values that are stored, and zeros for all others."""

    def __init__(self, features: int) -> None:
        self._features = features
        self._records = 0
        self._stored = np.zeros(features, np.int64)
        self._so_far = Moments.none(features)

    def add(self, data: Array, indices: Array, rows: int) -> None:
        """Add ``rows`` rows whose stored values are ``data``, in the columns ``indices``; both (nnz,)."""
        self._records += rows
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
        stored, absent = self._so_far, self._records - self._stored
        if not self._records:
            return stored
        nothing = np.zeros(self._features)
        mean, squares = _joined((self._stored, stored.mean, stored.squares), (absent, nothing, nothing))
        return Moments(
            self._records,
            np.where(absent > 0, np.minimum(stored.minimum, 0), stored.minimum),
            np.where(absent > 0, np.maximum(stored.maximum, 0), stored.maximum),
            mean,
            squares,
            stored.zeros + absent,
            stored.fractional,
        )

    def _columns(self, indices: Array) -> tuple[Array, Array]:
        """Return columns, and for each stored value the position of its own among them.

        Of few values in many columns only those columns are worked on that have one.
        """
        if self._features <= 4 * len(indices):
            return np.arange(self._features), indices.astype(np.int64)
        columns, where = np.unique(indices, return_inverse=True)
        return columns.astype(np.int64), where
