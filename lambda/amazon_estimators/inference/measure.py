"""Measure a model's quality with NumPy: the metrics that training jobs report for their test channel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.errors import InputError
from amazon_estimators.inference.models import LOCAL_MODELS, LocalModel
from amazon_estimators.inference.models.local_model import Array


@dataclass(frozen=True)
class Scored:
    """Labels and predictions of all rows, and the hyperparameter ``f_beta``."""

    labels: Array
    columns: Mapping[str, Array]
    beta: float = 1.0

    @property
    def errors(self) -> Array:
        """Return score minus label."""
        return self.columns["score"].astype(np.float64) - self.labels

    @property
    def hits(self) -> Array:
        """Return True where the predicted label is the label."""
        return np.asarray(self.columns["predicted_label"] == self.labels)


def _precision(scored: Scored) -> float:
    positive = scored.columns["predicted_label"] == 1
    return _share(scored.hits & positive, positive)


def _recall(scored: Scored) -> float:
    positive = scored.labels == 1
    return _share(scored.hits & positive, positive)


def _f_beta(scored: Scored) -> float:
    precision, recall, weight = _precision(scored), _recall(scored), scored.beta**2
    below = weight * precision + recall
    return (1 + weight) * precision * recall / below if below else 0.0


def _share(part: Array, whole: Array) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else 0.0


def _auc(scored: Scored) -> float:
    """Return the area under the ROC curve: by ranks, rows of one score share theirs."""
    positive = scored.labels == 1
    count, rest = int(positive.sum()), int((~positive).sum())
    if not count or not rest:
        return float("nan")
    _, where, sizes = np.unique(scored.columns["score"], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[where]
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * rest))


def _cross_entropy(scored: Scored) -> float:
    probability = np.clip(scored.columns["score"].astype(np.float64), 1e-15, 1 - 1e-15)
    return float(-np.mean(np.where(scored.labels == 1, np.log(probability), np.log1p(-probability))))


def _mse(scored: Scored) -> float:
    return float(np.mean(scored.errors**2))


def _rmse(scored: Scored) -> float:
    return float(np.sqrt(_mse(scored)))


def _accuracy(scored: Scored) -> float:
    return float(np.mean(scored.hits))


def _distances(scored: Scored) -> Array:
    return np.asarray(scored.columns["distance_to_cluster"].astype(np.float64) ** 2)


Measure = Callable[[Scored], float]
MEASURES: Mapping[str, Mapping[str, Measure]] = {
    "KMeans": {
        "msd": lambda scored: float(_distances(scored).mean()),
        "ssd": lambda scored: float(_distances(scored).sum()),
    },
    "LinearLearner": {
        "absolute_loss": lambda scored: float(np.mean(np.abs(scored.errors))),
        "mse": _mse,
        "rmse": _rmse,
        "binary_classification_accuracy": _accuracy,
        "multiclass_accuracy": _accuracy,
        "precision": _precision,
        "recall": _recall,
        "binary_f_beta": _f_beta,
        "roc_auc_score": _auc,
    },
    "FactorizationMachines": {
        "rmse": _rmse,
        "binary_classification_accuracy": _accuracy,
        "binary_classification_cross_entropy": _cross_entropy,
        "binary_f_beta": _f_beta,
    },
}
"""By algorithm and metric, without the channel: what can be computed from a model file and labelled rows.

The metrics of the other algorithms need their containers, or a model file whose layout is not public.
"""


def can_measure(algorithm: type[Algorithm], metric: str) -> bool:
    """Return True if :func:`measure` computes a metric, such as ``"test:mse"``, of the algorithm's models."""
    name = algorithm.__name__
    return name in LOCAL_MODELS and metric.partition(":")[2] in MEASURES.get(name, {})


def measure(
    model: LocalModel, algorithm: Algorithm, metric: str, blocks: Iterable[tuple[Any, Array | None]]
) -> float:
    """Return the value of a metric on labelled rows.

    Args:
        model: The model; what it assumes about its container holds here too.
        algorithm: The hyperparameters it was trained with.
        metric: A metric that :func:`can_measure`, such as ``"test:mse"``.
        blocks: The rows block by block: features as :meth:`LocalModel.predict` takes them, and labels.

    Raises:
        InputError: There are no rows, they have no labels where the metric needs them, or they do not fit
            the model.
    """
    parts_of: dict[str, list[Array]] = {}
    labels: list[Array] = []
    for rows, block in blocks:
        for name, column in model.predict(rows).items():
            if column.ndim == 1:
                parts_of.setdefault(name, []).append(column)
        if block is not None:
            labels.append(block.reshape(-1))
    if not parts_of:
        raise InputError("there are no rows to measure the model on")
    columns = {name: np.concatenate(parts) for name, parts in parts_of.items()}
    known = np.concatenate(labels) if labels else np.empty(0)
    if model.algorithm != "KMeans" and any(len(column) != len(known) for column in columns.values()):
        raise InputError("the rows to measure the model on have no labels")
    beta = algorithm.effective("f_beta") if "f_beta" in algorithm.declared() else 1.0
    scored = Scored(known, columns, float(beta or 1.0))
    return MEASURES[model.algorithm][metric.partition(":")[2]](scored)
