"""cdk-nag's packs: a user who runs them acknowledges nothing, and what a setting meets is met by it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import Size
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from cdk_nag import (
    AwsSolutionsChecks,
    HIPAASecurityChecks,
    NIST80053R5Checks,
    PCIDSS321Checks,
    ServerlessChecks,
)
from compliance_page import PAGE, page
from endpoint_stacks import endpoint
from pipeline_stacks import OTHER_VALUES, REQUIRED, Synthesised, new_stack, plain, with_props

from cdk_amazon_estimators import RecordSetEncoder, Scaling, TrainingPipeline
from cdk_amazon_estimators.compliance import ACKNOWLEDGED, PACKS, SWITCHES, WILDCARDS, _flat
from cdk_amazon_estimators.props.function_props import NAMES

CHECKS: dict[str, Any] = dict(
    zip(
        PACKS,
        (AwsSolutionsChecks, ServerlessChecks, NIST80053R5Checks, HIPAASecurityChecks, PCIDSS321Checks),
        strict=True,
    )
)


SCALED: dict[str, Any] = {"instance_type": "ml.m5.large", "scaling": Scaling(most=2, invocations=100)}


def violations(pipeline: Synthesised, pack: str) -> set[str]:
    """The ids of the rules that are broken, without the pack's name, after a synth."""
    assert pipeline.template
    found = CHECKS[pack]().validate_scope(pipeline.stack).violations
    return {one.rule_name.removeprefix(f"{pack}-") for one in found}


def switched_on(**more: Any) -> Synthesised:
    """A pipeline with the setting of every switch."""
    stack = new_stack(region="eu-west-1")
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    topic = sns.Topic(stack, "Topic", master_key=key, enforce_ssl=True)
    vpc = OTHER_VALUES["vpc"](stack)
    encoder = RecordSetEncoder(
        stack,
        "Encoder",
        vpc=vpc,
        tracing=True,
        encryption_key=key,
        reserved_concurrency=dict.fromkeys(NAMES, 5),
        plan_memory=Size.gibibytes(3),
    )
    pipeline = TrainingPipeline(
        stack,
        "Digits",
        **REQUIRED,
        encoder=encoder,
        vpc=vpc,
        encryption_key=key,
        service_encryption_key=key,
        notification_topic=topic,
        **more,
    )
    assert pipeline.starter is not None
    pipeline.starter.alarm.add_alarm_action(actions.SnsAction(topic))
    return Synthesised(stack, pipeline)


@pytest.fixture(scope="module")
def default() -> Synthesised:
    return plain()


@pytest.fixture(scope="module")
def with_steps() -> Synthesised:
    """A pipeline with all its steps."""
    return with_props("tuning", "gate", "registration")


@pytest.mark.parametrize("pack", PACKS)
def test_nothing_more_is_found_in_the_steps_after_training(pack: str, with_steps: Synthesised) -> None:
    assert violations(with_steps, pack) - set(SWITCHES) == set()


@pytest.fixture(scope="module")
def switched() -> Synthesised:
    return switched_on()


@pytest.mark.parametrize("pack", PACKS)
def test_nothing_is_found_that_no_setting_meets(pack: str, default: Synthesised) -> None:
    assert violations(default, pack) - set(SWITCHES) == set()


@pytest.mark.parametrize("pack", PACKS)
def test_with_the_settings_nothing_is_found(pack: str, switched: Synthesised) -> None:
    assert violations(switched, pack) == set()


@pytest.mark.parametrize("pack", PACKS)
def test_nothing_is_found_of_an_endpoint_that_no_setting_meets(pack: str) -> None:
    made = endpoint(**SCALED, vpc=OTHER_VALUES["vpc"])
    assert violations(made, pack) - set(SWITCHES) == set()


def test_every_setting_meets_something(default: Synthesised) -> None:
    found = {rule for pack in PACKS for rule in violations(default, pack)}
    assert found == set(SWITCHES)


def test_every_acknowledgement_is_needed(
    default: Synthesised, switched: Synthesised, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any, each rule and each star is found."""
    monkeypatch.setattr("cdk_amazon_estimators.compliance._findings", lambda *_: iter(()))
    steps = with_props("tuning", "gate", "registration")
    bare = [plain(), switched_on(prefix="digits/"), steps, endpoint(**SCALED)]
    found = {rule for pipeline in bare for pack in PACKS for rule in violations(pipeline, pack)}
    assert {rule for finding in ACKNOWLEDGED for rule in finding.rules} <= found
    stars = [one.removeprefix("IAM5[Resource::")[:-1] for one in found if one.startswith("IAM5[Resource::")]
    assert [one for one in WILDCARDS if not any(re.fullmatch(one, star) for star in stars)] == []
    assert "*" in stars


def test_a_star_of_the_user_s_own_is_found() -> None:
    pipeline = plain()
    assert pipeline.pipeline is not None
    role = pipeline.pipeline.state_machine
    role.add_to_role_policy(iam.PolicyStatement(actions=["s3:*"], resources=["arn:aws:s3:::anything"]))
    role.add_to_role_policy(iam.PolicyStatement(actions=["dynamodb:GetItem"], resources=["*"]))
    role.add_to_role_policy(
        iam.PolicyStatement(actions=["sqs:SendMessage"], resources=["arn:aws:sqs:eu-west-1:111122223333:q*"])
    )
    assert violations(pipeline, "AwsSolutions") == {
        "IAM5[Action::s3:*]",
        "IAM5[Resource::*]",
        "IAM5[Resource::arn:aws:sqs:eu-west-1:111122223333:q*]",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a/*", "a/*"),
        ({"Ref": "B"}, "<B>"),
        ({"Fn::GetAtt": ["B", "Arn"]}, "<B.Arn>"),
        ({"Fn::Join": ["", [{"Fn::GetAtt": ["B", "Arn"]}, "/*"]]}, "<B.Arn>/*"),
        ({"Fn::ImportValue": "x"}, '{"Fn::ImportValue":"x"}'),
    ],
)
def test_resources_are_written_as_cdk_nag_writes_them(value: Any, text: str) -> None:
    assert _flat(value) == text


def test_the_page_is_that_of_the_code() -> None:
    """``python tests/constructs/compliance_page.py`` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()
