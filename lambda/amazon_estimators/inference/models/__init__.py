"""One module per model layout that is public: it reads, writes and predicts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from amazon_estimators.inference.models.factorization_machines import (
    LocalFactorizationMachines as LocalFactorizationMachines,
)
from amazon_estimators.inference.models.kmeans import LocalKMeans as LocalKMeans
from amazon_estimators.inference.models.linear_learner import LocalLinearLearner as LocalLinearLearner
from amazon_estimators.inference.models.local_model import Content as Content
from amazon_estimators.inference.models.local_model import LocalModel as LocalModel
from amazon_estimators.inference.models.pca import LocalPCA as LocalPCA
from amazon_estimators.inference.models.topics import LocalLDA as LocalLDA
from amazon_estimators.inference.models.topics import LocalNTM as LocalNTM
from amazon_estimators.inference.models.topics import TopicTable as TopicTable

LOCAL_MODELS: Mapping[str, type[LocalModel]] = MappingProxyType(
    {
        model.algorithm: model
        for model in (
            LocalKMeans,
            LocalPCA,
            LocalLDA,
            LocalLinearLearner,
            LocalFactorizationMachines,
            LocalNTM,
        )
    }
)
"""The models that can be read without SageMaker, by algorithm; the others say why not in
``algorithm.inference.undocumented_model``."""
