"""Stacks for the tests of the constructs, and a plain view of their templates."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from aws_cdk import App, Duration, Environment, RemovalPolicy, Size, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from amazon_estimators.algorithms import KMeans
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    Approval,
    Gate,
    Monitoring,
    Registration,
    TrainingPipeline,
    Tuning,
    UploadTrigger,
)

REPOSITORY = Path(__file__).resolve().parents[2]
PRICES = REPOSITORY / "tests" / "constructs" / "prices.json"
PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::URLSuffix": "amazonaws.com",
}


def new_app(**context: Any) -> App:
    """An app with the flags of cdk.json, and more context, that installs no Lambda code."""
    flags = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    return App(context={**flags, **context, "aws:cdk:bundling-stacks": []})


def new_stack(name: str = "Stack", *, region: str | None = None) -> Stack:
    env = Environment(account=PSEUDO["AWS::AccountId"], region=region) if region else None
    return Stack(new_app(), name, env=env)


def warnings(stack: Stack, about: str = "") -> list[str]:
    """Return the warnings that the synth of a stack shows; those that hold ``about``."""
    return _shown(stack, "warning", about)


def infos(stack: Stack, about: str = "") -> list[str]:
    """Return what the synth of a stack shows for information; the texts that hold ``about``."""
    return _shown(stack, "info", about)


def _shown(stack: Stack, level: str, about: str) -> list[str]:
    """Read the assembly: to ask each construct takes longer than to synthesise it."""
    root = stack.node.root
    assert isinstance(root, App)
    directory = Path(root.synth().directory)
    artifact = json.loads((directory / "manifest.json").read_text("utf-8"))["artifacts"][stack.artifact_id]
    metadata = artifact.get("metadata") or {}
    if more := artifact.get("additionalMetadataFile"):
        metadata = {**metadata, **json.loads((directory / more).read_text("utf-8"))}
    texts = [
        str(entry["data"])
        for entries in metadata.values()
        for entry in entries
        if entry["type"] == f"aws:cdk:{level}"
    ]
    return [text for text in texts if about in text]


@dataclass(frozen=True)
class Synthesised:
    """A stack, the pipeline in it if there is one, and its template with every reference made readable."""

    stack: Stack
    pipeline: TrainingPipeline | None = None

    @cached_property
    def template(self) -> dict[str, Any]:
        template: dict[str, Any] = Template.from_stack(self.stack).to_json()
        return template

    @cached_property
    def resources(self) -> dict[str, Any]:
        """Resources by logical id, intrinsic functions resolved to text."""
        return {name: _readable(one, self.template) for name, one in self.template["Resources"].items()}

    def of_type(self, kind: str) -> dict[str, Any]:
        """Properties of the resources of one type, by logical id."""
        return {
            name: one.get("Properties", {}) for name, one in self.resources.items() if one["Type"] == kind
        }

    @property
    def definition(self) -> dict[str, Any]:
        """The state machine."""
        (machine,) = self.of_type("AWS::StepFunctions::StateMachine").values()
        definition: dict[str, Any] = json.loads(machine["DefinitionString"])
        return definition

    def statements(self, role: str) -> list[dict[str, Any]]:
        """The statements of all policies of the role whose logical id begins with ``role``."""
        found = [
            statement
            for policy in self.of_type("AWS::IAM::Policy").values()
            if any(re.match(rf"<{role}[0-9A-F]{{8}}>", one) for one in policy["Roles"])
            for statement in policy["PolicyDocument"]["Statement"]
        ]
        assert found, f"no policy of {role}"
        return found


def _readable(value: Any, template: Mapping[str, Any]) -> Any:
    """``{"Ref": "Bucket"}`` as ``<Bucket>``, GetAtt of an ARN as an ARN-like text, joins joined."""
    if isinstance(value, list):
        return [_readable(one, template) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1 or not next(iter(value)).startswith(("Ref", "Fn::")):
        return {key: _readable(one, template) for key, one in value.items()}
    (function, argument), *_ = value.items()
    match function:
        case "Ref":
            return PSEUDO.get(argument, f"<{argument}>")
        case "Fn::GetAtt":
            is_bucket = template["Resources"][argument[0]]["Type"] == "AWS::S3::Bucket"
            return f"arn:aws:s3:::<{argument[0]}>" if is_bucket else f"<{argument[0]}.{argument[1]}>"
        case "Fn::Join":
            return argument[0].join(str(_readable(one, template)) for one in argument[1])
        case "Fn::Sub":
            return re.sub(r"\$\{([^}]+)\}", lambda found: _readable({"Ref": found[1]}, template), argument)
        case "Fn::FindInMap":
            name, *keys = (_readable(one, template) for one in argument)
            return template["Mappings"][name][keys[0]][keys[1]]
        case "Fn::GetAZs":
            return [f"{PSEUDO['AWS::Region']}{zone}" for zone in "abc"]
        case "Fn::Select":
            return _readable(argument[1], template)[argument[0]]
        case "Fn::Split":
            text = _readable(argument[1], template)
            return (
                text.split(argument[0]) if argument[0] in text else [f"{text}[{part}]" for part in range(8)]
            )
    raise AssertionError(f"{function} is new to the tests")


def states_of(definition: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], Mapping[str, Any]]]:
    """(name, state, the states it may name) of a definition and of the Maps inside it."""
    for name, state in definition["States"].items():
        yield name, state, definition["States"]
        if "ItemProcessor" in state:
            yield from states_of(state["ItemProcessor"])


REQUIRED: dict[str, Any] = {"algorithm": KMeans(k=10), "instance_type": "ml.m5.large"}


def plain() -> Synthesised:
    stack = new_stack()
    return Synthesised(stack, TrainingPipeline(stack, "Digits", **REQUIRED))


def configured() -> Synthesised:
    stack = new_stack("Stack", region="eu-west-1")
    return Synthesised(stack, TrainingPipeline(stack, "Digits", **{**REQUIRED, **everything(stack)}))


def everything(stack: Stack) -> dict[str, Any]:
    """A value other than the default for every prop that goes together with the others."""
    return {name: make(stack) for name, make in OTHER_VALUES.items() if name not in APART}


OTHER_VALUES: dict[str, Callable[[Stack], Any]] = {
    "capacity_wait": lambda stack: Duration.hours(6),
    "timeout": lambda stack: Duration.days(3),
    "instance_count": lambda stack: 2,
    "channels": lambda stack: {"train": Source(prefix="mine/", label=0), "test": Source()},
    "distributions": lambda stack: {"train": "FullyReplicated"},
    "prefix": lambda stack: "digits/",
    "data_bucket": lambda stack: s3.Bucket.from_bucket_attributes(
        stack,
        "Given",
        bucket_name="given",
        encryption_key=kms.Key(stack, "GivenKey", enable_key_rotation=True),
    ),
    "model_bucket": lambda stack: s3.Bucket.from_bucket_name(stack, "GivenModels", "given-models"),
    "encryption_key": lambda stack: kms.Key(stack, "Key", enable_key_rotation=True),
    "removal_policy": lambda stack: RemovalPolicy.DESTROY,
    "auto_delete_objects": lambda stack: True,
    "target_shard_size": lambda stack: Size.mebibytes(64),
    "max_concurrency": lambda stack: 7,
    "record_set_expiration": lambda stack: Duration.days(90),
    "input_version_expiration": lambda stack: Duration.days(60),
    "training_role": lambda stack: iam.Role(
        stack, "GivenRole", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com")
    ),
    "volume_size": lambda stack: Size.gibibytes(50),
    "max_runtime": lambda stack: Duration.minutes(30),
    "spot_max_wait": lambda stack: Duration.minutes(45),
    "keep_alive": lambda stack: Duration.minutes(10),
    "max_retry_attempts": lambda stack: 5,
    "vpc": lambda stack: ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a"],
        public_subnet_ids=["subnet-public"],
        public_subnet_route_table_ids=["rtb-public"],
        private_subnet_ids=["subnet-private"],
        private_subnet_route_table_ids=["rtb-private"],
    ),
    "subnets": lambda stack: ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
    "security_groups": lambda stack: [
        ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")
    ],
    "encrypt_inter_container_traffic": lambda stack: True,
    "enable_network_isolation": lambda stack: True,
    "triggers": lambda stack: [UploadTrigger(marker="_SUCCESS")],
    "max_concurrent_trainings": lambda stack: 2,
    "notification_topic": lambda stack: sns.Topic(stack, "Topic", enforce_ssl=True),
    "training_image": lambda stack: "444455556666.dkr.ecr.eu-west-1.amazonaws.com/mirror/kmeans:1",
    "monitoring": lambda stack: Monitoring(expected_every=Duration.days(1)),
    "service_encryption_key": lambda stack: kms.Key(stack, "ServiceKey", enable_key_rotation=True),
    "encryption_headers": lambda stack: True,
    "max_cost_per_training": lambda stack: 1_000.0,
    "prices": lambda stack: str(PRICES),
    "tags": lambda stack: {"team": "forecast"},
    "log_retention": lambda stack: logs.RetentionDays.ONE_YEAR,
}
OTHER_VALUES |= {
    "tuning": lambda stack: Tuning(objective="test:msd", max_jobs=4),
    "gate": lambda stack: Gate(metric="test:msd", at_most=5.0),
    "registration": lambda stack: Registration(approval=Approval.MANUAL, lineage=True),
}
"""The steps after training."""
APART = {
    "tuning",
    "gate",
    "registration",
    "data_bucket",
    "model_bucket",
    "training_role",
    "training_image",
    "spot_max_wait",
    "max_cost_per_training",
}
"""Given buckets and roles are looked at by themselves; spot capacity goes with no warm pool, and a limit
needs a region."""


def with_props(*names: str, region: str | None = "eu-west-1", **props: Any) -> Synthesised:
    """A pipeline with the other value of each named prop, and with ``props``."""
    stack = new_stack(region=region)
    others = {name: OTHER_VALUES[name](stack) for name in names}
    if {"tuning", "gate"} & set(names):  # their metric is one of channel test
        others.setdefault("channels", {"train": Source(), "test": Source()})
    return Synthesised(stack, TrainingPipeline(stack, "Digits", **{**REQUIRED, **others, **props}))
