"""Amazon's first-party SageMaker algorithms: their RecordSets, hyperparameters and training jobs.

The names of ``__all__`` are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # The algorithms are whatever the registry holds: a new one is named there and nowhere else.
    from amazon_estimators.algorithms import *  # noqa: F403
    from amazon_estimators.algorithms.tuning_ranges import CategoricalParameter as CategoricalParameter
    from amazon_estimators.algorithms.tuning_ranges import ContinuousParameter as ContinuousParameter
    from amazon_estimators.algorithms.tuning_ranges import IntegerParameter as IntegerParameter
    from amazon_estimators.client.estimator import Estimator as Estimator
    from amazon_estimators.client.hosting import ServerlessInferenceConfig as ServerlessInferenceConfig
    from amazon_estimators.client.job_settings import JobSettings as JobSettings
    from amazon_estimators.client.model import Model as Model
    from amazon_estimators.client.pipeline import PipelineEstimator as PipelineEstimator
    from amazon_estimators.client.predictor import Predictor as Predictor
    from amazon_estimators.client.training_job import Detached as Detached
    from amazon_estimators.client.training_job import TrainingJob as TrainingJob
    from amazon_estimators.client.transformer import Transformer as Transformer
    from amazon_estimators.client.transformer import TransformJob as TransformJob
    from amazon_estimators.client.tuner import Tuner as Tuner
    from amazon_estimators.client.tuner import TuningJob as TuningJob
    from amazon_estimators.errors import AmazonEstimatorsError as AmazonEstimatorsError
    from amazon_estimators.errors import EndpointError as EndpointError
    from amazon_estimators.errors import HyperparameterError as HyperparameterError
    from amazon_estimators.errors import InputError as InputError
    from amazon_estimators.errors import ModelError as ModelError
    from amazon_estimators.errors import RequestError as RequestError
    from amazon_estimators.errors import ResponseError as ResponseError
    from amazon_estimators.errors import TrainingJobError as TrainingJobError
    from amazon_estimators.errors import TransformJobError as TransformJobError
    from amazon_estimators.errors import TuningJobError as TuningJobError
    from amazon_estimators.hyperparameters.hyperparameter import Hyperparameter as Hyperparameter
    from amazon_estimators.inference.load import load_model as load_model
    from amazon_estimators.record_sets.file_system_record_set import (
        FileSystemRecordSet as FileSystemRecordSet,
    )
    from amazon_estimators.record_sets.record_set import RecordSet as RecordSet

_HOMES = {
    "algorithms": "ALGORITHMS Algorithm algorithm_named",
    "algorithms.tuning_ranges": "CategoricalParameter ContinuousParameter IntegerParameter",
    "client.hosting": "ServerlessInferenceConfig",
    "client.job_settings": "JobSettings",
    "client.model": "Model",
    "client.pipeline": "PipelineEstimator",
    "client.predictor": "Predictor",
    "client.training_job": "Detached TrainingJob",
    "client.transformer": "TransformJob Transformer",
    "client.tuner": "Tuner TuningJob",
    "errors": "AmazonEstimatorsError EndpointError HyperparameterError InputError ModelError RequestError "
    "ResponseError TrainingJobError TransformJobError TuningJobError",
    "client.estimator": "Estimator",
    "hyperparameters.hyperparameter": "Hyperparameter",
    "inference.load": "load_model",
    "record_sets.file_system_record_set": "FileSystemRecordSet",
    "record_sets.record_set": "RecordSet",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted({*_HOME, *_algorithms()})
    # Classes begin with a capital. Python asks for submodules here too: those load no algorithm.
    if name not in _HOME and not (name[:1].isupper() and name in _algorithms()):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOME.get(name, "algorithms")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_algorithms()})


def _algorithms() -> Any:
    """The registry: the algorithms by class name."""
    return import_module(f"{__name__}.algorithms").ALGORITHMS
