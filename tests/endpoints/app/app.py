"""A pipeline, an endpoint that follows it, and a queue that hears what both tell."""

from __future__ import annotations

from aws_cdk import App, CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs

from amazon_estimators.algorithms import KMeans
from amazon_estimators.sources import Source
from cdk_amazon_estimators import LambdaBundle, ModelEndpoint, RecordSetEncoder, TrainingPipeline

app = App()
stack = Stack(app, "Serving")
told = sqs.Queue(stack, "Told")
pipeline = TrainingPipeline(
    stack,
    "Points",
    algorithm=KMeans(k=2),
    instance_type="ml.m5.large",
    channels={"train": Source(header="absent")},
    encoder=RecordSetEncoder(stack, "Encoder", bundle=LambdaBundle(platform="host")),
    triggers=[],
    removal_policy=RemovalPolicy.DESTROY,
)
endpoint = ModelEndpoint(stack, "Online", model=pipeline, instance_type="ml.m5.large")
events.Rule(
    stack,
    "Everything",
    event_pattern=events.EventPattern(source=["amazon-estimators"]),
    targets=[targets.SqsQueue(told)],
)
CfnOutput(stack, "Bucket", value=pipeline.data_bucket.bucket_name)
CfnOutput(stack, "Machine", value=pipeline.state_machine.state_machine_arn)
CfnOutput(stack, "Deploying", value=endpoint.state_machine.state_machine_arn)
CfnOutput(stack, "Endpoint", value=endpoint.endpoint_name)
CfnOutput(stack, "ToldQueue", value=told.queue_url)
app.synth()
