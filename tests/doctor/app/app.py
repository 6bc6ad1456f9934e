"""Pipelines that ask an account for all that the doctor looks at."""

from __future__ import annotations

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms

from amazon_estimators.algorithms import KMeans
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    IntegerParameter,
    ModelEndpoint,
    PredictionPipeline,
    Scaling,
    TrainingPipeline,
    Tuning,
    UploadTrigger,
)

app = App()
stack = Stack(app, "Doctor")
isolated = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
network = ec2.Vpc(
    stack,
    "Network",
    nat_gateways=0,
    max_azs=1,
    subnet_configuration=[
        ec2.SubnetConfiguration(name="Training", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    ],
    gateway_endpoints={
        "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3, subnets=[isolated])
    },
)
TrainingPipeline(
    stack,
    "Full",
    algorithm=KMeans(k=2),
    instance_type="ml.m5.large",
    instance_count=2,
    encryption_key=kms.Key(stack, "Key", removal_policy=RemovalPolicy.DESTROY),
    vpc=network,
    subnets=isolated,
    security_groups=[ec2.SecurityGroup(stack, "Group", vpc=network)],
    spot_max_wait=Duration.minutes(30),
    max_runtime=Duration.minutes(20),
    max_concurrency=20,
    triggers=[UploadTrigger(marker="_SUCCESS")],
)
warm = TrainingPipeline(
    stack,
    "Warm",
    algorithm=KMeans(k=2),
    instance_type=["ml.m5.xlarge", "ml.m5.2xlarge"],
    keep_alive=Duration.minutes(10),
    prefix="warm/",
    triggers=[],
)
TrainingPipeline(
    stack,
    "Tuned",
    algorithm=KMeans(k=2),
    instance_type="ml.c5.xlarge",
    instance_count=2,
    prefix="tuned/",
    channels={"train": Source(), "test": Source()},
    tuning=Tuning(
        objective="test:msd",
        ranges={"extra_center_factor": IntegerParameter(4, 10)},
        max_jobs=4,
        max_parallel_jobs=3,
    ),
    triggers=[],
)
PredictionPipeline(stack, "Scores", model=warm, instance_type="ml.m4.xlarge", instance_count=2, triggers=[])
ModelEndpoint(
    stack, "Online", model=warm, instance_type="ml.c5.large", scaling=Scaling(most=3, invocations=100)
)
app.synth()
