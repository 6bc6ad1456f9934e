"""cdk-nag's AwsSolutions rules: whatever they find is here with its reason, and every reason is needed."""

from __future__ import annotations

import re

import pytest
from cdk_nag import AwsSolutionsChecks
from pipeline_stacks import Synthesised, with_props

BUCKET = r"(?:<\w+\.Arn>|arn:[^:]+:s3:::[\w-]+)"
ARN = r"arn:.+"

ACCEPTED = {
    rf"IAM5\[Resource::{BUCKET}/(\w+/)*(input/\w+|mine)/\*\]": "Keys of input are chosen by who uploads it.",
    rf"IAM5\[Resource::{BUCKET}/(\w+/)*recordsets/\*\]": "RecordSets are named when planned.",
    rf"IAM5\[Resource::{BUCKET}/(\w+/)*recordsets/\*/[\w.]+(\*|/\*)?\]": "So are these, of one step.",
    rf"IAM5\[Resource::{BUCKET}/(\w+/)*datasets/\*\.jsonl\]": "A data set is named after its content.",
    rf"IAM5\[Resource::{BUCKET}/(\w+/)*models/\*\]": "A model lies under the name of its training job.",
    rf"IAM5\[Resource::{ARN}:sagemaker:.*:training-job/digits-\w+-\*\]": "Jobs are named after executions.",
    rf"IAM5\[Resource::{ARN}:logs:.*:log-group:/aws/sagemaker/TrainingJobs:.*\*\]": "Streams: after jobs.",
    rf"IAM5\[Resource::{ARN}:states:.*:execution:.*\*\]": "The Map starts executions of this state machine.",
    rf"IAM5\[Resource::{ARN}:scheduler:.*:schedule/[\w-]+/\*\]": "Schedules of the starter's own group.",
    rf"IAM5\[Resource::{ARN}:ec2:.*:network-interface/\*\]": "They are named when they are made.",
    rf"IAM5\[Resource::{ARN}:ec2:[^:]+:\*:(subnet|security-group)/[\w-]+\]": "Of which account, ids tell.",
    r"IAM5\[Resource::\*\]": "test_star_only_where_the_service_knows_no_resource lists these actions.",
    r"S1": "Access logs go where the account wants them: pass buckets that have them.",
    r"SQS3": "The queue is the dead-letter queue of rules, which cdk-nag does not see.",
    r"L1": "The runtime is a setting of the bundle, and has a default that does not move under users.",
}


@pytest.fixture(scope="module")
def without_auto_delete() -> Synthesised:
    """Everything configured but CDK's custom resource, whose role and function are not ours."""
    return with_props("channels", "prefix", "encryption_key", "vpc", "subnets", "security_groups")


@pytest.mark.parametrize("fixture", ["plain_pipeline", "without_auto_delete"])
def test_every_finding_is_accepted_for_a_reason(fixture: str, request: pytest.FixtureRequest) -> None:
    found = {one.removeprefix("AwsSolutions-") for one in violations(request.getfixturevalue(fixture))}
    assert found
    assert [one for one in sorted(found) if not any(re.fullmatch(rule, one) for rule in ACCEPTED)] == []


def test_every_reason_is_needed(plain_pipeline: Synthesised, without_auto_delete: Synthesised) -> None:
    found = {
        one.removeprefix("AwsSolutions-")
        for pipeline in (plain_pipeline, without_auto_delete)
        for one in violations(pipeline)
    }
    assert [rule for rule in ACCEPTED if not any(re.fullmatch(rule, one) for one in found)] == []


def test_the_rules_are_at_work() -> None:
    """A wildcard nobody accepted is found."""
    from aws_cdk import aws_iam as iam

    pipeline = with_props()
    pipeline.pipeline.state_machine.add_to_role_policy(
        iam.PolicyStatement(actions=["s3:*"], resources=["arn:aws:s3:::anything/*"])
    )
    found = {one.removeprefix("AwsSolutions-") for one in violations(pipeline)}
    assert {one for one in found if not any(re.fullmatch(rule, one) for rule in ACCEPTED)} == {
        "IAM5[Action::s3:*]",
        "IAM5[Resource::arn:aws:s3:::anything/*]",
    }


def violations(pipeline: Synthesised) -> list[str]:
    return [one.rule_name for one in AwsSolutionsChecks().validate_scope(pipeline.stack).violations]
