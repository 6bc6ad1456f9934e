"""PCA: named MXNet arrays ``mean`` (1, features; only with subtract_mean), ``s`` (components,) and ``v``
(features, components). Components ascend: the largest is the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from amazon_estimators.errors import ModelError
from amazon_estimators.inference import mxnet_arrays
from amazon_estimators.inference.models.local_model import Array, Content, LocalModel, product
from amazon_estimators.inference.responses import Predictions
from amazon_estimators.inference.rows import Vectors, block_length, dense_blocks
from amazon_estimators.recordio import CsrParts


@dataclass(frozen=True, repr=False, eq=False)
class LocalPCA(LocalModel):
    """Components of PCA: ``components`` (features, components), ``singular_values`` (components,) and
    ``mean`` (features,), None if the data were not centred. The largest component is the last."""

    components: Array
    singular_values: Array
    mean: Array | None
    algorithm = "PCA"

    @classmethod
    def matches(cls, content: Content) -> bool:
        return content.named and {"s", "v"} <= content.arrays.keys() <= {"mean", "s", "v"}

    @classmethod
    def read(cls, content: Content, hyperparameters: Mapping[str, Any]) -> Self:
        components, values = content.array("v", 2), content.array("s", 1)
        mean = content.array("mean", 2) if "mean" in content.arrays else None
        if components.shape[1] != len(values) or (mean is not None and mean.shape != (1, len(components))):
            raise ModelError(
                f"PCA's arrays do not belong together: v {components.shape}, s {values.shape}, "
                f"mean {'none' if mean is None else mean.shape}"
            )
        return cls(components, values, None if mean is None else mean[0])

    def to_bytes(self) -> bytes:
        arrays: dict[str, mxnet_arrays.Stored] = {"s": self.singular_values, "v": self.components}
        if self.mean is not None:
            arrays = {"mean": self.mean.reshape(1, -1), **arrays}
        return mxnet_arrays.write({name: np.asarray(one, np.float32) for name, one in arrays.items()})

    @property
    def assumptions(self) -> tuple[str, ...]:
        return ("components are taken to be in the order of the model file, the largest last",)

    @property
    def feature_dim(self) -> int:
        return len(self.components)

    def describe(self) -> dict[str, Any]:
        return {
            "num_components": len(self.singular_values),
            "feature_dim": self.feature_dim,
            "subtract_mean": self.mean is not None,
            "variance_ratio_of_kept": [round(float(ratio), 6) for ratio in self._ratios()],
        }

    def _ratios(self) -> Array:
        squares = np.square(self.singular_values.astype(np.float64))
        return np.asarray(squares / squares.sum())

    def _derive(self, dtype: np.dtype[Any]) -> tuple[Array | None, Array]:
        mean = None if self.mean is None else self.mean.astype(dtype)
        return mean, self.components.astype(dtype, copy=False)

    def _predict(self, rows: Vectors) -> Predictions:
        if isinstance(rows, CsrParts):
            projection = product(rows, self.components)
            if self.mean is not None:
                projection = projection - self.mean.astype(np.float64) @ self.components
            return Predictions({"projection": projection})
        mean, components = self._parameters(rows.dtype)
        if mean is None:
            return Predictions({"projection": rows @ components})
        projection = np.empty((len(rows), components.shape[1]), rows.dtype)
        centred = np.empty((block_length(rows), rows.shape[1]), rows.dtype)
        for part, block in dense_blocks(rows):
            # Centred before the product: the difference of two large products would lose digits.
            np.subtract(block, mean, out=centred[: len(block)])
            np.matmul(centred[: len(block)], components, out=projection[part])
        return Predictions({"projection": projection})

    def to_sklearn(self) -> Any:
        """Return a ``sklearn.decomposition.PCA``, its components in scikit-learn's order, the largest first.

        The file does not tell the number of records, so ``explained_variance_`` is known but for a common
        factor: it adds up to 1, as ``explained_variance_ratio_`` of the kept components does.
        """
        from sklearn.decomposition import PCA  # noqa: PLC0415 - optional

        fitted = PCA(n_components=len(self.singular_values))
        fitted.components_ = np.array(self.components.T[::-1], order="C")
        fitted.singular_values_ = self.singular_values[::-1].copy()
        fitted.explained_variance_ = fitted.explained_variance_ratio_ = self._ratios()[::-1].copy()
        fitted.mean_ = np.zeros(self.feature_dim) if self.mean is None else self.mean.copy()
        fitted.n_components_ = len(self.singular_values)
        fitted.n_features_in_ = self.feature_dim
        fitted.noise_variance_ = 0.0
        return fitted
