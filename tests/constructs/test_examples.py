"""Every example synthesises, and is what it says."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack
from pipeline_stacks import REPOSITORY, Synthesised, new_app
from service_authorization import mistakes_of

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.py"))
EXPECTED: dict[str, dict[str, int]] = {
    "anomalies": {
        "AWS::StepFunctions::StateMachine": 2,
        "AWS::CloudWatch::Alarm": 2,  # of the starter, and of drift
        "AWS::S3::Bucket": 2,
    },
    "existing_account": {
        "AWS::StepFunctions::StateMachine": 2,
        "AWS::S3::Bucket": 0,
        "AWS::KMS::Key": 0,
        "AWS::EC2::VPC": 0,
    },
    "monitored": {
        "AWS::StepFunctions::StateMachine": 3,
        "AWS::CloudWatch::Alarm": 15,
        "AWS::CloudWatch::Dashboard": 1,
        "AWS::SNS::Topic": 1,
        "AWS::S3::Bucket": 2,
    },
    "recommender": {"AWS::StepFunctions::StateMachine": 2, "AWS::S3::Bucket": 2},
    "regulated": {
        "AWS::StepFunctions::StateMachine": 1,
        "AWS::EC2::VPC": 1,
        "AWS::EC2::NatGateway": 0,
        "AWS::EC2::VPCEndpoint": 9,
        "AWS::KMS::Key": 1,
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
        "AWS::CloudWatch::Alarm": 3,  # of drift, and of each starter
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
    assert mistakes_of(synthesised) == []
    kinds = [one["Type"] for one in synthesised.template["Resources"].values()]
    expected = EXPECTED[example.stem]
    assert {kind: kinds.count(kind) for kind in expected} == expected


def test_nothing_is_called_that_cdk_gives_up(tmp_path: Path) -> None:
    """app.py and the examples synthesise where CDK refuses what it has deprecated."""
    flags = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    run_all = "import runpy, sys\nfor path in sys.argv[1:]: runpy.run_path(path, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", run_all, str(REPOSITORY / "app.py"), *map(str, EXAMPLES)],
        env={
            **os.environ,
            "JSII_DEPRECATED": "fail",
            "CDK_CONTEXT_JSON": json.dumps({**flags, "aws:cdk:bundling-stacks": []}),
            "CDK_OUTDIR": str(tmp_path),
            "PYTHONPATH": os.pathsep.join(str(REPOSITORY / root) for root in ("constructs", "lambda")),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout + done.stderr
    assert not [word for word in ("deprecated", "CfnMapping") if word in told], told
    assert len(list(tmp_path.glob("*.template.json"))) == 1 + len(EXAMPLES)
