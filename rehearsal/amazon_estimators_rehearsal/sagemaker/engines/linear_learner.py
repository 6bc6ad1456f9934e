"""Fit Linear Learner with scikit-learn's linear models, by predictor type and loss.

It fits one model with the given settings. The algorithm trains several with similar settings and picks one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from sklearn import linear_model, metrics, preprocessing

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.inference.models import LocalLinearLearner
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted

Array = npt.NDArray[Any]
REGRESSOR, BINARY = "regressor", "binary_classifier"
DEFAULT_LOSS = {REGRESSOR: "squared_loss", BINARY: "logistic", "multiclass_classifier": "softmax_loss"}
OBJECTIVES = {
    "squared_loss": "mse",
    "logistic": "binary_classification_cross_entropy",
    "softmax_loss": "multiclass_cross_entropy",
}
"""The objective's name in the log, if it differs from the loss's."""
NEVER = -1e9
"""The bias of a class that the train channel lacks: its probability is 0."""
AUTO_DECAY = 1e-4
"""Classifiers' L2 regularisation for 'auto'. Without any, linearly separable classes have no best model."""


@dataclass(frozen=True)
class Linear:
    """A fitted model, and the scales of features and labels it was fitted on."""

    algorithm: Algorithm
    loss: str
    model: Any
    features: Any
    label_mean: float
    label_scale: float

    def score(self, name: str, records: Records) -> dict[str, float]:
        """Return the channel's metrics. The train channel's objective is in the fitted scale, as logged."""
        raw, truth = self._raw(records), records.label_vector()
        if self.algorithm.effective("predictor_type") == REGRESSOR:
            scores = _regression(raw, truth)
            if name == "train":
                raw, truth = (self._scaled(values) for values in (raw, truth))
        elif raw.ndim == 1:
            scores = self._binary(raw, truth)
        else:
            scores = self._multiclass(raw, truth)
        objective = self._objective(raw, truth)
        scores |= {"objective_loss": objective, "objective_loss:final": objective}
        return {f"{name}:{metric}": float(value) for metric, value in scores.items()}

    def layout(self) -> LocalLinearLearner:
        """Return the model for unscaled features and labels: the fitted scales are multiplied in."""
        kind = self.algorithm.effective("predictor_type")
        weight = np.atleast_2d(self.model.coef_)
        bias = np.broadcast_to(np.asarray(self.model.intercept_, np.float64).reshape(-1), len(weight))
        scale = 1.0 if self.features.scale_ is None else self.features.scale_
        center = self.features.mean_ if self.features.with_mean else 0.0
        weight = weight / scale
        bias = bias - (weight * center).sum(axis=1)
        if kind == REGRESSOR:
            weight, bias = weight * self.label_scale, bias * self.label_scale + self.label_mean
        elif kind != BINARY:
            if len(weight) == 1:
                weight, bias = np.vstack([0 * weight, weight]), np.array([0.0, bias[0]])
            classes = self.model.classes_.astype(int)
            count = max(self.algorithm.effective("num_classes"), classes.max() + 1)
            all_weights, all_biases = np.zeros((count, weight.shape[1])), np.full(count, NEVER)
            all_weights[classes], all_biases[classes] = weight, bias
            weight, bias = all_weights, all_biases
        loss = self.algorithm.effective("loss")
        return LocalLinearLearner(weight.astype(np.float32), bias.astype(np.float32), kind, loss)

    def _raw(self, records: Records) -> Array:
        values = self.features.transform(records.matrix().astype(np.float64))
        if self.algorithm.effective("predictor_type") == REGRESSOR:
            return np.asarray(self.model.predict(values) * self.label_scale + self.label_mean)
        raw = np.asarray(self.model.decision_function(values))
        if (
            raw.ndim == 1 and self.algorithm.effective("predictor_type") != BINARY
        ):  # only two of the classes occurred
            raw = np.stack([np.zeros(len(raw)), raw], axis=1)
        return raw

    def _scaled(self, labels: Array) -> Array:
        return np.asarray((labels - self.label_mean) / self.label_scale)

    def _binary(self, raw: Array, truth: Array) -> dict[str, float]:
        found, beta = (raw > 0).astype(float), self.algorithm.effective("f_beta")
        scores = {
            "binary_classification_accuracy": metrics.accuracy_score(truth, found),
            "binary_f_beta": metrics.fbeta_score(truth, found, beta=beta, zero_division=0),
            "precision": metrics.precision_score(truth, found, zero_division=0),
            "recall": metrics.recall_score(truth, found, zero_division=0),
        }
        if len(np.unique(truth)) > 1:
            scores["roc_auc_score"] = metrics.roc_auc_score(truth, raw)
        return scores

    def _multiclass(self, raw: Array, truth: Array) -> dict[str, float]:
        classes = self.model.classes_
        found, beta = classes[raw.argmax(axis=1)], self.algorithm.effective("f_beta")
        best = classes[np.argsort(-raw, axis=1)[:, : self.algorithm.effective("accuracy_top_k")]]
        options = {"average": "macro", "zero_division": 0}
        return {
            "multiclass_accuracy": metrics.accuracy_score(truth, found),
            "multiclass_top_k_accuracy": (best == truth[:, None]).any(axis=1).mean(),
            "macro_f_beta": metrics.fbeta_score(truth, found, beta=beta, **options),
            "macro_precision": metrics.precision_score(truth, found, **options),
            "macro_recall": metrics.recall_score(truth, found, **options),
        }

    def _objective(self, raw: Array, truth: Array) -> float:
        """Return the mean loss, without regularisation."""
        value = self.algorithm.effective
        errors = truth - raw if raw.ndim == 1 else raw
        size = np.abs(errors)
        match self.loss:
            case "squared_loss":
                losses = np.square(errors)
            case "absolute_loss":
                losses = size
            case "quantile_loss":
                losses = np.maximum(value("quantile") * errors, (value("quantile") - 1) * errors)
            case "huber_loss":
                delta = value("huber_delta")
                losses = np.where(size <= delta, np.square(errors) / 2, delta * (size - delta / 2))
            case "eps_insensitive_absolute_loss":
                losses = np.maximum(size - value("loss_insensitivity"), 0)
            case "eps_insensitive_squared_loss":
                losses = np.square(np.maximum(size - value("loss_insensitivity"), 0))
            case "logistic":
                losses = np.logaddexp(0, raw) - truth * raw
            case "hinge_loss":
                losses = np.maximum(value("margin") - (2 * truth - 1) * raw, 0)
            case _:
                place = np.searchsorted(self.model.classes_, truth)
                losses = np.logaddexp.reduce(raw, axis=1) - raw[np.arange(len(raw)), place]
        return float(losses.mean())


