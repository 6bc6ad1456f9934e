"""The SageMaker Python SDK 2's first-party estimators: change the import line, keep the notebook."""

from amazon_estimators.algorithms.tuning_ranges import (
    CategoricalParameter,
    ContinuousParameter,
    IntegerParameter,
)
from amazon_estimators.client.hosting import ServerlessInferenceConfig
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
from amazon_estimators.sdk.models import (
    FactorizationMachinesModel,
    IPInsightsModel,
    KMeansModel,
    KNNModel,
    LDAModel,
    LinearLearnerModel,
    NTMModel,
    Object2VecModel,
    PCAModel,
    RandomCutForestModel,
)
from amazon_estimators.sdk.predictors import (
    FactorizationMachinesPredictor,
    IPInsightsPredictor,
    KMeansPredictor,
    KNNPredictor,
    LDAPredictor,
    LinearLearnerPredictor,
    NTMPredictor,
    PCAPredictor,
    Predictor,
    RandomCutForestPredictor,
    RealTimePredictor,
)
from amazon_estimators.sdk.record_sets import FileSystemRecordSet, RecordSet
from amazon_estimators.sdk.session import Session, get_execution_role
from amazon_estimators.sdk.transformer import Transformer
from amazon_estimators.sdk.tuner import (
    HyperparameterTuner,
    HyperparameterTuningJobAnalytics,
    WarmStartConfig,
    WarmStartTypes,
)

__all__ = [
    "KNN",
    "LDA",
    "NTM",
    "PCA",
    "AmazonAlgorithmEstimatorBase",
    "CategoricalParameter",
    "ContinuousParameter",
    "FactorizationMachines",
    "FactorizationMachinesModel",
    "FactorizationMachinesPredictor",
    "FileSystemInput",
    "FileSystemRecordSet",
    "Hyperparameter",
    "HyperparameterTuner",
    "HyperparameterTuningJobAnalytics",
    "IPInsights",
    "IPInsightsModel",
    "IPInsightsPredictor",
    "IntegerParameter",
    "KMeans",
    "KMeansModel",
    "KMeansPredictor",
    "KNNModel",
    "KNNPredictor",
    "LDAModel",
    "LDAPredictor",
    "LinearLearner",
    "LinearLearnerModel",
    "LinearLearnerPredictor",
    "NTMModel",
    "NTMPredictor",
    "Object2Vec",
    "Object2VecModel",
    "PCAModel",
    "PCAPredictor",
    "Predictor",
    "RandomCutForest",
    "RandomCutForestModel",
    "RandomCutForestPredictor",
    "RealTimePredictor",
    "RecordSet",
    "ServerlessInferenceConfig",
    "Session",
    "TrainingInput",
    "TrainingJobAnalytics",
    "Transformer",
    "WarmStartConfig",
    "WarmStartTypes",
    "get_execution_role",
    "get_image_uri",
    "s3_input",
]
