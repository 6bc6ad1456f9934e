"""Two pipelines, an endpoint of each kind, and a queue that hears what they tell."""

from __future__ import annotations

from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Size, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs

from amazon_estimators.algorithms import KNN, KMeans
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    Approval,
    Canary,
    DataCapture,
    DriftMonitor,
    LambdaBundle,
    ModelEndpoint,
    RecordSetEncoder,
    Registration,
    Scaling,
    Serverless,
    TrainingPipeline,
)

app = App()
stack = Stack(app, "Serving")
told = sqs.Queue(stack, "Told")
encoder = RecordSetEncoder(stack, "Encoder", bundle=LambdaBundle(platform="host"))
points = TrainingPipeline(
    stack,
    "Points",
    algorithm=KMeans(k=2),
    instance_type="ml.m5.large",
    channels={"train": Source(header="absent")},
    encoder=encoder,
    triggers=[],
    removal_policy=RemovalPolicy.DESTROY,
)
kinds = TrainingPipeline(
    stack,
    "Kinds",
    algorithm=KNN(k=3, predictor_type="classifier", sample_size=40),
    instance_type="ml.m5.large",
    channels={"train": Source(header="absent", label=0)},
    encoder=encoder,
    registration=Registration(approval=Approval.MANUAL),
    triggers=[],
    removal_policy=RemovalPolicy.DESTROY,
)
online = ModelEndpoint(
    stack,
    "Online",
    model=points,
    instance_type="ml.m5.large",
    instance_count=int(app.node.try_get_context("instances") or 1),
    traffic=Canary(percent=20, wait=Duration.minutes(1)),
    data_capture=DataCapture(),
    tags={"team": "web"},
)
online.roll_back_on(
    cloudwatch.Alarm(
        stack, "Errors", metric=online.metric("Invocation5XXErrors"), threshold=1, evaluation_periods=1
    )
)
DriftMonitor(stack, "Drift", endpoint=online)
cheap = ModelEndpoint(stack, "Cheap", model=points, serverless=Serverless(memory=Size.gibibytes(2)))
many = ModelEndpoint(stack, "Many", model=kinds, instance_type="ml.m5.large", multi_model=True)
single = ModelEndpoint(
    stack,
    "Single",
    model=kinds,
    instance_type="ml.m5.large",
    scaling=Scaling(most=3, invocations=600),
)
events.Rule(
    stack,
    "Everything",
    event_pattern=events.EventPattern(source=["amazon-estimators"]),
    targets=[targets.SqsQueue(told)],
)
for name, pipeline in {"Points": points, "Kinds": kinds}.items():
    CfnOutput(stack, f"{name}Data", value=pipeline.data_bucket.bucket_name)
    CfnOutput(stack, f"{name}Models", value=pipeline.model_bucket.bucket_name)
    CfnOutput(stack, f"{name}Machine", value=pipeline.state_machine.state_machine_arn)
for name, endpoint in {"Online": online, "Cheap": cheap, "Many": many, "Single": single}.items():
    CfnOutput(stack, f"{name}Endpoint", value=endpoint.endpoint_name)
    CfnOutput(stack, f"{name}Machine", value=endpoint.state_machine.state_machine_arn)
    CfnOutput(stack, f"{name}Serving", value=endpoint.execution_role.role_name)
for step in ("Deploy", "Smoke", "Clean", "Tell"):
    role = encoder.step(step, "", timeout=Duration.minutes(1), memory=Size.mebibytes(512)).role
    assert role is not None
    CfnOutput(stack, f"{step}Role", value=role.role_name)
drift = encoder.step("Drift", "", timeout=Duration.minutes(1), memory=Size.mebibytes(512))
CfnOutput(stack, "DriftFunction", value=drift.function_name)
CfnOutput(stack, "Group", value=kinds.model_package_group or "")
CfnOutput(stack, "ToldQueue", value=told.queue_url)
app.synth()
