"""A pipeline as an organisation has it: keys, headers, tags, thousands of columns, several instance types."""

from __future__ import annotations

from aws_cdk import App, CfnOutput, NestedStack, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from amazon_estimators.algorithms import KMeans
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    LambdaBundle,
    RecordSetEncoder,
    TrainingPipeline,
    UploadTrigger,
    new_data_bucket,
    new_model_bucket,
)

COLUMNS = 9_600

app = App()
stack = Stack(app, "Organisation", tags={"owner": "data"})
key = kms.Key(stack, "Key", enable_key_rotation=True, removal_policy=RemovalPolicy.DESTROY)
data = new_data_bucket(stack, "Data", encryption_key=key, removal_policy=RemovalPolicy.DESTROY)
models = new_model_bucket(stack, "Models", encryption_key=key, removal_policy=RemovalPolicy.DESTROY)
nested = NestedStack(stack, "Nested")
pipeline = TrainingPipeline(
    nested,
    "Segments",
    algorithm=KMeans(k=2),
    instance_type=["ml.c5.xlarge", "ml.m5.large", "ml.m5.xlarge"],
    channels={"train": Source(features=tuple(f"measured_{number:010}" for number in range(COLUMNS)))},
    prefix="segments/",
    data_bucket=data,
    model_bucket=models,
    encryption_key=key,
    service_encryption_key=key,
    encryption_headers=True,
    encoder=RecordSetEncoder(
        nested,
        "Encoder",
        bundle=LambdaBundle(platform="host"),
        encryption_key=key,
        reserved_concurrency={"Starter": 1},
        tracing=True,
        log_level=lambda_.ApplicationLogLevel.DEBUG,
    ),
    triggers=[UploadTrigger(marker="_SUCCESS")],
    notification_topic=sns.Topic(stack, "Topic", master_key=key, enforce_ssl=True),
    tags={"team": "forecast", "rehearsal:no-capacity": "ml.c5.xlarge ml.m5.xlarge"},
)
CfnOutput(stack, "Bucket", value=data.bucket_name)
CfnOutput(stack, "Machine", value=pipeline.state_machine.state_machine_arn)
app.synth()