def fit(algorithm: Algorithm, channels: Mapping[str, Records]) -> Fitted:
    """Fit the train channel; score it, and the validation and test channels if there are any."""
    linear = _fitted(algorithm, channels["train"])
    declared = {metric.name for metric in algorithm.metrics}
    metrics = {
        metric: value
        for name in ("train", "validation", "test")
        if name in channels
        for metric, value in linear.score(name, channels[name]).items()
        if metric in declared
    }
    wording = {
        "f_beta": f"{algorithm.effective('f_beta'):.3f}",
        "top_k_accuracy": str(algorithm.effective("accuracy_top_k")),
        "objective_loss": OBJECTIVES.get(linear.loss, linear.loss),
    }
    return Fitted(
        engine="scikit-learn",
        metrics=metrics,
        model={
            "class": f"sklearn.linear_model.{type(linear.model).__name__}",
            "version": sklearn.__version__,
            "loss": linear.loss,
            "coefficients": linear.model.coef_.tolist(),
            "intercept": np.asarray(linear.model.intercept_).tolist(),
        },
        wording={metric: text for metric in metrics for key, text in wording.items() if key in metric},
        layout=linear.layout(),
    )


def _fitted(algorithm: Algorithm, train: Records) -> Linear:
    values, labels = train.matrix().astype(np.float64), train.label_vector()
    scaler = preprocessing.StandardScaler(
        with_mean=algorithm.effective("unbias_data") != "false" and algorithm.effective("use_bias"),
        with_std=algorithm.effective("normalize_data") != "false",
    ).fit(values)
    kind = algorithm.effective("predictor_type")
    loss = algorithm.effective("loss")
    loss = DEFAULT_LOSS[kind] if loss == "auto" else loss
    mean, scale = 0.0, 1.0
    if kind == REGRESSOR:
        if algorithm.effective("unbias_label") != "false" and algorithm.effective("use_bias"):
            mean = float(labels.mean())
        if algorithm.effective("normalize_label") != "false":
            scale = float(labels.std()) or 1.0
    elif len(np.unique(labels)) == 1:
        raise ValueError(f"Every label of channel train is {labels[0]:g}; a classifier needs two classes.")
    model = _model(algorithm, loss, len(values))
    return Linear(
        algorithm, loss, model.fit(scaler.transform(values), (labels - mean) / scale), scaler, mean, scale
    )


