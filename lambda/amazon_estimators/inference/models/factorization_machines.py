"""Factorization machines: a zip with ``params``, in one of two layouts that are seen in public.

- ``v`` (features, factors), ``w1_weight`` (features, 1), ``w0_weight`` (1,)
- ``v`` (factors, features), ``Linear_Plus_Bias_weight`` (1, features), ``Linear_Plus_Bias_bias`` (1,)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from amazon_estimators.errors import ModelError
from amazon_estimators.inference import mxnet_arrays
from amazon_estimators.inference.archive import write_zip
from amazon_estimators.inference.models.linear_learner import BINARY, REGRESSOR, THRESHOLD, sigmoid
from amazon_estimators.inference.models.local_model import (
    Array,
    Content,
    LocalModel,
    double,
    product,
    squared,
)
from amazon_estimators.inference.responses import Predictions
from amazon_estimators.inference.rows import Vectors, block_length, dense_blocks
from amazon_estimators.recordio import CsrParts

COLUMNS = ("w1_weight", "w0_weight")
ROWS = ("Linear_Plus_Bias_weight", "Linear_Plus_Bias_bias")


@dataclass(frozen=True, repr=False, eq=False)
class LocalFactorizationMachines(LocalModel):
    """A machine of second order: ``factors`` (features, num_factors), ``linear`` (features,), ``bias``.

    ``predictor_type`` is None if neither file nor caller says it.
    """

    factors: Array
    linear: Array
    bias: float
    predictor_type: str | None
    algorithm = "FactorizationMachines"

    @classmethod
    def matches(cls, content: Content) -> bool:
        names = content.arrays.keys()
        return content.named and "v" in names and (names >= {*COLUMNS} or names >= {*ROWS})

    @classmethod
    def read(cls, content: Content, hyperparameters: Mapping[str, Any]) -> Self:
        factors = content.array("v", 2)
        names = ROWS if ROWS[0] in content.arrays else COLUMNS
        linear, bias = (
            content.array(names[0], 2),
            content.array(names[1], len(content.arrays[names[1]].shape)),
        )
        if names == ROWS:
            factors, linear = factors.T, linear.T
        if linear.shape != (len(factors), 1) or bias.size != 1:
            raise ModelError(
                f"the machine's arrays do not belong together: v {factors.shape}, {names[0]} {linear.shape}, "
                f"{names[1]} {bias.shape}"
            )
        known = hyperparameters.get("predictor_type") or content.setting("predictor_type")
        if known not in (REGRESSOR, BINARY, None):
            raise ModelError(f"predictor_type is {known!r}; expecting {REGRESSOR} or {BINARY}")
        return cls(factors, linear[:, 0], float(bias.reshape(-1)[0]), known)

    def to_bytes(self) -> bytes:
        arrays = {
            "v": self.factors,
            COLUMNS[0]: self.linear.reshape(-1, 1),
            COLUMNS[1]: np.array([self.bias]),
        }
        params = {f"arg:{name}": array.astype(np.float32) for name, array in arrays.items()}
        settings = {
            "feature_dim": str(self.feature_dim),
            "num_factors": str(self.factors.shape[1]),
            "predictor_type": self.predictor_type,
        }
        meta = json.dumps({"training_parameters": settings}).encode()
        return write_zip({"params": mxnet_arrays.write(params), "meta.json": meta})

    @property
    def assumptions(self) -> tuple[str, ...]:
        return (THRESHOLD,) if self.predictor_type == BINARY else ()

    @property
    def feature_dim(self) -> int:
        return len(self.linear)

    def describe(self) -> dict[str, Any]:
        return {
            "predictor_type": self.predictor_type,
            "num_factors": self.factors.shape[1],
            "feature_dim": self.feature_dim,
        }

    def raw(self, rows: Vectors) -> Array:
        """Return ``bias + x·w + ½ Σ((x·V)² - x²·V²)`` of every row, shape (rows,)."""
        if isinstance(rows, CsrParts):
            exact = double(rows)
            both, squares = self._parameters(np.float64)
            return self._sum(product(exact, both), product(squared(exact), squares))
        both, squares = self._parameters(rows.dtype)
        raw = np.empty(len(rows), rows.dtype)
        square = np.empty((block_length(rows), rows.shape[1]), rows.dtype)
        for part, block in dense_blocks(rows):
            np.multiply(block, block, out=square[: len(block)])
            raw[part] = self._sum(block @ both, square[: len(block)] @ squares)
        return raw

    def _derive(self, dtype: np.dtype[Any]) -> tuple[Array, Array]:
        # The sum over factors of x²·V² is x² times one vector: one product with V is all it takes.
        squares = np.einsum("ij,ij->i", self.factors, self.factors, dtype=np.float64)
        both = np.column_stack([self.factors, self.linear]).astype(dtype, copy=False)
        return both, squares.astype(dtype)

    def _sum(self, products: Array, squares: Array) -> Array:
        factors = products[:, :-1]
        pairs = np.einsum("ij,ij->i", factors, factors) - squares
        return np.asarray(self.bias + products[:, -1] + pairs / 2)

    def _predict(self, rows: Vectors) -> Predictions:
        if self.predictor_type is None:
            raise ModelError(
                "the model file does not tell a regressor from a binary classifier",
                remedy=f"Load it with predictor_type={REGRESSOR!r} or {BINARY!r} (--predictor-type).",
            )
        raw = self.raw(rows)
        if self.predictor_type == REGRESSOR:
            return Predictions({"score": raw})
        return Predictions({"score": sigmoid(raw), "predicted_label": (raw >= 0).astype(np.int64)})
