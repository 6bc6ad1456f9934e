"""Provide sample data for a first run: scikit-learn's bundled sets, and small ones from a fixed seed.

There is one entry per algorithm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators_rehearsal.samples import documents, logins, machines, ratings, sentences, tables
from amazon_estimators_rehearsal.samples.sample import Sample as Sample
from amazon_estimators_rehearsal.samples.sample import own as own

SAMPLES: Mapping[str, Callable[[Path], Sample]] = MappingProxyType(
    {
        "FactorizationMachines": ratings.ratings,
        "IPInsights": logins.logins,
        "KMeans": tables.digits,
        "KNN": tables.iris,
        "LDA": documents.counts,
        "LinearLearner": tables.diabetes,
        "NTM": documents.counts_and_vocabulary,
        "Object2Vec": sentences.sentence_pairs,
        "PCA": tables.wine,
        "RandomCutForest": machines.readings,
    }
)
"""Writes the sample for an algorithm into a directory."""


def required(algorithm: str, directory: Path) -> dict[str, Any]:
    """Return the sample's values of the required hyperparameters, the defaults for the user's own data."""
    declared = ALGORITHMS[algorithm].declared()
    values = SAMPLES[algorithm](directory).hyperparameters
    return {name: value for name, value in values.items() if declared[name].required}
