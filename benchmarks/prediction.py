"""Measure local prediction: ``python benchmarks/prediction.py [--write]``.

It runs on one thread and measures processor time, so that other work on the machine disturbs little. Each
prediction alternates with NumPy's matrix product of the same rows and a matrix of the same size, so that the
ratio holds on any machine. For both, the best round counts.

It also measures ``import amazon_estimators`` and ``load_model`` for a large model. ``--write`` saves the
figures to ``benchmarks/results/prediction.json``. The exit code is 1 if a bar is missed.
"""

# ruff: noqa: E402 - the number of threads is set before numpy loads
from __future__ import annotations

import os

# Before numpy loads its linear algebra: everything is measured on one thread.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "lambda"), str(Path(__file__).parent)]

from amazon_estimators.inference import LocalModel, load_model
from amazon_estimators.inference.archive import write_archive
from amazon_estimators.inference.models import (
    LocalFactorizationMachines,
    LocalKMeans,
    LocalLinearLearner,
    LocalPCA,
)

RESULTS = ROOT / "benchmarks" / "results" / "prediction.json"
ROWS, FEATURES = 20_000, 784
WIDTHS = (10, 100)
"""Clusters, components, classes or factors."""
OF_PRODUCT = 0.8
"""Bar: at least this part of the product's speed."""
IMPORT_SECONDS = 0.05
"""Bar: ``import amazon_estimators`` loads nothing, neither NumPy nor a model."""


def models(width: int, features: int = FEATURES) -> dict[str, LocalModel]:
    """Return models whose prediction is mostly a product with a matrix (features, width)."""
    rng = np.random.default_rng(width)
    matrix = rng.standard_normal((width, features), np.float32)
    bias = rng.standard_normal(width, np.float32)
    columns = np.ascontiguousarray(matrix.T)
    return {
        "KMeans": LocalKMeans(matrix),
        "PCA": LocalPCA(columns, np.abs(bias), matrix[0]),
        "LinearLearner": LocalLinearLearner(
            matrix, bias, "multiclass_classifier" if width > 1 else "binary_classifier"
        ),
        "FactorizationMachines": LocalFactorizationMachines(columns, matrix[0], 0.1, "binary_classifier"),
    }


def seconds(work: Callable[[], Any]) -> float:
    start = time.thread_time()
    work()
    return time.thread_time() - start


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Return rows per second of every model, and of the product of its size."""
    rows = np.random.default_rng(0).standard_normal((ROWS, FEATURES), np.float32)
    cases: dict[str, dict[str, float]] = {}
    for width in WIDTHS:
        matrix = np.ones((FEATURES, width), np.float32)
        for name, model in models(width).items():
            model.predict(rows)
            pairs = [
                (seconds(lambda: rows @ matrix), seconds(lambda: model.predict(rows)))  # noqa: B023 - called here
                for _ in range(rounds)
            ]
            products, predictions = zip(*pairs, strict=True)
            cases[f"{name} {width}"] = {
                "rows_per_second": ROWS / min(predictions),
                "product_rows_per_second": ROWS / min(products),
                "of_product": min(products) / min(predictions),
            }
    return cases


def load_megabytes_per_second() -> float:
    """Return the speed of ``load_model`` on a model of 64 MB, which it unpacks, checks and copies once."""
    centers = np.random.default_rng(0).standard_normal((20_000, 800), np.float32)
    data = write_archive(LocalKMeans(centers).to_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        took = min(seconds(lambda: load_model(data)) for _ in range(3))
    return centers.nbytes / 1e6 / took


def import_seconds(rounds: int = 7) -> float:
    """Return the best time of ``import amazon_estimators`` in a fresh process."""
    code = "import time; s = time.perf_counter(); import amazon_estimators; print(time.perf_counter() - s)"
    command = [sys.executable, "-c", code]
    directory = ROOT / "lambda"
    runs = (
        subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=directory)
        for _ in range(rounds)
    )
    return min(float(run.stdout) for run in runs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="default: 15")
    parser.add_argument(
        "--write", action="store_true", help=f"keep the figures in {RESULTS.relative_to(ROOT)}"
    )
    options = parser.parse_args()
    cases = measure(options.rounds)
    met = {}
    for name, figures in cases.items():
        speed, ratio = figures["rows_per_second"], figures["of_product"]
        print(f"{name:26} {speed:>12,.0f} rows/s, {ratio:.2f} of the product")
        met[f"{name} ≥ {OF_PRODUCT} of the product"] = ratio >= OF_PRODUCT
    imported, loaded = import_seconds(), load_megabytes_per_second()
    print(f"import amazon_estimators: {imported * 1000:.1f} ms; load_model: {loaded:,.0f} MB/s")
    met[f"import ≤ {IMPORT_SECONDS * 1000:.0f} ms"] = imported <= IMPORT_SECONDS
    for bar, reached in met.items():
        if not reached:
            print(f"MISSED: {bar}")
    if options.write:
        result = {
            "machine": machine(),
            "rows": ROWS,
            "features": FEATURES,
            "import_seconds": imported,
            "load_mb_per_second": loaded,
            "cases": cases,
        }
        RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
