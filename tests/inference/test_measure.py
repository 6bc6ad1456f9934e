"""The metrics of a model, against scikit-learn's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from amazon_estimators.algorithms import ALGORITHMS, Algorithm
from amazon_estimators.errors import InputError
from amazon_estimators.inference.measure import MEASURES, can_measure, measure
from amazon_estimators.inference.models import LocalFactorizationMachines, LocalKMeans, LocalLinearLearner

RNG = np.random.default_rng(7)
ROWS = RNG.normal(size=(400, 3)).astype(np.float32)
WEIGHT = np.array([[1.0, -2.0, 0.5]], np.float32)
NUMBERS = (ROWS @ WEIGHT[0] + RNG.normal(size=400)).astype(np.float32)
CLASSES = (NUMBERS > 0.3).astype(np.float32)
SEVERAL = RNG.integers(0, 3, 400).astype(np.float32)


def linear(kind: str, outputs: int = 1) -> LocalLinearLearner:
    weight = np.tile(WEIGHT, (outputs, 1)) * np.arange(1, outputs + 1, dtype=np.float32)[:, None]
    return LocalLinearLearner(weight, np.full(outputs, 0.1, np.float32), kind)


def machines(kind: str) -> LocalFactorizationMachines:
    factors = np.full((3, 2), 0.1, np.float32)
    return LocalFactorizationMachines(factors, WEIGHT[0], 0.1, kind)


REGRESSOR, BINARY = {"predictor_type": "regressor"}, {"predictor_type": "binary_classifier", "f_beta": 0.5}
MACHINE = {"num_factors": 2}
CASES: dict[tuple[str, str], tuple[Any, Mapping[str, Any], Any, Any]] = {
    ("LinearLearner", "mse"): (linear("regressor"), REGRESSOR, NUMBERS, sk.mean_squared_error),
    ("LinearLearner", "rmse"): (linear("regressor"), REGRESSOR, NUMBERS, sk.root_mean_squared_error),
    ("LinearLearner", "absolute_loss"): (linear("regressor"), REGRESSOR, NUMBERS, sk.mean_absolute_error),
    ("LinearLearner", "binary_classification_accuracy"): (
        linear("binary_classifier"),
        BINARY,
        CLASSES,
        sk.accuracy_score,
    ),
    ("LinearLearner", "precision"): (linear("binary_classifier"), BINARY, CLASSES, sk.precision_score),
    ("LinearLearner", "recall"): (linear("binary_classifier"), BINARY, CLASSES, sk.recall_score),
    ("LinearLearner", "binary_f_beta"): (
        linear("binary_classifier"),
        BINARY,
        CLASSES,
        lambda labels, found: sk.fbeta_score(labels, found, beta=0.5),
    ),
    ("LinearLearner", "roc_auc_score"): (linear("binary_classifier"), BINARY, CLASSES, sk.roc_auc_score),
    ("LinearLearner", "multiclass_accuracy"): (
        linear("multiclass_classifier", 3),
        {"predictor_type": "multiclass_classifier", "num_classes": 3},
        SEVERAL,
        sk.accuracy_score,
    ),
    ("FactorizationMachines", "rmse"): (
        machines("regressor"),
        {"predictor_type": "regressor", **MACHINE},
        NUMBERS,
        sk.root_mean_squared_error,
    ),
    ("FactorizationMachines", "binary_classification_accuracy"): (
        machines("binary_classifier"),
        {"predictor_type": "binary_classifier", **MACHINE},
        CLASSES,
        sk.accuracy_score,
    ),
    ("FactorizationMachines", "binary_classification_cross_entropy"): (
        machines("binary_classifier"),
        {"predictor_type": "binary_classifier", **MACHINE},
        CLASSES,
        sk.log_loss,
    ),
    ("FactorizationMachines", "binary_f_beta"): (
        machines("binary_classifier"),
        {"predictor_type": "binary_classifier", **MACHINE},
        CLASSES,
        sk.f1_score,
    ),
}
SCORED = {"mse", "rmse", "absolute_loss", "roc_auc_score", "binary_classification_cross_entropy"}


def blocks(labels: Any) -> list[tuple[Any, Any]]:
    """The rows in three blocks of different sizes."""
    return [(ROWS[part], labels[part]) for part in (slice(0, 7), slice(7, 200), slice(200, 400))]


def of(name: str, settings: Mapping[str, Any]) -> Algorithm:
    return ALGORITHMS[name](**settings)


def test_every_measure_but_those_of_kmeans_has_a_peer_here() -> None:
    listed = {(name, metric) for name, found in MEASURES.items() for metric in found}
    assert listed - set(CASES) == {("KMeans", "msd"), ("KMeans", "ssd")}


@pytest.mark.parametrize(("name", "metric"), CASES)
def test_it_is_scikit_learns(name: str, metric: str) -> None:
    model, settings, labels, peer = CASES[name, metric]
    column = "score" if metric in SCORED else "predicted_label"
    expected = peer(labels, model.predict(ROWS)[column])
    assert measure(model, of(name, settings), f"test:{metric}", blocks(labels)) == pytest.approx(
        expected, rel=1e-5
    )


def test_distances_to_centers_need_no_labels() -> None:
    centers = ROWS[:2]
    distances = np.square(ROWS[:, None] - centers[None]).sum(axis=2).min(axis=1)
    found = [
        measure(LocalKMeans(centers), ALGORITHMS["KMeans"](k=2), f"test:{name}", [(ROWS, None)])
        for name in ("msd", "ssd")
    ]
    assert found == pytest.approx([distances.mean(), distances.sum()], rel=1e-4)


def test_scores_that_are_the_same_share_their_rank() -> None:
    flat = LocalLinearLearner(np.zeros((1, 3), np.float32), np.zeros(1, np.float32), "binary_classifier")
    assert measure(flat, of("LinearLearner", BINARY), "test:roc_auc_score", blocks(CLASSES)) == 0.5


def test_rows_without_labels_or_none_at_all() -> None:
    model, algorithm = linear("regressor"), of("LinearLearner", REGRESSOR)
    with pytest.raises(InputError, match="have no labels"):
        measure(model, algorithm, "test:mse", [(ROWS, None)])
    with pytest.raises(InputError, match="no rows"):
        measure(model, algorithm, "test:mse", [])


def test_what_can_be_measured() -> None:
    measured = {
        name for name, kind in ALGORITHMS.items() if any(can_measure(kind, m.name) for m in kind.metrics)
    }
    assert measured == {"KMeans", "LinearLearner", "FactorizationMachines"}
    assert not can_measure(ALGORITHMS["LinearLearner"], "test:objective_loss")
