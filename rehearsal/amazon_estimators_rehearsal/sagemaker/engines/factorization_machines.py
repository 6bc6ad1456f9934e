"""Fit Factorization Machines: the second-order model (Rendle, 2010), with Adam in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.inference.models import LocalFactorizationMachines
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted

Array = npt.NDArray[Any]
BINARY = "binary_classifier"
TERMS = ("bias", "linear", "factors")
DECAY_MEAN, DECAY_SQUARE, EPS = 0.9, 0.999, 1e-8
"""Adam's constants."""
MOST_FACTORS_SHOWN = 100_000
"""The most factor values that the model's description lists; it omits larger factors."""


class Machine:
    """Weights ``bias`` (1,), ``linear`` (features,), ``factors`` (features, num_factors); Adam's state."""

    def __init__(self, algorithm: Algorithm, features: int) -> None:
        rng = np.random.default_rng(0)
        shapes = {
            "bias": (1,),
            "linear": (features,),
            "factors": (features, algorithm.effective("num_factors")),
        }
        self.weights = {term: _initial(algorithm, term, shapes[term], rng) for term in TERMS}
        self._mean = {term: np.zeros(shapes[term]) for term in TERMS}
        self._square = {term: np.zeros(shapes[term]) for term in TERMS}
        self._rates = {term: algorithm.effective(f"{term}_lr") for term in TERMS}
        self._decays = {term: algorithm.effective(f"{term}_wd") for term in TERMS}
        self._clip = algorithm.effective("clip_gradient")
        self._steps = 0

    def raw(self, records: Any) -> Array:
        """Return the machine's output before any threshold, (records,)."""
        factors = self.weights["factors"]
        pairs = np.square(records @ factors) - _squared(records) @ np.square(factors)
        return np.asarray(self.weights["bias"] + records @ self.weights["linear"] + pairs.sum(axis=1) / 2)

    def learn(self, records: Any, errors: Array) -> None:
        """Take one gradient step. ``errors`` is the loss's derivative by the output, (records,)."""
        self._steps += 1
        errors = errors / len(errors)
        factors = self.weights["factors"]
        sums = records @ factors
        gradients = {
            "bias": np.array([errors.sum()]),
            "linear": records.T @ errors,
            "factors": records.T @ (errors[:, None] * sums)
            - (_squared(records).T @ errors)[:, None] * factors,
        }
        for term, gradient in gradients.items():
            clipped = np.clip(gradient, -abs(self._clip), abs(self._clip)) if self._clip else gradient
            self._step(term, clipped + self._decays[term] * self.weights[term])

    def _step(self, term: str, gradient: Array) -> None:
        mean = self._mean[term] = DECAY_MEAN * self._mean[term] + (1 - DECAY_MEAN) * gradient
        square = self._square[term] = DECAY_SQUARE * self._square[term] + (1 - DECAY_SQUARE) * gradient**2
        mean = mean / (1 - DECAY_MEAN**self._steps)
        square = square / (1 - DECAY_SQUARE**self._steps)
        self.weights[term] = self.weights[term] - self._rates[term] * mean / (np.sqrt(square) + EPS)


def fit(algorithm: Algorithm, channels: Mapping[str, Records]) -> Fitted:
    """Train on the train channel; score it, and the test channel if there is one."""
    train, labels = channels["train"].values, channels["train"].label_vector()
    machine = Machine(algorithm, channels["train"].features)
    binary = algorithm.effective("predictor_type") == BINARY
    rng = np.random.default_rng(1)
    size = algorithm.effective("mini_batch_size")
    for _ in range(algorithm.effective("epochs")):
        order = rng.permutation(len(labels))
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            raw = machine.raw(train[rows])
            machine.learn(train[rows], (_sigmoid(raw) if binary else raw) - labels[rows])
    metrics: dict[str, float] = {}
    for name in ("train", "test"):
        if name in channels:
            scored = _score(machine.raw(channels[name].values), channels[name].label_vector(), binary=binary)
            metrics |= {f"{name}:{metric}": value for metric, value in scored.items()}
    factors = machine.weights["factors"]
    return Fitted(
        engine="numpy",
        metrics=metrics,
        model={
            "class": "factorization machine of second order",
            "version": np.__version__,
            "bias": float(machine.weights["bias"][0]),
            "linear": machine.weights["linear"].tolist(),
            "factors": factors.tolist() if factors.size <= MOST_FACTORS_SHOWN else None,
        },
        layout=LocalFactorizationMachines(
            factors.astype(np.float32),
            machine.weights["linear"].astype(np.float32),
            float(machine.weights["bias"][0]),
            algorithm.effective("predictor_type"),
        ),
    )


def _score(raw: Array, truth: Array, *, binary: bool) -> dict[str, float]:
    if not binary:
        return {"rmse": float(np.sqrt(np.square(raw - truth).mean()))}
    positive = raw > 0
    hits = float((positive & (truth == 1)).sum())
    return {
        "binary_classification_accuracy": float((positive == truth).mean()),
        "binary_classification_cross_entropy": float((np.logaddexp(0, raw) - truth * raw).mean()),
        "binary_f_beta": 2 * hits / max(float(positive.sum() + truth.sum()), 1.0),
    }


def _initial(algorithm: Algorithm, term: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    method = algorithm.effective(f"{term}_init_method")
    if method == "normal":
        return rng.normal(0, algorithm.effective(f"{term}_init_sigma"), shape)
    if method == "uniform":
        scale = algorithm.effective(f"{term}_init_scale") or 0.0
        return rng.uniform(-scale, scale, shape)
    return np.full(shape, algorithm.effective(f"{term}_init_value") or 0.0)


def _squared(records: Any) -> Any:
    """Return dense or sparse records with each value squared."""
    return records.power(2) if hasattr(records, "power") else np.square(records)


def _sigmoid(raw: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(raw, -500, 500))))