def _model(algorithm: Algorithm, loss: str, records: int) -> Any:
    """Return scikit-learn's model for a loss. Some regularise the sum of losses, the algorithm the mean."""
    value = algorithm.effective
    regression = value("predictor_type") == REGRESSOR
    automatic = 0.0 if regression else AUTO_DECAY
    l1 = 0.0 if value("l1") == "auto" else value("l1")
    l2 = automatic if value("wd") == "auto" else value("wd")
    shape = _Shape(l1, l2, records, value("use_bias"))
    return _regressor(algorithm, loss, shape) if regression else _classifier(algorithm, loss, shape)


@dataclass(frozen=True)
class _Shape:
    l1: float
    l2: float
    records: int
    bias: bool

    def elastic(self) -> dict[str, Any]:
        """Return both regularisations in the form of scikit-learn's elastic net."""
        alpha = self.l1 + self.l2
        return {"alpha": alpha, "l1_ratio": self.l1 / alpha if alpha else 0.0, "fit_intercept": self.bias}

    def stochastic(self) -> dict[str, Any]:
        steps = {"learning_rate": "invscaling", "eta0": 0.01, "max_iter": 1000, "random_state": 0}
        return {"penalty": "elasticnet", **self.elastic(), **steps}


def _regressor(algorithm: Algorithm, loss: str, shape: _Shape) -> Any:
    value = algorithm.effective
    match loss:
        case "squared_loss" if shape.l1:
            return linear_model.ElasticNet(max_iter=10_000, **shape.elastic())
        case "squared_loss":
            return linear_model.Ridge(alpha=shape.l2 * shape.records, fit_intercept=shape.bias)
        case "absolute_loss" | "quantile_loss":
            quantile = value("quantile") if loss == "quantile_loss" else 0.5
            return linear_model.QuantileRegressor(
                quantile=quantile, alpha=shape.l1, solver="highs", fit_intercept=shape.bias
            )
        case "huber_loss":
            return linear_model.SGDRegressor(loss="huber", epsilon=value("huber_delta"), **shape.stochastic())
    name = "epsilon_insensitive" if "absolute" in loss else "squared_epsilon_insensitive"
    return linear_model.SGDRegressor(loss=name, epsilon=value("loss_insensitivity"), **shape.stochastic())


def _classifier(algorithm: Algorithm, loss: str, shape: _Shape) -> Any:
    weights = _class_weights(algorithm)
    if loss == "hinge_loss":
        return linear_model.SGDClassifier(loss="hinge", class_weight=weights, **shape.stochastic())
    elastic = shape.elastic()
    return linear_model.LogisticRegression(
        C=1 / (elastic["alpha"] * shape.records) if elastic["alpha"] else math.inf,
        l1_ratio=elastic["l1_ratio"],
        solver="saga" if shape.l1 else "lbfgs",
        class_weight=weights,
        fit_intercept=shape.bias,
        max_iter=5000,
        random_state=0,
    )


def _class_weights(algorithm: Algorithm) -> Any:
    if algorithm.effective("predictor_type") == BINARY:
        weight = algorithm.effective("positive_example_weight_mult")
        return "balanced" if weight == "balanced" else {0: 1.0, 1: 1.0 if weight == "auto" else weight}
    return "balanced" if algorithm.effective("balance_multiclass_weights") else None


def _regression(raw: Array, truth: Array) -> dict[str, float]:
    mse = float(np.square(raw - truth).mean())
    return {"mse": mse, "absolute_loss": float(np.abs(raw - truth).mean()), "rmse": math.sqrt(mse)}
