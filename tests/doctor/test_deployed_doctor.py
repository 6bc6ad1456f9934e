"""The doctor against a deployed stack: no error on a sound account, and each fault found, and found alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest

from amazon_estimators.cli import main
from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators.doctor import running
from amazon_estimators.doctor.checks import CHECKS, examine
from amazon_estimators.doctor.patient import Patient
from amazon_estimators_rehearsal.platform import Platform

pytestmark = pytest.mark.deployed

GONE = "arn:aws:iam::000000000000:role/gone"
WARM = " for training warm pool usage"


@dataclass(frozen=True)
class Clinic:
    """The deployed stack."""

    platform: Platform
    pipelines: dict[str, PipelineEstimator]

    def patient(self, name: str) -> Patient:
        return Patient(self.pipelines[name])

    def client(self, service: str) -> Any:
        return self.platform.client(service)

    def found(self, name: str) -> dict[tuple[str, str], str]:
        """The lines of one pipeline that are not ok: the text by check and level."""
        return {
            (line.check, line.finding.level): f"{line.finding.message}\n{line.finding.remedy}"
            for line in examine(self.pipelines[name])
            if line.finding.level != "ok"
        }

    @contextmanager
    def quota(self, name: str, value: float) -> Iterator[None]:
        """Set a quota by name for the time of the block."""
        client = self.client("service-quotas")
        (quota,) = [
            one
            for one in client.list_service_quotas(ServiceCode="sagemaker")["Quotas"]
            if one["QuotaName"] == name
        ]
        asked = {"ServiceCode": "sagemaker", "QuotaCode": quota["QuotaCode"]}
        client.request_service_quota_increase(**asked, DesiredValue=value)
        try:
            yield
        finally:
            client.request_service_quota_increase(**asked, DesiredValue=quota["Value"])

    @contextmanager
    def definition(self, name: str, change: Callable[[str], str]) -> Iterator[None]:
        """Change the definition of a pipeline for the time of the block."""
        states, arn = self.client("stepfunctions"), self.pipelines[name].state_machine_arn
        before = states.describe_state_machine(stateMachineArn=arn)["definition"]
        assert change(before) != before
        states.update_state_machine(stateMachineArn=arn, definition=change(before))
        try:
            yield
        finally:
            states.update_state_machine(stateMachineArn=arn, definition=before)

    @contextmanager
    def denied(self, role_arn: str, action: str) -> Iterator[None]:
        """Take an action from a role for the time of the block."""
        iam, role = self.client("iam"), role_arn.rpartition("/")[2]
        statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=role, PolicyName="Fault", PolicyDocument=document)
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName="Fault")

    @contextmanager
    def distrusted(self, role_arn: str) -> Iterator[None]:
        """Let only EC2 assume a role for the time of the block."""
        iam, role = self.client("iam"), role_arn.rpartition("/")[2]
        before = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        other = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [other]})
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)
        try:
            yield
        finally:
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(before))

    @contextmanager
    def reserved(self, concurrency: int) -> Iterator[None]:
        """Reserve concurrency for Encode for the time of the block."""
        client, (encode, _) = self.client("lambda"), self.patient("Full").encode
        client.put_function_concurrency(FunctionName=encode, ReservedConcurrentExecutions=concurrency)
        try:
            yield
        finally:
            client.delete_function_concurrency(FunctionName=encode)

    @contextmanager
    def without_versions(self) -> Iterator[None]:
        s3, bucket = self.client("s3"), self.patient("Full").data_bucket
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
        try:
            yield
        finally:
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})

    @contextmanager
    def without_events(self) -> Iterator[None]:
        s3, bucket = self.client("s3"), self.patient("Full").data_bucket
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
        try:
            yield
        finally:
            s3.put_bucket_notification_configuration(
                Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
            )

    @contextmanager
    def rule_disabled(self) -> Iterator[None]:
        events, starter = self.client("events"), self.patient("Full").starter
        assert starter is not None
        name = events.list_rule_names_by_target(TargetArn=starter["queue"])["RuleNames"][0]
        events.disable_rule(Name=name)
        try:
            yield
        finally:
            events.enable_rule(Name=name)

    @contextmanager
    def key_disabled(self) -> Iterator[None]:
        kms, (key, *_) = self.client("kms"), self.patient("Full").keys
        kms.disable_key(KeyId=key)
        try:
            yield
        finally:
            kms.enable_key(KeyId=key)

    @contextmanager
    def without_endpoint(self) -> Iterator[None]:
        ec2 = self.client("ec2")
        (endpoint,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
        ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])
        try:
            yield
        finally:
            kept = ("VpcId", "ServiceName", "VpcEndpointType", "RouteTableIds")
            ec2.create_vpc_endpoint(**{name: endpoint[name] for name in kept})

    @contextmanager
    def starter_deaf(self) -> Iterator[None]:
        client, starter = self.client("lambda"), self.patient("Full").starter
        assert starter is not None
        (mapping,) = client.list_event_source_mappings(FunctionName=starter["FunctionArn"])[
            "EventSourceMappings"
        ]
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    @contextmanager
    def dead_letter(self) -> Iterator[None]:
        sqs, starter = self.client("sqs"), self.patient("Full").starter
        assert starter is not None
        queue = starter["dead_letters"]
        sqs.send_message(
            QueueUrl=queue, MessageBody="{}", MessageGroupId="x", MessageDeduplicationId=uuid4().hex
        )
        try:
            yield
        finally:
            (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    @contextmanager
    def late(self, seconds: int) -> Iterator[None]:
        late = datetime.now(UTC) + timedelta(seconds=seconds)
        with mock.patch.object(running, "now", lambda: late):
            yield

    def another(self, name: str, old: str, new: str) -> AbstractContextManager[None]:
        """Write another text into the training job of a definition."""
        return self.definition(name, lambda text: text.replace(old, new))


@pytest.fixture(scope="module")
def clinic(platform: Platform) -> Iterator[Clinic]:
    deployed = Platform.__new__(Platform)  # the session's account, with an app of its own
    vars(deployed).update(vars(platform), _app=Path(__file__).with_name("app"))
    deployed.deploy()
    found = {pipeline.name.rpartition("/")[2]: pipeline for pipeline in deployed.pipelines()}
    clinic = Clinic(deployed, found)
    with clinic.quota(f"ml.m5.xlarge{WARM}", 1), clinic.quota(f"ml.m5.2xlarge{WARM}", 1):
        yield clinic


@pytest.mark.parametrize("name", ["Full", "Warm", "Tuned"])
def test_a_sound_account_has_no_error_and_no_warning(clinic: Clinic, name: str) -> None:
    assert clinic.found(name) == {}


def test_every_check_looks_at_something(clinic: Clinic) -> None:
    assert {line.check for name in clinic.pipelines for line in examine(clinic.pipelines[name])} == {*CHECKS}


FAULTS: dict[str, tuple[str, str, str, str, Callable[[Clinic], AbstractContextManager[None]]]] = {
    "quota of the instances": (
        "Warm",
        "instance quotas",
        "error",
        "ml.m5.2xlarge for training job usage: 0; one training needs 1",
        lambda clinic: clinic.quota("ml.m5.2xlarge for training job usage", 0),
    ),
    "quota on spot": (
        "Full",
        "instance quotas",
        "error",
        "ml.m5.large for spot training job usage: 1; one training needs 2",
        lambda clinic: clinic.quota("ml.m5.large for spot training job usage", 1),
    ),
    "quota of a tuning job": (
        "Tuned",
        "instance quotas",
        "warning",
        "ml.c5.xlarge for training job usage: 5; a tuning job runs 3 trainings of 2",
        lambda clinic: clinic.quota("ml.c5.xlarge for training job usage", 5),
    ),
    "quota of the warm pool": (
        "Warm",
        "warm pool quota",
        "warning",
        "ml.m5.xlarge for training warm pool usage: 0; keep_alive wants 1",
        lambda clinic: clinic.quota("ml.m5.xlarge for training warm pool usage", 0),
    ),
    "quota of transform jobs": (
        "Warm",
        "transform quotas",
        "error",
        "ml.m4.xlarge for transform job usage: 1; one scoring of Doctor/Scores needs 2",
        lambda clinic: clinic.quota("ml.m4.xlarge for transform job usage", 1),
    ),
    "quota of endpoints": (
        "Warm",
        "endpoint quotas",
        "error",
        "ml.c5.large for endpoint usage: 2; endpoint online-",
        lambda clinic: clinic.quota("ml.c5.large for endpoint usage", 2),
    ),
    "quota of endpoints that change their model": (
        "Warm",
        "endpoint quotas",
        "warning",
        "needs 6 while traffic moves to a new model",
        lambda clinic: clinic.quota("ml.c5.large for endpoint usage", 5),
    ),
    "few functions at a time": (
        "Full",
        "Lambda concurrency",
        "warning",
        "reserved concurrency of Encode: 5; max_concurrency is 20",
        lambda clinic: clinic.reserved(5),
    ),
    "no function at all": (
        "Full",
        "Lambda concurrency",
        "error",
        "reserved concurrency of Encode: 0; Encode never runs",
        lambda clinic: clinic.reserved(0),
    ),
    "no versions": ("Full", "versioning", "error", "is Suspended", Clinic.without_versions),
    "no events": ("Full", "bucket events", "error", "sends no events to EventBridge", Clinic.without_events),
    "a rule that is off": ("Full", "bucket events", "error", "is disabled", Clinic.rule_disabled),
    "a bucket that is gone": (
        "Warm",
        "buckets",
        "error",
        "bucket no-bucket does not exist",
        lambda clinic: clinic.another("Warm", clinic.patient("Warm").models.bucket, "no-bucket"),
    ),
    "a key that is off": ("Full", "keys", "error", "is Disabled", Clinic.key_disabled),
    "trust of the training role": (
        "Full",
        "training role's trust",
        "error",
        "does not let sagemaker.amazonaws.com assume it",
        lambda clinic: clinic.distrusted(clinic.patient("Full").job["RoleArn"]),
    ),
    "trust of the state machine's role": (
        "Full",
        "state machine's role",
        "error",
        "does not let states.amazonaws.com assume it",
        lambda clinic: clinic.distrusted(clinic.patient("Full").described["roleArn"]),
    ),
    "a role that is gone": (
        "Warm",
        "training role's trust",
        "error",
        "does not exist",
        lambda clinic: clinic.another("Warm", clinic.patient("Warm").job["RoleArn"], GONE),
    ),
    "no model may be written": (
        "Full",
        "training role's permissions",
        "error",
        "may not do s3:PutObject on arn:aws:s3:::",
        lambda clinic: clinic.denied(clinic.patient("Full").job["RoleArn"], "s3:PutObject"),
    ),
    "no role may be passed": (
        "Full",
        "state machine's role",
        "error",
        "may not do iam:PassRole on arn:aws:iam::000000000000:role/",
        lambda clinic: clinic.denied(clinic.patient("Full").described["roleArn"], "iam:PassRole"),
    ),
    "an image that is not there": (
        "Warm",
        "image",
        "error",
        "kmeans:9 does not exist",
        lambda clinic: clinic.another("Warm", "/kmeans:1", "/kmeans:9"),
    ),
    "an image of another region": (
        "Warm",
        "image",
        "error",
        "is in eu-west-1, the pipeline in us-east-1",
        lambda clinic: clinic.another("Warm", "ecr.us-east-1", "ecr.eu-west-1"),
    ),
    "no way to S3": ("Full", "network", "error", "has no route to S3", Clinic.without_endpoint),
    "a starter that hears nothing": (
        "Full",
        "starter",
        "error",
        "takes no messages from its queue",
        Clinic.starter_deaf,
    ),
    "dead letters": ("Full", "starter", "warning", "1 dead letters", Clinic.dead_letter),
    "a clock that is wrong": (
        "Warm",
        "clock",
        "error",
        "AWS refuses what it signs",
        lambda clinic: clinic.late(400),
    ),
    "a clock that drifts": ("Warm", "clock", "warning", "seconds off", lambda clinic: clinic.late(100)),
}
"""Each fault: the pipeline, the check that finds it, the level, a part of the message, how it is made."""

ALSO = {
    "a role that is gone": {("state machine's role", "error")},  # it may pass only the role that was
    "an image of another region": {("training role's permissions", "error")},
    "a bucket that is gone": {("training role's permissions", "error")},
}
"""What else is wrong then, and told."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_nothing_else(fault: str, clinic: Clinic) -> None:
    name, check, level, message, inject = FAULTS[fault]
    with inject(clinic):
        found = clinic.found(name)
    assert message in found[check, level]
    assert found[check, level].partition("\n")[2], "there is a way out"
    assert {*found} == {(check, level)} | ALSO.get(fault, set())
    if level == "error":
        assert clinic.found(name) == {}, "the fault is gone again"


