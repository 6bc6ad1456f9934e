"""Amazon's first-party SageMaker algorithms as CDK constructs: data in a bucket, trained models out.

The names of ``__all__`` are loaded when they are first used: a stack pays for the constructs it has.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if find_spec("aws_cdk") is None:
    raise ModuleNotFoundError(
        "The constructs need aws-cdk-lib, which is an extra: pip install 'cdk-amazon-estimators[cdk]', or in "
        "a clone pip install '.[cdk]'",
        name="aws_cdk",
    )

if TYPE_CHECKING:
    from amazon_estimators.algorithms.tuning_ranges import CategoricalParameter as CategoricalParameter
    from amazon_estimators.algorithms.tuning_ranges import ContinuousParameter as ContinuousParameter
    from amazon_estimators.algorithms.tuning_ranges import IntegerParameter as IntegerParameter
    from cdk_amazon_estimators.after_training import Approval as Approval
    from cdk_amazon_estimators.after_training import Gate as Gate
    from cdk_amazon_estimators.after_training import Registration as Registration
    from cdk_amazon_estimators.after_training import Tuning as Tuning
    from cdk_amazon_estimators.assets.lambda_bundle import LambdaBundle as LambdaBundle
    from cdk_amazon_estimators.budget import TagBudget as TagBudget
    from cdk_amazon_estimators.encoder import RecordSetEncoder as RecordSetEncoder
    from cdk_amazon_estimators.endpoints import AllAtOnce as AllAtOnce
    from cdk_amazon_estimators.endpoints import Canary as Canary
    from cdk_amazon_estimators.endpoints import DataCapture as DataCapture
    from cdk_amazon_estimators.endpoints import DriftMonitor as DriftMonitor
    from cdk_amazon_estimators.endpoints import Linear as Linear
    from cdk_amazon_estimators.endpoints import ModelEndpoint as ModelEndpoint
    from cdk_amazon_estimators.endpoints import Scaling as Scaling
    from cdk_amazon_estimators.endpoints import Serverless as Serverless
    from cdk_amazon_estimators.errors import PipelineError as PipelineError
    from cdk_amazon_estimators.monitoring import Monitoring as Monitoring
    from cdk_amazon_estimators.monitoring import MonitoringDashboard as MonitoringDashboard
    from cdk_amazon_estimators.notifications import TrainingNotifications as TrainingNotifications
    from cdk_amazon_estimators.pipeline_base import TrainingPipelineBase as TrainingPipelineBase
    from cdk_amazon_estimators.predictions import PredictionPipeline as PredictionPipeline
    from cdk_amazon_estimators.storage.data_buckets import new_data_bucket as new_data_bucket
    from cdk_amazon_estimators.storage.data_buckets import new_model_bucket as new_model_bucket
    from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout as PipelineLayout
    from cdk_amazon_estimators.training.image import TrainingImage as TrainingImage
    from cdk_amazon_estimators.training.job import JobSettings as JobSettings
    from cdk_amazon_estimators.training.job import training_job as training_job
    from cdk_amazon_estimators.training.job import training_job_statements as training_job_statements
    from cdk_amazon_estimators.training_pipeline import TrainingPipeline as TrainingPipeline
    from cdk_amazon_estimators.triggers import AlarmTrigger as AlarmTrigger
    from cdk_amazon_estimators.triggers import ScheduleTrigger as ScheduleTrigger
    from cdk_amazon_estimators.triggers import TrainingStarter as TrainingStarter
    from cdk_amazon_estimators.triggers import Trigger as Trigger
    from cdk_amazon_estimators.triggers import UploadTrigger as UploadTrigger

_HOMES = {
    "amazon_estimators.algorithms.tuning_ranges": "CategoricalParameter ContinuousParameter IntegerParameter",
    "cdk_amazon_estimators.after_training": "Approval Gate Registration Tuning",
    "cdk_amazon_estimators.assets.lambda_bundle": "LambdaBundle",
    "cdk_amazon_estimators.budget": "TagBudget",
    "cdk_amazon_estimators.encoder": "RecordSetEncoder",
    "cdk_amazon_estimators.endpoints": "AllAtOnce Canary DataCapture DriftMonitor Linear ModelEndpoint "
    "Scaling Serverless",
    "cdk_amazon_estimators.errors": "PipelineError",
    "cdk_amazon_estimators.monitoring": "Monitoring MonitoringDashboard",
    "cdk_amazon_estimators.notifications": "TrainingNotifications",
    "cdk_amazon_estimators.pipeline_base": "TrainingPipelineBase",
    "cdk_amazon_estimators.predictions": "PredictionPipeline",
    "cdk_amazon_estimators.storage.data_buckets": "new_data_bucket new_model_bucket",
    "cdk_amazon_estimators.storage.pipeline_layout": "PipelineLayout",
    "cdk_amazon_estimators.training.image": "TrainingImage",
    "cdk_amazon_estimators.training.job": "JobSettings training_job training_job_statements",
    "cdk_amazon_estimators.training_pipeline": "TrainingPipeline",
    "cdk_amazon_estimators.triggers": "AlarmTrigger ScheduleTrigger TrainingStarter Trigger UploadTrigger",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted(_HOME)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
