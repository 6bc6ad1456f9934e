"""Fit PCA by singular value decomposition, exact or randomized, as in the algorithm's two modes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from sklearn.utils.extmath import randomized_svd

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.inference.models import LocalPCA
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted


def fit(algorithm: Algorithm, channels: Mapping[str, Records]) -> Fitted:
    """Decompose the train channel. It reports no metric, because AWS documents none for PCA."""
    train = channels["train"].matrix().astype(np.float64)
    components = algorithm.effective("num_components")
    if components > min(train.shape):
        raise ValueError(
            f"num_components is {components}; {train.shape[0]} records of {train.shape[1]} features have "
            f"at most {min(train.shape)}."
        )
    mean = train.mean(axis=0) if algorithm.effective("subtract_mean") else np.zeros(train.shape[1])
    if algorithm.effective("algorithm_mode") == "randomized":
        extra = algorithm.effective("extra_components")
        oversampled = max(10, components) if extra == -1 else extra
        _, values, vectors = randomized_svd(
            train - mean, n_components=components, n_oversamples=oversampled, random_state=0
        )
        engine = "scikit-learn"
    else:
        _, values, vectors = np.linalg.svd(train - mean, full_matrices=False)
        engine = "numpy"
    return Fitted(
        engine=engine,
        metrics={},
        model={
            "class": "singular value decomposition",
            "version": sklearn.__version__ if engine == "scikit-learn" else np.__version__,
            "mean": mean.tolist(),
            "singular_values": values[:components].tolist(),
            "components": vectors[:components].tolist(),
        },
        layout=_layout(vectors[:components], values[:components], mean),
    )


def _layout(vectors: npt.NDArray[Any], values: npt.NDArray[Any], mean: npt.NDArray[Any]) -> LocalPCA:
    """Return the model file's arrays: components in columns, largest last."""
    components = vectors[::-1].T.astype(np.float32)
    return LocalPCA(
        components, values[::-1].astype(np.float32), mean.astype(np.float32) if mean.any() else None
    )
