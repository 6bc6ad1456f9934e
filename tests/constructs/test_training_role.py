"""A role that cannot be changed is granted nothing: the synth says so, and the docs list what it needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from pipeline_stacks import PSEUDO, REPOSITORY, REQUIRED, Synthesised, new_stack, warnings, with_props

from cdk_amazon_estimators import TrainingPipeline

ARN = "arn:aws:iam::111122223333:role/Mine"
OTHERS = "arn:aws:iam::999988887777:role/Theirs"
TRUSTED = iam.ServicePrincipal("sagemaker.amazonaws.com")


NOT_GRANTED = "cdk-amazon-estimators:trainingRoleNotGranted"


@pytest.mark.parametrize(
    ("role", "warned"),
    [
        (lambda stack: None, False),
        (lambda stack: iam.Role(stack, "Role", assumed_by=TRUSTED), False),
        (lambda stack: iam.Role.from_role_arn(stack, "Role", ARN), False),
        (lambda stack: iam.Role.from_role_name(stack, "Role", "Mine"), False),
        (lambda stack: iam.LazyRole(stack, "Role", assumed_by=TRUSTED), False),
        (lambda stack: iam.Role.from_role_arn(stack, "Role", ARN, mutable=False), True),
        (lambda stack: iam.Role.from_role_arn(stack, "Role", OTHERS), True),
        (lambda stack: iam.Role(stack, "Role", assumed_by=TRUSTED).without_policy_updates(), True),
    ],
)
def test_a_role_that_is_granted_nothing_is_warned_of(role: Callable[[Stack], Any], warned: bool) -> None:
    stack = new_stack(region="eu-west-1")
    TrainingPipeline(stack, "Digits", **REQUIRED, training_role=role(stack))
    assert len(warnings(stack, NOT_GRANTED)) == warned


def test_the_warning_says_what_to_do() -> None:
    stack = new_stack(region="eu-west-1")
    role = iam.Role.from_role_arn(stack, "Role", ARN, mutable=False)
    pipeline = TrainingPipeline(stack, "Digits", **REQUIRED, training_role=role, prefix="digits/")
    (text,) = warnings(stack, NOT_GRANTED)
    assert ARN in text
    assert "docs/pipeline.md lists under 'A role of your own'" in text
    assert f"PREFIX is 'digits/', JOBS is '{pipeline.job_name_prefix}'" in text
    assert "arn:aws:ecr:eu-west-1:438346466558:repository/kmeans" in text.replace(
        "${Token[AWS.Partition.", "x"
    )


def test_a_role_without_an_arn_yet_is_named_by_its_path() -> None:
    stack = new_stack(region="eu-west-1")
    role = iam.Role(stack, "Role", assumed_by=TRUSTED).without_policy_updates()
    TrainingPipeline(stack, "Digits", **REQUIRED, training_role=role)
    (text,) = warnings(stack, NOT_GRANTED)
    assert "Token" not in text.partition(" cannot be changed")[0]
    assert "Role cannot be changed" in text


def documented(pipeline: Synthesised) -> set[tuple[str, str, str]]:
    """(action, resource, condition) as docs/pipeline.md has them, for this pipeline."""
    page = (REPOSITORY / "docs/pipeline.md").read_text(encoding="utf-8")
    section = page.partition("### A role of your own")[2].partition("\n#")[0]
    names = {
        "DATA": "<DigitsDataBucket6C5C068C>",
        "MODELS": "<DigitsModelBucketD7347822>",
        "PREFIX": "",
        "REPOSITORY": "arn:aws:ecr:REGION:438346466558:repository/kmeans",
        "KEY": "<Key961B73FD.Arn>",
        "JOBS": pipeline.pipeline.job_name_prefix if pipeline.pipeline else "",
        "SUBNET": "subnet-private",
        "GROUP": "sg-0123456789abcdef0",
        "REGION": PSEUDO["AWS::Region"],
        "ACCOUNT": PSEUDO["AWS::AccountId"],
    }
    for name, value in names.items():
        section = section.replace(name, value)
    rows = [[re.findall("`(.+?)`", cell) for cell in row.split("|")[1:4]] for row in section.splitlines()]
    return {
        (action, resource, "=".join(condition))
        for actions, resources, condition in (row for row in rows if len(row) == 3)
        for action in actions
        for resource in resources
    }


def granted(pipeline: Synthesised) -> set[tuple[str, str, str]]:
    def listed(value: Any) -> list[Any]:
        return value if isinstance(value, list) else [value]

    return {
        (action, resource, "=".join(f"{key}={listed(value)[0]}" for key, value in keys.items()))
        for statement in pipeline.statements("DigitsTrainingRole")
        for keys in [*statement.get("Condition", {}).values()] or [{}]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def test_the_docs_list_what_a_role_is_granted() -> None:
    pipeline = with_props("encryption_key", "vpc", "security_groups")
    assert documented(pipeline) == granted(pipeline)
