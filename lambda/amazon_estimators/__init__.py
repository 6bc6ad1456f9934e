"""Amazon's first-party SageMaker algorithms: their RecordSets, hyperparameters and training jobs.

The names of :data:`__all__` are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amazon_estimators.algorithms import ALGORITHMS as ALGORITHMS
    from amazon_estimators.algorithms import Algorithm as Algorithm
    from amazon_estimators.algorithms import algorithm_named as algorithm_named
    from amazon_estimators.algorithms.factorization_machines import (
        FactorizationMachines as FactorizationMachines,
    )
    from amazon_estimators.algorithms.ip_insights import IPInsights as IPInsights
    from amazon_estimators.algorithms.kmeans import KMeans as KMeans
    from amazon_estimators.algorithms.knn import KNN as KNN
    from amazon_estimators.algorithms.lda import LDA as LDA
    from amazon_estimators.algorithms.linear_learner import LinearLearner as LinearLearner
    from amazon_estimators.algorithms.ntm import NTM as NTM
    from amazon_estimators.algorithms.object2vec import Object2Vec as Object2Vec
    from amazon_estimators.algorithms.pca import PCA as PCA
    from amazon_estimators.algorithms.random_cut_forest import RandomCutForest as RandomCutForest
    from amazon_estimators.client.job_settings import JobSettings as JobSettings
    from amazon_estimators.client.pipeline import PipelineEstimator as PipelineEstimator
    from amazon_estimators.client.training_job import Detached as Detached
    from amazon_estimators.client.training_job import TrainingJob as TrainingJob
    from amazon_estimators.errors import AmazonEstimatorsError as AmazonEstimatorsError
    from amazon_estimators.errors import HyperparameterError as HyperparameterError
    from amazon_estimators.errors import InputError as InputError
    from amazon_estimators.errors import RequestError as RequestError
    from amazon_estimators.errors import TrainingJobError as TrainingJobError
    from amazon_estimators.estimator import Estimator as Estimator
    from amazon_estimators.file_system_record_set import FileSystemRecordSet as FileSystemRecordSet
    from amazon_estimators.hyperparameter import Hyperparameter as Hyperparameter
    from amazon_estimators.record_set import RecordSet as RecordSet

_HOMES = {
    "algorithms": (
        "ALGORITHMS Algorithm algorithm_named FactorizationMachines IPInsights KMeans KNN LDA "
        "LinearLearner NTM "
        "Object2Vec PCA RandomCutForest"
    ),
    "client.job_settings": "JobSettings",
    "client.pipeline": "PipelineEstimator",
    "client.training_job": "Detached TrainingJob",
    "errors": "AmazonEstimatorsError HyperparameterError InputError RequestError TrainingJobError",
    "estimator": "Estimator",
    "file_system_record_set": "FileSystemRecordSet",
    "hyperparameter": "Hyperparameter",
    "record_set": "RecordSet",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME)  # noqa: PLE0605  # it is a list of names


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
