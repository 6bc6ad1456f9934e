"""Every example synthesises, and is what it says."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack
from pipeline_stacks import REPOSITORY, Synthesised, new_app

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.py"))
EXPECTED: dict[str, dict[str, int]] = {
    "existing_account": {
        "AWS::StepFunctions::StateMachine": 2,
        "AWS::S3::Bucket": 0,
        "AWS::KMS::Key": 0,
        "AWS::EC2::VPC": 0,
    },
    "retraining": {
        "AWS::StepFunctions::StateMachine": 1,
        "AWS::Scheduler::Schedule": 1,
        "AWS::SNS::Topic": 1,
        "AWS::S3::Bucket": 2,
    },
    "screening": {
        "AWS::StepFunctions::StateMachine": 3,
        "AWS::SageMaker::ModelPackageGroup": 1,
        "AWS::CloudWatch::Alarm": 1,
        "AWS::S3::Bucket": 2,
    },
    "scoring": {
        "AWS::StepFunctions::StateMachine": 2,
        "AWS::Scheduler::Schedule": 1,
        "AWS::SNS::Topic": 1,
        "AWS::S3::Bucket": 2,
    },
    "supervised": {"AWS::StepFunctions::StateMachine": 1, "AWS::S3::Bucket": 2},
}


def stack_of(example: Path) -> Stack:
    """The one stack that the example defines, in an app of the tests."""
    defined: dict[str, Any] = runpy.run_path(str(example), run_name=example.stem)
    (kind,) = (
        one
        for one in defined.values()
        if isinstance(one, type) and issubclass(one, Stack) and one.__module__ == example.stem
    )
    return kind(new_app(), kind.__name__)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_synthesises(example: Path) -> None:
    synthesised = Synthesised(stack_of(example))
    kinds = [one["Type"] for one in synthesised.template["Resources"].values()]
    expected = EXPECTED[example.stem]
    assert {kind: kinds.count(kind) for kind in expected} == expected
