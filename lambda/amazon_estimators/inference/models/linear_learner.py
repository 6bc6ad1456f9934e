"""Linear learner: a zip with ``mx-mod-0000.params``, which holds ``fc0_weight`` and ``fc0_bias``.

The weight is (classes, features), the bias (classes,); a regressor and a binary classifier have one row.
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
from amazon_estimators.inference.models.local_model import Array, Content, LocalModel, product
from amazon_estimators.inference.responses import Predictions
from amazon_estimators.inference.rows import Vectors, dense_blocks

REGRESSOR, BINARY, MULTICLASS = "regressor", "binary_classifier", "multiclass_classifier"
LOGISTIC = {BINARY: {"auto", "logistic"}, MULTICLASS: {"auto", "softmax_loss"}}
"""The losses of which the score is a probability."""
THRESHOLD = "a record is taken to be of class 1 if its score is at least 0.5, with no calibrated threshold"


@dataclass(frozen=True, repr=False, eq=False)
class LocalLinearLearner(LocalModel):
    """A linear model: ``weight`` (classes or 1, features), ``bias`` (classes or 1,).

    ``predictor_type`` is None where the file leaves open whether its one output is a regression or a binary
    classification. ``loss`` is the hyperparameter of training; "auto" if nothing is known of it.
    """

    weight: Array
    bias: Array
    predictor_type: str | None
    loss: str = "auto"
    algorithm = "LinearLearner"

    @classmethod
    def matches(cls, content: Content) -> bool:
        return content.named and {"fc0_weight", "fc0_bias"} <= content.arrays.keys()

    @classmethod
    def read(cls, content: Content, hyperparameters: Mapping[str, Any]) -> Self:
        weight, bias = content.array("fc0_weight", 2), content.array("fc0_bias", 1)
        if len(weight) != len(bias):
            raise ModelError(
                f"fc0_weight has {len(weight):,} rows, fc0_bias {len(bias):,} values; expecting one per class"
            )
        stated = content.setting("predictor_type")
        known = hyperparameters.get("predictor_type") or (MULTICLASS if len(weight) > 1 else stated)
        # A tuple, not a set: what stands in the file may be anything JSON has.
        if known not in (REGRESSOR, BINARY, MULTICLASS, None) or (
            known is not None and (known == MULTICLASS) != (len(weight) > 1)
        ):
            raise ModelError(
                f"predictor_type is {known!r}, but the model has {len(weight):,} output(s)",
                remedy=f"{MULTICLASS} has an output a class, {REGRESSOR} and {BINARY} have one.",
            )
        return cls(weight, bias, known, hyperparameters.get("loss") or "auto")

    def to_bytes(self) -> bytes:
        params = {"arg:fc0_weight": self.weight, "arg:fc0_bias": self.bias}
        return write_zip(
            {
                "mx-mod-0000.params": mxnet_arrays.write(
                    {name: array.astype(np.float32, copy=False) for name, array in params.items()}
                ),
                "mx-mod-symbol.json": json.dumps(_symbol(len(self.bias))).encode(),
                "manifest.json": b"{}",
                "additional-params.json": json.dumps({"predictor_type": self.predictor_type}).encode(),
            }
        )

    @property
    def assumptions(self) -> tuple[str, ...]:
        weights = "weights are assumed to apply to unscaled features, whatever normalize_data was in training"
        return (weights, THRESHOLD) if self.predictor_type == BINARY else (weights,)

    @property
    def feature_dim(self) -> int:
        return int(self.weight.shape[1])

    def describe(self) -> dict[str, Any]:
        return {
            "predictor_type": self.predictor_type,
            "outputs": len(self.bias),
            "feature_dim": self.feature_dim,
        }

    def raw(self, rows: Vectors) -> Array:
        """Return ``rows @ weight.T + bias``, shape (rows, outputs)."""
        weight, bias = self._parameters(rows.dtype if isinstance(rows, np.ndarray) else rows.data.dtype)
        out = product(rows, weight)
        out += bias
        return out

    def _derive(self, dtype: np.dtype[Any]) -> tuple[Array, Array]:
        return self.weight.astype(dtype, copy=False).T, self.bias.astype(dtype)

    def _predict(self, rows: Vectors) -> Predictions:
        if self.predictor_type is None:
            raise ModelError(
                "the model file does not tell a regressor from a binary classifier: both have one output",
                remedy=f"Load it with predictor_type={REGRESSOR!r} or {BINARY!r} (--predictor-type).",
            )
        out = self.raw(rows)
        if self.predictor_type == REGRESSOR:
            return Predictions({"score": out[:, 0]})
        probable = self.loss in LOGISTIC[self.predictor_type]
        if self.predictor_type == BINARY:
            label = (out[:, 0] >= 0).astype(np.int64)
            return Predictions(
                {"score": sigmoid(out[:, 0]) if probable else out[:, 0], "predicted_label": label}
            )
        label = np.empty(len(out), np.int64)
        for part, block in dense_blocks(out):
            block.argmax(axis=1, out=label[part])
            if probable:
                _softmax(block)
        return Predictions({"score": out, "predicted_label": label})

    def to_sklearn(self) -> Any:
        """Return a ``LinearRegression``, or a ``LogisticRegression`` whose classes are numbered from 0."""
        from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: PLC0415 - optional

        if self.predictor_type == REGRESSOR:
            fitted = LinearRegression()
            fitted.coef_, fitted.intercept_ = self.weight[0].copy(), float(self.bias[0])
        elif self.predictor_type is None or self.loss not in LOGISTIC[self.predictor_type]:
            raise ModelError(
                f"scikit-learn has no counterpart of predictor_type {self.predictor_type}, loss {self.loss}",
                remedy="Load it with the predictor_type of training.",
            )
        else:
            fitted = LogisticRegression()
            fitted.coef_, fitted.intercept_ = self.weight.copy(), self.bias.copy()
            fitted.classes_ = np.arange(max(2, len(self.bias)))
            fitted.n_iter_ = np.zeros(1, np.int32)
        fitted.n_features_in_ = self.feature_dim
        return fitted


def sigmoid(raw: Array) -> Array:
    """Return ``1 / (1 + exp(-raw))``, without overflow."""
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-raw)))


def _softmax(raw: Array) -> None:
    """Turn raw outputs, (rows, classes), into probabilities in place."""
    # Classes are few and rows are many: NumPy is several times as fast along rows.
    exponents = np.ascontiguousarray(raw.T)
    exponents -= exponents.max(axis=0)
    np.exp(exponents, out=exponents)
    exponents /= exponents.sum(axis=0)
    raw[:] = exponents.T


def _symbol(outputs: int) -> dict[str, Any]:
    """Return MXNet's graph of one fully connected layer, which ``mx.mod.Module`` loads with the arrays."""
    inputs: list[dict[str, Any]] = [
        {"op": "null", "name": name, "inputs": []} for name in ("data", "fc0_weight", "fc0_bias")
    ]
    layer = {
        "op": "FullyConnected",
        "name": "fc0",
        "attrs": {"num_hidden": str(outputs)},
        "inputs": [[0, 0, 0], [1, 0, 0], [2, 0, 0]],
    }
    return {
        "nodes": [*inputs, layer],
        "arg_nodes": [0, 1, 2],
        "node_row_ptr": [0, 1, 2, 3, 4],
        "heads": [[3, 0, 0]],
        "attrs": {"mxnet_version": ["int", 10901]},
    }
