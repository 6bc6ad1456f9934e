"""Fit k-NN: exact search among the sampled records, even if the index is an approximate one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import hadamard

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.inference import Predictions
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted

Matrix = npt.NDArray[Any]
BLOCK = 1024
"""Queries per block: their distances to all sampled records are in memory at a time."""


@dataclass(frozen=True)
class Neighbours:
    """Sampled records (sample, dimensions) after ``projection`` (features, dimensions), with labels."""

    algorithm: Algorithm
    records: Matrix
    labels: Matrix
    projection: Matrix

    @property
    def feature_dim(self) -> int:
        return len(self.projection)

    def nearest(self, rows: Matrix) -> npt.NDArray[np.intp]:
        """Return the positions of the k nearest sampled records of each row, (rows, k)."""
        k = min(self.algorithm.effective("k"), len(self.records))
        return nearest(self.records, rows @ self.projection, k, self.algorithm.effective("index_metric"))

    def predict(self, rows: Any) -> Predictions:
        """Return the neighbours' most frequent or mean label, their distances and their labels."""
        rows = np.asarray(rows, np.float64)
        neighbours = self.nearest(rows)
        metric, projected = self.algorithm.effective("index_metric"), rows @ self.projection
        return Predictions(
            {
                "predicted_label": _answers(self.algorithm, self.labels[neighbours]),
                "distances": _distances(self.records[neighbours], projected, metric),
                "labels": self.labels[neighbours],
            }
        )


def fit(algorithm: Algorithm, channels: Mapping[str, Records]) -> Fitted:
    """Sample the train channel; score the test channel if there is one."""
    rng = np.random.default_rng(0)
    train, labels = channels["train"].matrix().astype(np.float64), channels["train"].label_vector()
    size = min(algorithm.effective("sample_size"), len(train))
    kept = np.sort(rng.choice(len(train), size, replace=False))
    projection = _projection(algorithm, train.shape[1], rng)
    neighbours = Neighbours(algorithm, train[kept] @ projection, labels[kept], projection)
    metrics = {}
    if "test" in channels:
        nearest_records = neighbours.nearest(channels["test"].matrix().astype(np.float64))
        metrics = _score(algorithm, labels[kept][nearest_records], channels["test"].label_vector())
    return Fitted(
        engine="numpy",
        metrics=metrics,
        model={
            "class": "exact k-nearest neighbours",
            "version": np.__version__,
            "sampled_records": size,
            "dimensions": projection.shape[1],
        },
        arrays={name: getattr(neighbours, name) for name in ("records", "labels", "projection")},
    )


def nearest(records: Matrix, queries: Matrix, k: int, metric: str) -> npt.NDArray[np.intp]:
    """Return the rows of ``records`` nearest to each query, (queries, k): nearest first, ties by row."""
    if metric == "COSINE":
        records, queries = _unit(records), _unit(queries)
    squares = np.square(records).sum(axis=1) if metric == "L2" else np.zeros(len(records))
    blocks = []
    for start in range(0, len(queries), BLOCK):
        products = queries[start : start + BLOCK] @ records.T
        # In |q - r|² the term |q|² is the same for all records.
        distances = squares - 2 * products
        blocks.append(np.argsort(distances, axis=1, kind="stable")[:, :k])
    return np.concatenate(blocks)


def _score(algorithm: Algorithm, neighbours: Matrix, truth: Matrix) -> dict[str, float]:
    answers = _answers(algorithm, neighbours)
    if algorithm.effective("predictor_type") == "regressor":
        return {"test:mse": float(np.square(answers - truth).mean())}
    return {"test:accuracy": float((answers == truth).mean())}


def _answers(algorithm: Algorithm, neighbours: Matrix) -> Matrix:
    """Return the most frequent or the mean label of neighbours' labels (queries, k)."""
    if algorithm.effective("predictor_type") == "regressor":
        return np.asarray(neighbours.mean(axis=1))
    classes, indices = np.unique(neighbours, return_inverse=True)
    votes = (indices.reshape(neighbours.shape)[:, :, None] == np.arange(len(classes))).sum(axis=1)
    return np.asarray(classes[votes.argmax(axis=1)])


def _distances(neighbours: Matrix, queries: Matrix, metric: str) -> Matrix:
    """Return the distance of each query to its neighbours, (queries, k): squared for L2, as in Faiss."""
    if metric == "L2":
        return np.asarray(np.square(neighbours - queries[:, None]).sum(axis=2))
    products = np.einsum("qkd,qd->qk", neighbours, queries)
    if metric == "COSINE":
        lengths = np.linalg.norm(neighbours, axis=2) * np.linalg.norm(queries, axis=1)[:, None]
        products = products / np.where(lengths == 0, 1, lengths)
    return np.asarray(products)


def _projection(algorithm: Algorithm, features: int, rng: np.random.Generator) -> Matrix:
    """Return the matrix that reduces dimensions, (features, target); the identity without reduction."""
    kind, target = (
        algorithm.effective("dimension_reduction_type"),
        algorithm.effective("dimension_reduction_target"),
    )
    if kind is None:
        return np.eye(features)
    if kind == "sign":
        return np.asarray(rng.choice([-1.0, 1.0], size=(features, target)) / np.sqrt(target))
    side = 1 << (features - 1).bit_length()
    flipped = rng.choice([-1.0, 1.0], size=(features, 1)) * hadamard(side)[:features]
    columns = rng.choice(side, target, replace=False)
    return np.asarray(flipped[:, columns] / np.sqrt(target))


def _unit(vectors: Matrix) -> Matrix:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths))
