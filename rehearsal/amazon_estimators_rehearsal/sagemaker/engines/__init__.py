"""Fit stand-in models, one module per algorithm.

An engine fits a model of the same kind where an honest one exists. For the other algorithms it only verifies
request, channels and data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import cast

from amazon_estimators.algorithms import Algorithm
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import NO_ENGINE as NO_ENGINE
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted as Fitted

Engine = Callable[[Algorithm, Mapping[str, Records]], Fitted]
"""Takes the hyperparameters and each channel's records. Raises ValueError for data it cannot fit."""

MODULES: Mapping[str, str] = MappingProxyType(
    {
        "FactorizationMachines": "factorization_machines",
        "IPInsights": "ip_insights",
        "KMeans": "kmeans",
        "KNN": "knn",
        "LDA": "lda",
        "LinearLearner": "linear_learner",
        "NTM": "ntm",
        "Object2Vec": "object2vec",
        "PCA": "pca",
        "RandomCutForest": "random_cut_forest",
    }
)
"""Module of this package, by algorithm."""


def engine_of(algorithm: str) -> Engine:
    """Return an algorithm's engine by name. It loads only that module: scikit-learn is slow to import."""
    return cast(Engine, import_module(f"{__name__}.{MODULES[algorithm]}").fit)
