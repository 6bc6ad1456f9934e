"""The files of data/, and what MXNet computed from them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from amazon_estimators.inference import LocalModel, ModelWarning, load_model

DATA = Path(__file__).with_name("data")
EXPECTED: dict[str, Any] = dict(np.load(DATA / "expected.npz"))
X = EXPECTED["X"]
ARRAY_FILES = sorted(path.name for path in DATA.glob("*.params"))
MODELS = {
    "kmeans": "KMeans",
    "pca": "PCA",
    "pca_uncentred": "PCA",
    "lda": "LDA",
    "linear_regressor": "LinearLearner",
    "linear_binary_classifier": "LinearLearner",
    "linear_multiclass_classifier": "LinearLearner",
    "fm_columns": "FactorizationMachines",
    "fm_rows": "FactorizationMachines",
    "ntm": "NTM",
}
"""Archive to algorithm."""
TYPES = {
    "linear_regressor": "regressor",
    "linear_binary_classifier": "binary_classifier",
    "fm_columns": "binary_classifier",
    "fm_rows": "binary_classifier",
}
"""What the files leave open."""
PREDICTING = tuple(name for name in MODELS if name not in {"lda", "ntm"})


def archive(name: str) -> Path:
    return DATA / f"{name}.tar.gz"


def load(name: str, **options: Any) -> LocalModel:
    """Load a model, without its warnings; its predictor type is known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)
        return load_model(archive(name), **{"predictor_type": TYPES.get(name), **options})


def expected(name: str) -> dict[str, np.ndarray]:
    """What MXNet computed, by field."""
    if name.startswith("fm_"):
        return {"score": EXPECTED["fm/score"], "predicted_label": (EXPECTED["fm/raw"] >= 0).astype(np.int64)}
    return {key.partition("/")[2]: value for key, value in EXPECTED.items() if key.startswith(f"{name}/")}