def test_a_function_that_is_gone_is_found(clinic: Clinic) -> None:
    explain = next(arn for arn in clinic.patient("Warm").functions if "Explain" in arn)
    with clinic.another("Warm", explain, f"{explain}Gone"):
        found = clinic.found("Warm")
    assert "Gone is missing" in found["functions", "error"]


def test_what_aws_does_not_answer_is_a_warning(clinic: Clinic) -> None:
    """The doctor's own rights may not do for a check; the others go on."""
    pipeline = clinic.pipelines["Warm"]
    iam, role = clinic.client("iam"), "narrow-doctor"
    allow = {"Effect": "Allow", "Action": ["states:*", "iam:*", "lambda:*", "sts:*", "s3:*"], "Resource": "*"}
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    version = "2012-10-17"
    arn = iam.create_role(
        RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": version, "Statement": [trust]})
    )["Role"]["Arn"]
    document = json.dumps({"Version": version, "Statement": [allow]})
    iam.put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=document)
    session = clinic.platform.session_as(arn)
    narrow = PipelineEstimator(pipeline.state_machine_arn, pipeline.settings, session=session)
    lines = [line for line in examine(narrow) if line.finding.level != "ok"]
    quotas = {f"{kind} quotas" for kind in ("instance", "transform", "endpoint")}
    assert {line.check for line in lines} == {*quotas, "warm pool quota", "image"}
    assert {line.finding.level for line in lines} == {"warning"}
    assert all(line.finding.message.startswith("could not be checked: ") for line in lines)


