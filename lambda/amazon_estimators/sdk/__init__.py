"""The SageMaker Python SDK 2's first-party estimators: change the import line, keep the notebook."""

from amazon_estimators.sdk.amazon_estimator import get_image_uri
from amazon_estimators.sdk.analytics import TrainingJobAnalytics
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
from amazon_estimators.sdk.hyperparameter import Hyperparameter
from amazon_estimators.sdk.inputs import FileSystemInput, TrainingInput, s3_input
from amazon_estimators.sdk.record_sets import FileSystemRecordSet, RecordSet
from amazon_estimators.sdk.session import Session, get_execution_role

__all__ = [
    "KNN",
    "LDA",
    "NTM",
    "PCA",
    "AmazonAlgorithmEstimatorBase",
    "FactorizationMachines",
    "FileSystemInput",
    "FileSystemRecordSet",
    "Hyperparameter",
    "IPInsights",
    "KMeans",
    "LinearLearner",
    "Object2Vec",
    "RandomCutForest",
    "RecordSet",
    "Session",
    "TrainingInput",
    "TrainingJobAnalytics",
    "get_execution_role",
    "get_image_uri",
    "s3_input",
]
