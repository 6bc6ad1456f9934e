"""Acknowledge the findings of cdk-nag that are intended, on the resources that have them.

Every finding of the packs is mended, met by a setting (SWITCHES), or acknowledged here with its reason, on
the resource itself: a user who runs cdk-nag acknowledges nothing. Without cdk-nag this does nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsii
from aws_cdk import Acknowledgment, CfnResource, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct, IValidation

PACKS = ("AwsSolutions", "Serverless", "NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321")
"""The rule packs, as the ids of their rules begin."""


@dataclass(frozen=True)
class Finding:
    """A rule that all resources of one kind break, and why they do."""

    kind: str
    rules: tuple[str, ...]
    reason: str


ACKNOWLEDGED = (
    Finding(
        "AWS::S3::Bucket",
        ("S1", "S3BucketLoggingEnabled"),
        "Access logs go to a bucket of the account's choice: pass buckets that have them.",
    ),
    Finding(
        "AWS::S3::Bucket",
        ("S3BucketReplicationEnabled",),
        "RecordSets are made again from input, and models from RecordSets. Input that is the only copy is "
        "replicated by its owner: pass a bucket that is.",
    ),
    Finding(
        "AWS::IAM::Policy",
        ("IAMNoInlinePolicy",),
        "Each policy belongs to one role, and is made and deleted with it.",
    ),
    Finding(
        "AWS::Lambda::Function",
        ("LambdaDLQ",),
        "Step Functions, SQS and CloudFormation invoke the functions and see their errors. The queue would "
        "be for other asynchronous invocations, of which there are none.",
    ),
    Finding(
        "AWS::Lambda::Function",
        ("L1", "LambdaLatestVersion"),
        "The runtime is a setting of LambdaBundle, whose default does not move under users.",
    ),
    Finding(
        "AWS::Lambda::EventSourceMapping",
        ("LambdaEventSourceMappingDestination",),
        "The queue has a dead-letter queue of its own, with an alarm.",
    ),
    Finding(
        "AWS::EC2::SecurityGroupIngress",
        ("EC2RestrictedCommonPorts",),
        "The instances of one training job reach one another, on ports of the container's choice, and "
        "nothing else can reach them.",
    ),
    Finding(
        "AWS::SQS::Queue",
        ("SQS3", "SQSRedrivePolicy"),
        "The queue without a dead-letter queue is one: of rules and schedules, which cdk-nag does not see.",
    ),
)

SWITCHES: Mapping[str, str] = {
    "S3DefaultEncryptionKMS": "TrainingPipeline(encryption_key=…)",
    "CloudWatchLogGroupEncrypted": "RecordSetEncoder(encryption_key=…) and "
    "TrainingPipeline(service_encryption_key=…)",
    "LambdaConcurrency": "RecordSetEncoder(reserved_concurrency={…}), with a number for each function",
    "LambdaInsideVPC": "RecordSetEncoder(vpc=…)",
    "LambdaTracing": "RecordSetEncoder(tracing=True)",
    "CloudWatchAlarmAction": "pipeline.starter.alarm.add_alarm_action(…)",
}
"""The rules that are met by a setting, and the setting."""

_BUCKET = r"(?:<[\w.]+>|arn:\S+:s3:::[\w.-]+)"

WILDCARDS: Mapping[str, str] = {
    rf"{_BUCKET}/.*\*.*": "Keys are named by who uploads input, by a plan, a shard or a job. Each "
    "role has the prefixes of its own step.",
    r"arn:\S+:sagemaker:\S+:training-job/[a-z0-9-]+-\*": "Training jobs are named after executions.",
    r"arn:\S+:logs:\S+:log-group:/aws/sagemaker/TrainingJobs:\S*\*": "Log streams are named after jobs.",
    r"arn:\S+:sagemaker:\S+:(?:model|endpoint-config)/[a-z0-9-]+-\*": "The models and configurations of one "
    "endpoint are named after what they hold.",
    r"arn:\S+:logs:\S+:log-group:/aws/sagemaker/Endpoints/\S+\*": "Log streams of an endpoint are named "
    "after its instances.",
    r"arn:\S+:application-autoscaling:\S+:scalable-target/\*": "Scalable targets are named when they are "
    "registered; a condition keeps to those of SageMaker.",
    r"arn:\S+:cloudwatch:\S+:alarm:TargetTracking-endpoint/\S+/\*": "The alarms by which an endpoint is "
    "scaled are named by the service.",
    r"arn:\S+:states:\S+:execution:\S+\*": "The executions of this state machine, which are named later.",
    r"arn:\S+:scheduler:\S+:schedule/[\w-]+/\*": "The schedules of the starter's own group.",
    r"arn:\S+:ec2:\S+:network-interface/\*": "Network interfaces are named when they are made.",
    r"arn:\S+:ec2:\S+:\*:(?:subnet|security-group)/\S+": "In a shared VPC they may be another account's.",
}
"""Resources with a star, as regular expressions of what cdk-nag writes, and why they have it."""

NO_RESOURCE = frozenset(
    {
        "cloudwatch:PutMetricData",
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "ec2:UnassignPrivateIpAddresses",
        "ecr:GetAuthorizationToken",
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
        "sagemaker:ListEndpointConfigs",
        "sagemaker:ListModels",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
)
"""Actions that are allowed on ``*``: the services know no resource for them, or check them on all."""


def acknowledge_findings(scope: Construct) -> None:
    """Acknowledge the findings of all resources that are below ``scope`` when the app is synthesised."""
    scope.node.add_validation(_Acknowledge(scope))


@jsii.implements(IValidation)
class _Acknowledge:
    """Acknowledges when CDK validates the tree: policies are complete then, and cdk-nag comes later."""

    def __init__(self, scope: Construct) -> None:
        self._scope = scope

    def validate(self) -> list[str]:
        for node in self._scope.node.find_all():
            found = dict(_findings(node))
            if found:
                Validations.of(node).acknowledge(
                    *(Acknowledgment(id=rule, reason=reason) for rule, reason in found.items())
                )
        return []


def _findings(node: IConstruct) -> Iterator[tuple[str, str]]:
    if not isinstance(node, CfnResource):
        return
    for finding in ACKNOWLEDGED:
        if finding.kind == node.cfn_resource_type:
            yield from ((f"{pack}-{rule}", finding.reason) for pack in PACKS for rule in finding.rules)
    if isinstance(node, iam.CfnPolicy | iam.CfnManagedPolicy):  # a large policy overflows into managed ones
        document = Stack.of(node).resolve(node.policy_document)
        yield from _wildcards(document["Statement"])


def _wildcards(statements: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the id of each resource with a star that is accepted, as cdk-nag writes it, and the reason."""
    stars: set[str] = set()
    for statement in statements:
        resources = [_flat(resource) for resource in _listed(statement["Resource"])]
        if "*" in resources:
            stars |= set(_listed(statement["Action"]))
        for resource in resources:
            for pattern, reason in WILDCARDS.items():
                if "*" in resource and re.fullmatch(pattern, resource):
                    yield f"AwsSolutions-IAM5[Resource::{resource}]", reason
    if stars and stars <= NO_RESOURCE:
        reason = "The services know no resource for these actions, or check them on all resources."
        yield "AwsSolutions-IAM5[Resource::*]", reason


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _flat(value: Any) -> str:
    """Return a resource as cdk-nag writes it, with references as ``<name>`` and ``<name.attribute>``."""
    if isinstance(value, str):
        return value.replace("${", "<").replace("}", ">")
    if "Fn::Join" in value:
        delimiter, parts = value["Fn::Join"]
        return str(delimiter).join(map(_flat, parts))
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(map(_flat, value['Fn::GetAtt']))}>"
    if "Ref" in value:
        return f"<{_flat(value['Ref'])}>"
    return json.dumps(value, separators=(",", ":"))
