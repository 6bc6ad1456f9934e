"""Acknowledge the intended findings of cdk-nag and checkov, on the resources that have them.

Every finding is fixed, resolved by a setting (SWITCHES, CHECKOV_SWITCHES), or acknowledged here with its
reason, on the resource itself, so that users have nothing to acknowledge. cdk-nag reads acknowledgements,
checkov reads the resource's metadata in the template. Without the tools they have no effect.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import Acknowledgment, CfnResource, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct, IValidation

from cdk_amazon_estimators.resources import properties_of, resources_below, type_of

PACKS = ("AwsSolutions", "Serverless", "NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321")
"""The rule packs, by the prefixes of their rule IDs."""


@dataclass(frozen=True)
class Finding:
    """Rules of cdk-nag, and checks of checkov, that all resources of one kind break, and the reason."""

    kind: str
    rules: tuple[str, ...]
    reason: str
    checks: tuple[str, ...] = ()


ACKNOWLEDGED = (
    Finding(
        "AWS::S3::Bucket",
        ("S1", "S3BucketLoggingEnabled"),
        "Which bucket receives access logs is the account's choice. To log access, pass your own buckets.",
        ("CKV_AWS_18",),
    ),
    Finding(
        "AWS::S3::Bucket",
        ("S3BucketReplicationEnabled",),
        "RecordSets can be recreated from input, and models from RecordSets. If the input is your only copy, "
        "pass a bucket with replication.",
    ),
    Finding(
        "AWS::IAM::Policy",
        ("IAMNoInlinePolicy",),
        "Each policy belongs to one role, and is created and deleted with it.",
    ),
    Finding(
        "AWS::Lambda::Function",
        ("LambdaDLQ",),
        "Step Functions and SQS invoke the functions synchronously and handle their errors. CloudFormation "
        "and the schedules of drift monitors see theirs, or repeat the call.",
        ("CKV_AWS_116",),
    ),
    Finding(
        "AWS::Lambda::Function",
        ("L1", "LambdaLatestVersion"),
        "LambdaBundle sets the runtime. Its default is pinned, so that it never changes unnoticed.",
    ),
    Finding(
        "AWS::Lambda::EventSourceMapping",
        ("LambdaEventSourceMappingDestination",),
        "The source queue has its own dead-letter queue, with an alarm.",
    ),
    Finding(
        "AWS::EC2::SecurityGroupIngress",
        ("EC2RestrictedCommonPorts",),
        "The instances of a training job talk to each other on ports that the container chooses. Nothing "
        "else can reach them.",
    ),
    Finding(
        "AWS::SQS::Queue",
        ("SQS3", "SQSRedrivePolicy"),
        "This is itself the dead-letter queue of rules and schedules, which cdk-nag does not recognise.",
    ),
    Finding(
        "AWS::SQS::Queue",
        (),
        "SQS encrypts the queue with its own keys. checkov asks for a key of KMS: "
        "TrainingPipeline(service_encryption_key=…).",
        ("CKV_AWS_27",),
    ),
)

OF_CDK = Finding(
    "Custom::S3AutoDeleteObjects",
    (),
    "CDK's own function, for auto_delete_objects. It runs only while the stack is deployed or deleted.",
    ("CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117"),
)
"""The function behind a custom resource of this kind, which takes no settings."""
EMPTIES_BUCKETS = ("Custom::S3AutoDeleteObjectsCustomResourceProvider", "Handler")
"""Its path in the stack."""

INTERFACES = (
    "CKV_AWS_111",
    "Lambda checks the rights for network interfaces on all resources when it makes a function in a VPC.",
)
"""The check that the roles of functions in a VPC break, and why they do."""

SWITCHES: Mapping[str, str] = {
    "S3DefaultEncryptionKMS": "TrainingPipeline(encryption_key=…)",
    "CloudWatchLogGroupEncrypted": "RecordSetEncoder(encryption_key=…) and "
    "TrainingPipeline(service_encryption_key=…)",
    "LambdaConcurrency": "RecordSetEncoder(reserved_concurrency={…}), with a number for each function",
    "LambdaInsideVPC": "RecordSetEncoder(vpc=…)",
    "LambdaTracing": "RecordSetEncoder(tracing=True)",
    "CloudWatchAlarmAction": "pipeline.starter.alarm.add_alarm_action(…)",
}
"""Rules that a setting resolves, and the setting."""

CHECKOV_SWITCHES: Mapping[str, str] = {
    "CKV_AWS_115": SWITCHES["LambdaConcurrency"],
    "CKV_AWS_117": SWITCHES["LambdaInsideVPC"],
    "CKV_AWS_158": SWITCHES["CloudWatchLogGroupEncrypted"],
    "CKV_AWS_173": "RecordSetEncoder(encryption_key=…)",
}
"""Checks of checkov that a setting resolves, and the setting."""

_BUCKET = r"(?:<[\w.]+>|arn:\S+:s3:::[\w.-]+)"

WILDCARDS: Mapping[str, str] = {
    rf"{_BUCKET}/.*\*.*": "Key names depend on uploads, plans, shards and jobs. Each role is "
    "limited to the prefixes of its own step.",
    r"arn:\S+:sagemaker:\S+:(?:training-job|transform-job|hyper-parameter-tuning-job|model)/[a-z0-9-]+-\*": (
        "Jobs are named after executions, models after executions or what they hold."
    ),
    r"arn:\S+:sagemaker:\S+:model-package/[\w-]+/\*": "Versions of the pipeline's own group are numbered.",
    r"arn:\S+:sagemaker:\S+:(?:artifact|experiment-trial-component)/\*": "SageMaker names artifacts after a "
    "hash of their source, and trial components itself.",
    r"arn:\S+:logs:\S+:log-group:/aws/sagemaker/(?:Training|Transform)Jobs:\S*\*": "Log streams are named "
    "after jobs.",
    r"arn:\S+:states:\S+:execution:\S+\*": "This state machine's executions: no name is known yet.",
    r"arn:\S+:scheduler:\S+:schedule/[\w-]+/\*": "The schedules in the starter's own group.",
    r"arn:\S+:ec2:\S+:network-interface/\*": "A network interface gets its ID when it is created.",
    r"arn:\S+:ec2:\S+:\*:(?:subnet|security-group)/\S+": "Subnets and security groups of a shared VPC "
    "may belong to another account.",
    r"arn:\S+:sagemaker:\S+:endpoint-config/[a-z0-9-]+-\*": "The configurations of an endpoint are named "
    "after what they hold.",
    r"arn:\S+:logs:\S+:log-group:/aws/sagemaker/Endpoints/\S+\*": "Log streams of an endpoint are named "
    "after its instances.",
    r"arn:\S+:application-autoscaling:\S+:scalable-target/\*": "Scalable targets are named when they are "
    "registered; a condition keeps to those of SageMaker.",
    r"arn:\S+:cloudwatch:\S+:alarm:TargetTracking-endpoint/\S+/\*": "The alarms by which an endpoint is "
    "scaled are named by the service.",
}
"""Resources with a wildcard, as regular expressions for cdk-nag's text, and the reason for the wildcard."""

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
        "lambda:GetAccountSettings",
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
        "sagemaker:ListArtifacts",
        "sagemaker:ListAssociations",
        "sagemaker:ListEndpointConfigs",
        "sagemaker:ListModels",
        "sagemaker:ListTrialComponents",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
)
"""Actions allowed on ``*``: the service defines no resource for them, or checks them on all resources."""


