"""Pipelines for each kind of job, whose creation is never answered, and a queue that hears what they tell."""

from __future__ import annotations

from typing import Any

from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack, Tags
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs

from amazon_estimators.algorithms import KMeans
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    Gate,
    LambdaBundle,
    PredictionPipeline,
    RecordSetEncoder,
    Registration,
    TrainingPipeline,
    Tuning,
)

app = App()
stack = Stack(app, "Adoption")
Tags.of(stack).add("rehearsal:lost-answer", "always")
told = sqs.Queue(stack, "Told")
shared: dict[str, Any] = {
    "instance_type": "ml.m5.large",
    "channels": {name: Source(header="absent") for name in ("train", "test")},
    "encoder": RecordSetEncoder(stack, "Encoder", bundle=LambdaBundle(platform="host")),
    "triggers": [],
    "removal_policy": RemovalPolicy.DESTROY,
    # The states that adopt look once a minute.
    "max_runtime": Duration.hours(1),
    "timeout": Duration.hours(3),
}
flowers = TrainingPipeline(
    stack,
    "Flowers",
    algorithm=KMeans(k=3),
    gate=Gate("test:msd", at_most=1e6),
    registration=Registration(lineage=True),
    **shared,
)
searched = TrainingPipeline(
    stack,
    "Searched",
    algorithm=KMeans(k=3),
    tuning=Tuning(objective="test:msd", max_jobs=2, max_parallel_jobs=2, random_seed=1),
    **shared,
)
lacking = TrainingPipeline(
    stack,
    "Lacking",
    algorithm=KMeans(k=3),
    capacity_wait=Duration.minutes(5),
    tags={"rehearsal:no-capacity": "ml.m5.large"},
    **shared,
)
nightly = PredictionPipeline(
    stack,
    "Nightly",
    model=flowers,
    instance_type="ml.m5.large",
    prefix="batch/",
    triggers=[],
    encoder=shared["encoder"],
    timeout=Duration.hours(3),
)
events.Rule(
    stack,
    "Everything",
    event_pattern=events.EventPattern(source=["amazon-estimators"]),
    targets=[targets.SqsQueue(told)],
)
for pipeline in (flowers, searched, lacking):
    CfnOutput(stack, f"{pipeline.node.id}Bucket", value=pipeline.data_bucket.bucket_name)
for machine in (flowers, searched, lacking, nightly):
    CfnOutput(stack, f"{machine.node.id}Machine", value=machine.state_machine.state_machine_arn)
CfnOutput(stack, "TrainingRole", value=flowers.training_role.role_name)
CfnOutput(stack, "ToldQueue", value=told.queue_url)
app.synth()
