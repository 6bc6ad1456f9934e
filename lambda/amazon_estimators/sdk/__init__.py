"""The SageMaker Python SDK 2's first-party estimators: change the import line, keep the notebook."""

from amazon_estimators.record_sets.file_system_record_set import FileSystemRecordSet
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.sdk.base import AmazonAlgorithmEstimatorBase
from amazon_estimators.sdk.estimators import (
    KNN,
    LDA,
    NTM,
    PCA,
    FactorizationMachines,
    IPInsights,
    KMeans,
    LinearLearner,
    Object2Vec,
    RandomCutForest,
)

__all__ = [
    "KNN",
    "LDA",
    "NTM",
    "PCA",
    "AmazonAlgorithmEstimatorBase",
    "FactorizationMachines",
    "FileSystemRecordSet",
    "IPInsights",
    "KMeans",
    "LinearLearner",
    "Object2Vec",
    "RandomCutForest",
    "RecordSet",
]
