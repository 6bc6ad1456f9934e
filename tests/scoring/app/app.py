"""A training pipeline and two prediction pipelines on its models, and a queue that hears what they tell."""

from __future__ import annotations

from aws_cdk import App, CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs

from amazon_estimators.algorithms import KMeans
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    LambdaBundle,
    PredictionPipeline,
    RecordSetEncoder,
    TrainingPipeline,
    UploadTrigger,
)

app = App()
stack = Stack(app, "Scoring")
told = sqs.Queue(stack, "Told")
pipeline = TrainingPipeline(
    stack,
    "Flowers",
    algorithm=KMeans(k=3),
    instance_type="ml.m5.large",
    channels={"train": Source(exclude=("id",))},
    encoder=(encoder := RecordSetEncoder(stack, "Encoder", bundle=LambdaBundle(platform="host"))),
    triggers=[],
    removal_policy=RemovalPolicy.DESTROY,
)
scores = PredictionPipeline(
    stack, "Scores", model=pipeline, engine="numpy", keep=["other"], encoder=encoder, triggers=[]
)
batch = PredictionPipeline(
    stack,
    "Nightly",
    model=pipeline,
    instance_type="ml.m5.large",
    prefix="batch/",
    triggers=[UploadTrigger(marker="_SUCCESS")],
    output_format="parquet",
    encoder=encoder,
)
events.Rule(
    stack,
    "Everything",
    event_pattern=events.EventPattern(source=["amazon-estimators"]),
    targets=[targets.SqsQueue(told)],
)
CfnOutput(stack, "Bucket", value=pipeline.data_bucket.bucket_name)
CfnOutput(stack, "Training", value=pipeline.state_machine.state_machine_arn)
CfnOutput(stack, "Scoring", value=scores.state_machine.state_machine_arn)
CfnOutput(stack, "Batch", value=batch.state_machine.state_machine_arn)
CfnOutput(stack, "BatchRole", value=batch.state_machine.role.role_name)
CfnOutput(stack, "ToldQueue", value=told.queue_url)
app.synth()
