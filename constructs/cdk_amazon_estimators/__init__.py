"""Amazon's first-party SageMaker algorithms as CDK constructs: data in a bucket, trained models out."""

from cdk_amazon_estimators.data_buckets import new_data_bucket, new_model_bucket
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.lambda_bundle import LambdaBundle
from cdk_amazon_estimators.notifications import TrainingNotifications
from cdk_amazon_estimators.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.problems import PipelineError
from cdk_amazon_estimators.training_image import TrainingImage
from cdk_amazon_estimators.training_job import JobSettings, training_job, training_job_statements
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
    "JobSettings",
    "LambdaBundle",
    "PipelineError",
    "PipelineLayout",
    "RecordSetEncoder",
    "ScheduleTrigger",
    "TrainingImage",
    "TrainingNotifications",
    "TrainingPipeline",
    "TrainingStarter",
    "Trigger",
    "UploadTrigger",
    "new_data_bucket",
    "new_model_bucket",
    "training_job",
    "training_job_statements",
]
