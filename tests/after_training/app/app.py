"""A pipeline that tunes, judges and registers, and a queue that hears what it tells."""

from __future__ import annotations

from aws_cdk import App, CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from amazon_estimators.algorithms import LinearLearner
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    Gate,
    LambdaBundle,
    Monitoring,
    RecordSetEncoder,
    Registration,
    TrainingPipeline,
    Tuning,
)

app = App()
stack = Stack(app, "After")
told = sqs.Queue(stack, "Told")
encoder = RecordSetEncoder(stack, "Encoder", bundle=LambdaBundle(platform="host"))
pipeline = TrainingPipeline(
    stack,
    "Prices",
    algorithm=LinearLearner(predictor_type="regressor", epochs=3),
    instance_type="ml.m5.large",
    channels={name: Source(label=0, header="absent") for name in ("train", "validation", "test")},
    encoder=encoder,
    tuning=Tuning(
        objective="validation:objective_loss",
        max_jobs=2,
        max_parallel_jobs=2,
        random_seed=1,
        warm_start=True,
    ),
    gate=Gate("test:mse", at_most=1.0),
    registration=Registration(lineage=True),
    triggers=[],
    monitoring=Monitoring(monthly_budget=10),
    removal_policy=RemovalPolicy.DESTROY,
)
events.Rule(
    stack,
    "Everything",
    event_pattern=events.EventPattern(source=["amazon-estimators"]),
    targets=[targets.SqsQueue(told)],
)
CfnOutput(stack, "Bucket", value=pipeline.data_bucket.bucket_name)
CfnOutput(stack, "Machine", value=pipeline.state_machine.state_machine_arn)
CfnOutput(stack, "Role", value=pipeline.state_machine.role.role_name)
CfnOutput(stack, "Group", value=pipeline.model_package_group or "")
CfnOutput(stack, "ToldQueue", value=told.queue_url)
associate = encoder.node.find_child("Associate")
assert isinstance(associate, lambda_.Function) and associate.role is not None
CfnOutput(stack, "Associate", value=associate.function_name)
CfnOutput(stack, "AssociateRole", value=associate.role.role_name)
app.synth()
