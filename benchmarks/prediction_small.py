"""Measure local prediction of few features and outputs: ``python benchmarks/prediction_small.py [--write]``.

Where a matrix product of the same size takes microseconds, it measures the cost of a Python call and of the
fields that no product gives: which center is closest, its distance, probabilities. So each prediction is
also compared with plain NumPy: the formula of its fields in as few calls as it can be written, no checks,
no blocks, with all it needs of the model ready. All run in turn on one thread, in processor time; the
best round counts.

``--write`` saves the figures to ``benchmarks/results/prediction_small.json``. The exit code is 1 if 10,000
rows take more than two and a half times as long as plain NumPy.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import prediction  # isort: skip - sets the number of threads, so it comes before NumPy
import numpy as np
from machine import machine

from amazon_estimators.inference.models import (
    LocalFactorizationMachines,
    LocalKMeans,
    LocalLinearLearner,
    LocalPCA,
)

RESULTS = prediction.RESULTS.with_name("prediction_small.json")
FEATURES = (4, 20, 100)
WIDTHS = (1, 10)
ROWS = (1, 100, 10_000)
OF_PLAIN = 0.4
"""Bar: at least this part of the speed of plain NumPy, at the most rows, on a machine with other work."""
CALL_SECONDS = 0.02
"""Every round repeats a call for about so long."""


def plain(model: Any) -> Callable[[Any], Any]:
    """Return the formula of a model's fields in as few NumPy calls as it can be written."""
    match model:
        case LocalKMeans():
            factor, norms = -2 * model.centers.T, np.square(model.centers).sum(axis=1)

            def kmeans(rows: Any) -> Any:
                squares = rows @ factor + norms
                return squares.argmin(axis=1), np.sqrt(
                    np.maximum(np.einsum("ij,ij->i", rows, rows) + squares.min(axis=1), 0)
                )

            return kmeans
        case LocalPCA():
            return lambda rows: (rows - model.mean) @ model.components
        case LocalLinearLearner(predictor_type="binary_classifier"):
            weight = model.weight[0]

            def binary(rows: Any) -> Any:
                raw = rows @ weight + model.bias
                return 1 / (1 + np.exp(-raw)), (raw >= 0).astype(np.int64)

            return binary
        case LocalLinearLearner():
            weights = model.weight.T

            def multiclass(rows: Any) -> Any:
                raw = rows @ weights + model.bias
                exponents = np.exp(raw - raw.max(axis=1, keepdims=True))
                return exponents / exponents.sum(axis=1, keepdims=True), raw.argmax(axis=1)

            return multiclass
        case LocalFactorizationMachines():
            squared = np.square(model.factors).sum(axis=1)

            def factorization_machine(rows: Any) -> Any:
                pairs = np.square(rows @ model.factors).sum(axis=1) - np.square(rows) @ squared
                raw = model.bias + rows @ model.linear + pairs / 2
                return 1 / (1 + np.exp(-raw)), (raw >= 0).astype(np.int64)

            return factorization_machine
        case _:
            raise TypeError(f"no formula for {model!r}")


def best_seconds(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return the best time of each call; they run in turn."""
    for call in calls.values():
        call()
    once = {name: max(prediction.seconds(call), 1e-7) for name, call in calls.items()}
    repeats = {name: max(1, int(CALL_SECONDS / took)) for name, took in once.items()}
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.thread_time()
            for _ in range(repeats[name]):
                call()
            best[name] = min(best[name], (time.thread_time() - start) / repeats[name])
    return best


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Return microseconds and ratios by algorithm, features, outputs and rows."""
    cases: dict[str, dict[str, float]] = {}
    for features in FEATURES:
        for width in WIDTHS:
            matrix = np.ones((features, width), np.float32)
            for name, model in prediction.models(width, features).items():
                formula = plain(model)
                for count in ROWS:
                    rows = np.random.default_rng(0).standard_normal((count, features), np.float32)
                    best = best_seconds(
                        {
                            "product": lambda: rows @ matrix,  # noqa: B023 - called here
                            "plain": lambda: formula(rows),  # noqa: B023
                            "predict": lambda: model.predict(rows),  # noqa: B023
                        },
                        rounds,
                    )
                    cases[f"{name}, {features} features, {width} outputs, {count} rows"] = {
                        **{f"{call}_us": took * 1e6 for call, took in best.items()},
                        "of_product": best["product"] / best["predict"],
                        "of_plain": best["plain"] / best["predict"],
                    }
    return cases


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="default: 15")
    parser.add_argument("--write", action="store_true", help="keep the figures")
    options = parser.parse_args()
    met = True
    with np.errstate(over="ignore"):
        cases = measure(options.rounds)
    for name, case in cases.items():
        print(
            f"{name:58} product {case['product_us']:8.1f} µs, plain NumPy {case['plain_us']:8.1f} µs, "
            f"predict {case['predict_us']:8.1f} µs: {case['of_product']:.2f} of the product, "
            f"{case['of_plain']:.2f} of plain NumPy"
        )
        if name.endswith(f" {ROWS[-1]} rows") and case["of_plain"] < OF_PLAIN:
            met = False
            print(f"MISSED: ≥ {OF_PLAIN} of plain NumPy")
    if options.write:
        result = {"machine": machine(), "cases": cases}
        Path(RESULTS).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
