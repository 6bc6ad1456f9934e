"""Amazon's first-party SageMaker algorithms as CDK constructs: data in a bucket, trained models out."""

from importlib.util import find_spec

if find_spec("aws_cdk") is None:
    raise ModuleNotFoundError(
        "The constructs need aws-cdk-lib, which is an extra: pip install 'cdk-amazon-estimators[cdk]', or in "
        "a clone pip install '.[cdk]'",
        name="aws_cdk",
    )

from amazon_estimators.algorithms.tuning_ranges import (
    CategoricalParameter,
    ContinuousParameter,
    IntegerParameter,
)
from cdk_amazon_estimators.after_training import Approval, Gate, Registration, Tuning
from cdk_amazon_estimators.assets.lambda_bundle import LambdaBundle
from cdk_amazon_estimators.budget import TagBudget
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.endpoints import (
    AllAtOnce,
    Canary,
    DataCapture,
    DriftMonitor,
    Linear,
    ModelEndpoint,
    Scaling,
    Serverless,
)
from cdk_amazon_estimators.errors import PipelineError
from cdk_amazon_estimators.monitoring import Monitoring, MonitoringDashboard
from cdk_amazon_estimators.notifications import TrainingNotifications
from cdk_amazon_estimators.pipeline_base import TrainingPipelineBase
from cdk_amazon_estimators.predictions import PredictionPipeline
from cdk_amazon_estimators.storage.data_buckets import new_data_bucket, new_model_bucket
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.training.image import TrainingImage
from cdk_amazon_estimators.training.job import JobSettings, training_job, training_job_statements
from cdk_amazon_estimators.training_pipeline import TrainingPipeline
from cdk_amazon_estimators.triggers import (
    AlarmTrigger,
    ScheduleTrigger,
    TrainingStarter,
    Trigger,
    UploadTrigger,
)

__all__ = [
    "AlarmTrigger",
    "AllAtOnce",
    "Approval",
    "Canary",
    "CategoricalParameter",
    "ContinuousParameter",
    "DataCapture",
    "DriftMonitor",
    "Gate",
    "IntegerParameter",
    "JobSettings",
    "LambdaBundle",
    "Linear",
    "ModelEndpoint",
    "Monitoring",
    "MonitoringDashboard",
    "PipelineError",
    "PipelineLayout",
    "PredictionPipeline",
    "RecordSetEncoder",
    "Registration",
    "Scaling",
    "ScheduleTrigger",
    "Serverless",
    "TagBudget",
    "TrainingImage",
    "TrainingNotifications",
    "TrainingPipeline",
    "TrainingPipelineBase",
    "TrainingStarter",
    "Trigger",
    "Tuning",
    "UploadTrigger",
    "new_data_bucket",
    "new_model_bucket",
    "training_job",
    "training_job_statements",
]