def test_status_shows_all_pipelines_of_the_account(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The account of the session has others too."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in clinic.platform.environment().items():
        monkeypatch.setenv(name, value)
    with clinic.dead_letter():
        assert main(["status", "--json"]) == 0
    shown = {line["pipeline"]: line for line in json.loads(capsys.readouterr().out)}
    full, warm = shown["Doctor/Full"], shown["Doctor/Warm"]
    assert full["state_machine"] == clinic.pipelines["Full"].state_machine_arn
    assert (full["dead_letters"], full["waiting"], full["running"]) == (1, 0, 0)
    assert (warm["dead_letters"], warm["waiting"]) == (None, None)
    assert (full["last_status"], full["current"]) == (None, None)
    assert full["month"]["amount"] == 0, "it has not trained"
    assert main(["status", "--stack", "Doctor"]) == 0
    assert "Doctor/Tuned" in capsys.readouterr().out


def test_the_command_tells_the_same(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in clinic.platform.environment().items():
        monkeypatch.setenv(name, value)
    assert main(["doctor", "--stack", "Doctor", "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)
    assert {line["pipeline"] for line in lines} == {"Doctor/Full", "Doctor/Warm", "Doctor/Tuned"}
    assert {line["level"] for line in lines} == {"ok"}
    assert {*lines[0]} == {"pipeline", "check", "level", "message", "remedy"}
    machine = clinic.pipelines["Warm"].state_machine_arn
    with clinic.quota("ml.m5.2xlarge for training job usage", 0):
        assert main(["doctor", "--state-machine", machine]) == 1
    said = capsys.readouterr().out
    assert "  error   instance quotas: ml.m5.2xlarge for training job usage: 0" in said
    assert "Ask for more in the Service Quotas console" in said
    assert said.endswith("1 error\n")
