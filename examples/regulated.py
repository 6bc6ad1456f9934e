"""A pipeline in an account with rules: no way to the internet, one key for everything, tags on all of it.

``cdk deploy --app "python3 examples/regulated.py"``. Nothing here reaches the internet: subnets without a
NAT, and an endpoint for each service that the functions and the training instance call. Your own key
encrypts buckets, volumes, queues, logs, the state machine and the functions' environment; a bucket policy
may demand the headers.
"""

from typing import Any

from aws_cdk import App, CfnOutput, RemovalPolicy, Stack, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from amazon_estimators.algorithms import LinearLearner
from amazon_estimators.sources import Source
from cdk_amazon_estimators import RecordSetEncoder, TrainingPipeline, UploadTrigger

ADDRESSES = "10.20.0.0/16"
SERVICES = {
    "Events": "events",
    "Keys": "kms",
    "Lambda": "lambda",
    "Logs": "logs",
    "Queues": "sqs",
    "Schedules": "scheduler",
    "StepFunctions": "states",
    "Training": "sagemaker.api",
}
"""What the functions and the training instance call besides S3."""


class Regulated(Stack):
    def __init__(self, scope: Construct, construct_id: str, **options: Any) -> None:
        super().__init__(scope, construct_id, **options)
        Tags.of(self).add("cost-center", "4711")
        Tags.of(self).add("data-class", "confidential")
        key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=RemovalPolicy.RETAIN)
        isolated = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        network = ec2.Vpc(
            self,
            "Network",
            ip_addresses=ec2.IpAddresses.cidr(ADDRESSES),
            nat_gateways=0,
            # Nothing here uses the default group; closing it takes a function of CDK's own.
            restrict_default_security_group=False,
            max_azs=2,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Jobs", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
            ],
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(
                    service=ec2.GatewayVpcEndpointAwsService.S3, subnets=[isolated]
                )
            },
        )
        callers = ec2.SecurityGroup(
            self, "Callers", vpc=network, description="Functions and training", allow_all_outbound=False
        )
        callers.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "Endpoints of AWS services")
        services = ec2.SecurityGroup(
            self, "Services", vpc=network, description="Endpoints of AWS services", allow_all_outbound=False
        )
        services.add_ingress_rule(ec2.Peer.ipv4(ADDRESSES), ec2.Port.tcp(443), "From this network")
        for name, service in SERVICES.items():
            network.add_interface_endpoint(
                name,
                service=ec2.InterfaceVpcEndpointAwsService(service),
                subnets=isolated,
                security_groups=[services],
                open=False,
            )
        self.risk = TrainingPipeline(
            self,
            "Risk",
            algorithm=LinearLearner(predictor_type="binary_classifier"),
            instance_type="ml.m5.large",
            channels={"train": Source(format="csv", label="default", exclude=("contract",))},
            encryption_key=key,
            service_encryption_key=key,
            encryption_headers=True,
            encoder=RecordSetEncoder(
                self, "Encoder", vpc=network, subnets=isolated, security_groups=[callers], encryption_key=key
            ),
            vpc=network,
            subnets=isolated,
            security_groups=[callers],
            enable_network_isolation=True,
            triggers=[UploadTrigger(marker="_SUCCESS")],
            notification_topic=sns.Topic(self, "Topic", master_key=key, enforce_ssl=True),
            # On the resources and on every training job, which the account's policies may demand.
            tags={"cost-center": "4711", "data-class": "confidential"},
        )
        CfnOutput(self, "DataBucket", value=self.risk.data_bucket.bucket_name)


if __name__ == "__main__":
    app = App()
    Regulated(app, "Regulated")
    app.synth()
