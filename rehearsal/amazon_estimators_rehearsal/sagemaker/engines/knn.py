"""k-NN: exact search among the sampled records. The approximate indexes are searched exactly, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import hadamard

from amazon_estimators.algorithms import Algorithm
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted

Matrix = npt.NDArray[Any]
BLOCK = 1024
"""Queries whose distances to all sampled records are in memory at a time."""


def fit(algorithm: Algorithm, channels: Mapping[str, Records]) -> Fitted:
    """Sample the train channel; score the test channel, if given."""
    rng = np.random.default_rng(0)
    train, labels = channels["train"].matrix().astype(np.float64), channels["train"].label_vector()
    size = min(algorithm.effective("sample_size"), len(train))
    kept = np.sort(rng.choice(len(train), size, replace=False))
    projection = _projection(algorithm, train.shape[1], rng)
    metrics = {}
    if "test" in channels:
        test = channels["test"].matrix().astype(np.float64)
        found = nearest(
            train[kept] @ projection,
            test @ projection,
            min(algorithm.effective("k"), size),
            algorithm.effective("index_metric"),
        )
        metrics = _score(algorithm, labels[kept][found], channels["test"].label_vector())
    return Fitted(
        engine="numpy",
        metrics=metrics,
        model={
            "class": "exact k-nearest neighbours",
            "version": np.__version__,
            "sampled_records": size,
            "dimensions": projection.shape[1],
        },
    )


def nearest(records: Matrix, queries: Matrix, k: int, metric: str) -> npt.NDArray[np.intp]:
    """Rows of ``records`` nearest to each query, nearest first, of equal ones the first: (queries, k)."""
    if metric == "COSINE":
        records, queries = _unit(records), _unit(queries)
    squares = np.square(records).sum(axis=1) if metric == "L2" else np.zeros(len(records))
    blocks = []
    for start in range(0, len(queries), BLOCK):
        products = queries[start : start + BLOCK] @ records.T
        # Of |q - r|² the part |q|² is the same for all records.
        distances = squares - 2 * products
        blocks.append(np.argsort(distances, axis=1, kind="stable")[:, :k])
    return np.concatenate(blocks)


def _score(algorithm: Algorithm, neighbours: Matrix, truth: Matrix) -> dict[str, float]:
    """Of labels of neighbours, (queries, k): the most frequent one, or their mean."""
    if algorithm.effective("predictor_type") == "regressor":
        return {"test:mse": float(np.square(neighbours.mean(axis=1) - truth).mean())}
    classes, indices = np.unique(neighbours, return_inverse=True)
    votes = (indices.reshape(neighbours.shape)[:, :, None] == np.arange(len(classes))).sum(axis=1)
    return {"test:accuracy": float((classes[votes.argmax(axis=1)] == truth).mean())}


def _projection(algorithm: Algorithm, features: int, rng: np.random.Generator) -> Matrix:
    """The matrix that reduces dimensions, (features, target); the identity if there is no reduction."""
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