_scopes: WeakKeyDictionary[Stack, list[Construct]] = WeakKeyDictionary()


def acknowledge_findings(scope: Construct) -> None:
    """Acknowledge the findings of all resources below ``scope`` when the app is synthesised."""
    stack = Stack.of(scope)
    scopes = _scopes.setdefault(stack, [])
    scopes.append(scope)
    if len(scopes) == 1:
        stack.node.add_validation(_Acknowledge(stack, scopes))


@jsii.implements(IValidation)
class _Acknowledge:
    """Acknowledges when CDK validates the tree: by then policies are complete, and cdk-nag runs later."""

    def __init__(self, stack: Stack, scopes: Sequence[Construct]) -> None:
        self._stack, self._scopes = stack, scopes

    def validate(self) -> list[str]:
        resources = resources_below(*self._scopes)
        statements = _statements(resources)
        for name, resource in resources.items():
            kind, stated = type_of(resource), statements.get(name, [])
            found = dict(_findings(kind, stated))
            if found:
                Validations.of(resource).acknowledge(
                    *(Acknowledgment(id=rule, reason=reason) for rule, reason in found.items())
                )
            target = _emptier(self._stack) if kind == OF_CDK.kind else resource
            _skip(target, dict(_checks(kind, stated)))
        return []


def _statements(resources: Mapping[str, CfnResource]) -> dict[str, list[dict[str, Any]]]:
    """Return the statements of each policy, of which CDK makes managed ones too."""
    policies = {
        name: resource
        for name, resource in resources.items()
        if isinstance(resource, iam.CfnPolicy | iam.CfnManagedPolicy)
    }
    return {name: one["policyDocument"]["Statement"] for name, one in properties_of(policies).items()}


def _findings(kind: str, statements: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for finding in ACKNOWLEDGED:
        if finding.kind == kind:
            yield from ((f"{pack}-{rule}", finding.reason) for pack in PACKS for rule in finding.rules)
    yield from _wildcards(statements)


def _checks(kind: str, statements: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the checks of checkov that a resource breaks, and the reasons."""
    for finding in (*ACKNOWLEDGED, OF_CDK):
        if finding.kind == kind:
            yield from ((check, finding.reason) for check in finding.checks)
    everywhere = [one for one in statements if "*" in _listed(one["Resource"])]
    if any("ec2:CreateNetworkInterface" in _listed(one["Action"]) for one in everywhere):
        yield INTERFACES


def _emptier(stack: Stack) -> CfnResource | None:
    """Return CDK's function that empties the buckets of a stack."""
    handler: IConstruct | None = stack
    for name in EMPTIES_BUCKETS:
        handler = handler and handler.node.try_find_child(name)
    return handler if isinstance(handler, CfnResource) else None


def _skip(resource: CfnResource | None, checks: Mapping[str, str]) -> None:
    """Write into the template that checkov skips these checks of a resource, beside what else it skips."""
    if resource and checks:
        metadata = resource.get_metadata("checkov") or {}
        skipped = [one for one in metadata.get("skip", ()) if one["id"] not in checks]
        skipped += [{"id": check, "comment": reason} for check, reason in checks.items()]
        resource.add_metadata("checkov", {**metadata, "skip": skipped})


def _wildcards(statements: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the ID of each accepted resource with a wildcard, in cdk-nag's spelling, and the reason."""
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
        reason = "The services define no resource for these actions, or check them on all resources."
        yield "AwsSolutions-IAM5[Resource::*]", reason


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _flat(value: Any) -> str:
    """Return a resource in cdk-nag's spelling, with references as ``<name>`` and ``<name.attribute>``."""
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
