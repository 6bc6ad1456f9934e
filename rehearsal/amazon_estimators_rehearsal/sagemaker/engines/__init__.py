"""What stands in an algorithm's place, one module an algorithm.

Where an honest model of the same kind exists it is fitted; else request, channels and data are verified.
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
"""Takes the hyperparameters and the records of each channel. Raises ValueError for data it cannot fit."""

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
"""Algorithm to module of this package."""


def engine_of(algorithm: str) -> Engine:
    """The engine of an algorithm by its name. Only its module is loaded: scikit-learn's parts are slow."""
    return cast(Engine, import_module(f"{__name__}.{MODULES[algorithm]}").fit)
