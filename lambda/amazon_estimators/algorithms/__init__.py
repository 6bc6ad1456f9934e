"""The first-party algorithms by name. A new one is a file of its own and one import line here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from amazon_estimators.algorithms.algorithm import Algorithm as Algorithm
from amazon_estimators.algorithms.factorization_machines import FactorizationMachines as FactorizationMachines
from amazon_estimators.algorithms.ip_insights import IPInsights as IPInsights
from amazon_estimators.algorithms.kmeans import KMeans as KMeans
from amazon_estimators.algorithms.knn import KNN as KNN
from amazon_estimators.algorithms.lda import LDA as LDA
from amazon_estimators.algorithms.linear_learner import LinearLearner as LinearLearner
from amazon_estimators.algorithms.ntm import NTM as NTM
from amazon_estimators.algorithms.object2vec import Object2Vec as Object2Vec
from amazon_estimators.algorithms.pca import PCA as PCA
from amazon_estimators.algorithms.random_cut_forest import RandomCutForest as RandomCutForest
from amazon_estimators.errors import RequestError
from amazon_estimators.text import nearest

ALGORITHMS: Mapping[str, type[Algorithm]] = MappingProxyType(
    {algorithm.__name__: algorithm for algorithm in Algorithm.__subclasses__()}
)
"""Every algorithm by class name."""
OTHER_NAMES: Mapping[str, Sequence[str]] = MappingProxyType(
    {"fm": ["FactorizationMachines"], "ll": ["LinearLearner"], "rcf": ["RandomCutForest"]}
)
"""What algorithms are called for short."""


def algorithm_named(name: str) -> type[Algorithm]:
    """Return the algorithm of this class name, exactly as spelt; RequestError names the nearest."""
    if name in ALGORITHMS:
        return ALGORITHMS[name]
    near = nearest(name, ALGORITHMS, others=OTHER_NAMES)
    hint = f" Did you mean {near!r}?" if near else ""
    raise RequestError(
        f"There is no algorithm {name!r}.{hint}", remedy=f"Use one of {', '.join(sorted(ALGORITHMS))}."
    )
