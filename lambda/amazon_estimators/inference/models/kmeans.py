"""K-Means: an MXNet list of one array, the centers (k, features).

https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from amazon_estimators.inference import mxnet_arrays
from amazon_estimators.inference.models.local_model import (
    Array,
    Content,
    LocalModel,
    double,
    product,
    squared,
)
from amazon_estimators.inference.responses import Predictions
from amazon_estimators.inference.rows import Vectors, dense_blocks
from amazon_estimators.recordio import CsrParts

NEAR = 0.1
"""Part of |x|² below which a squared distance is not computed from products."""


@dataclass(frozen=True, repr=False, eq=False)
class LocalKMeans(LocalModel):
    """The centers of K-Means, shape (k, features)."""

    centers: Array
    algorithm = "KMeans"

    @classmethod
    def matches(cls, content: Content) -> bool:
        return not content.named and [len(array.shape) for array in content.arrays.values()] == [2]

    @classmethod
    def read(cls, content: Content, hyperparameters: Mapping[str, Any]) -> Self:
        return cls(content.array("0", 2))

    def to_bytes(self) -> bytes:
        return mxnet_arrays.write([self.centers.astype(np.float32, copy=False)])

    @property
    def assumptions(self) -> tuple[str, ...]:
        return ("distance_to_cluster is taken to be the Euclidean distance",)

    @property
    def feature_dim(self) -> int:
        return int(self.centers.shape[1])

    def describe(self) -> dict[str, Any]:
        return {"k": len(self.centers), "feature_dim": self.feature_dim}

    def _derive(self, dtype: np.dtype[Any]) -> tuple[Array, Array, Array]:
        centers = self.centers.astype(dtype, copy=False)
        return centers, np.ascontiguousarray(-2 * centers.T), _norms(centers)

    def _predict(self, rows: Vectors) -> Predictions:
        closest = np.empty(rows.shape[0], np.int64)
        if isinstance(rows, CsrParts):
            exact = double(rows)
            _, factor, center_norms = self._parameters(np.float64)
            norms = product(squared(exact), np.ones(self.feature_dim))
            squares = product(exact, factor) + center_norms
            closest[:] = squares.argmin(axis=1)
            distance = np.sqrt(np.maximum(norms + squares.min(axis=1), 0))
            return Predictions({"closest_cluster": closest, "distance_to_cluster": distance})
        centers, factor, center_norms = self._parameters(rows.dtype)
        distance = np.empty(len(rows), rows.dtype)
        for part, block in dense_blocks(rows, len(centers)):
            # |x - c|² without |x|², which is the same for every center.
            squares = block @ factor
            squares += center_norms
            squares.argmin(axis=1, out=closest[part])
            norms = _norms(block)
            smallest = squares.take(closest[part] + np.arange(0, squares.size, len(centers)))
            np.add(norms, smallest, out=distance[part])
            # |x|² - 2xc + |c|² loses the digits of a distance that is small beside |x|: from the difference.
            near = np.flatnonzero(distance[part] < NEAR * norms) + part.start
            if len(near):
                distance[near] = _norms(rows[near] - centers[closest[near]])
        np.sqrt(distance, out=distance)
        return Predictions({"closest_cluster": closest, "distance_to_cluster": distance})

    def to_sklearn(self) -> Any:
        from sklearn.cluster import KMeans  # noqa: PLC0415 - optional

        # Fitted on its own centers, one each: scikit-learn then sets all that predict() needs.
        fitted = KMeans(n_clusters=len(self.centers), init=self.centers, n_init=1, max_iter=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # two equal centers are no reason to warn of the fit
            fitted.fit(self.centers)
        fitted.cluster_centers_ = np.array(self.centers, order="C")
        return fitted.set_params(init="k-means++")


def _norms(matrix: Array) -> Array:
    return np.asarray(np.vecdot(matrix, matrix))
