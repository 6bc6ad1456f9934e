"""checkov's checks of templates: a user who runs it acknowledges nothing, and a setting meets what it can."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from pipeline_stacks import REPOSITORY, REQUIRED, Synthesised, new_app, new_stack, with_props
from test_examples import EXAMPLES, stack_of
from test_pipeline_nag import switched_on

from cdk_amazon_estimators import ModelEndpoint, PredictionPipeline, TrainingPipeline
from cdk_amazon_estimators.compliance import ACKNOWLEDGED, CHECKOV_SWITCHES, INTERFACES, OF_CDK

CHECKOV = REPOSITORY / ".venv" / "checkov"  # `make .venv/test.stamp` installs it from its lock


def app_stack() -> Stack:
    """The stack of app.py."""
    sys.path.insert(0, str(REPOSITORY))
    try:
        from app import AmazonEstimators
    finally:
        sys.path.remove(str(REPOSITORY))
    return AmazonEstimators(new_app(), "AmazonEstimators")


def with_all_steps() -> Stack:
    """All constructs and all their functions, and buckets that are emptied."""
    pipeline = with_props(
        *("tuning", "gate", "registration"), removal_policy=RemovalPolicy.DESTROY, auto_delete_objects=True
    )
    assert pipeline.pipeline is not None
    each: dict[str, Any] = {"model": pipeline.pipeline, "instance_type": "ml.m5.large"}
    PredictionPipeline(pipeline.stack, "Scores", **each)
    ModelEndpoint(pipeline.stack, "Endpoint", **each)
    return pipeline.stack


def with_a_topic() -> Stack:
    stack = new_stack()
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    topic = sns.Topic(stack, "Topic", master_key=key, enforce_ssl=True)
    TrainingPipeline(stack, "Digits", **REQUIRED, notification_topic=topic)
    return stack


STACKS: Mapping[str, Callable[[], Stack]] = {
    "app": app_stack,
    **{example.stem: partial(stack_of, example) for example in EXAMPLES},
    "all steps": with_all_steps,
    "topic": with_a_topic,
    "switched": lambda: switched_on().stack,
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, list[Any]]]]:
    """What checkov says of each template, by ``failed_checks`` and ``skipped_checks``.

    Two more, called ``bare …``, are templates in which nothing is acknowledged.
    """
    assert CHECKOV.is_dir(), "run `make .venv/test.stamp`"
    directory = tmp_path_factory.mktemp("templates")

    def write(name: str, stack: Stack) -> None:
        text = json.dumps(Synthesised(stack).template)
        (directory / f"{name}.template.json").write_text(text, encoding="utf-8")

    for name, make in STACKS.items():
        write(name, make())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("cdk_amazon_estimators.compliance._checks", lambda *_: iter(()))
        write("bare steps", with_all_steps())
        write("bare switched", switched_on().stack)
    options = ["--framework", "cloudformation", "--skip-download", "--compact", "--output", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "checkov.main", "--directory", str(directory), *options, "--soft-fail"],
        env={**os.environ, "PYTHONPATH": str(CHECKOV)},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    found: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for kind, checks in report["results"].items():
        for check in checks if kind.endswith("_checks") else ():
            found[check["file_path"].strip("/").removesuffix(".template.json")][kind].append(check)
    assert set(found) == {*STACKS, "bare steps", "bare switched"}
    yield found


def failed(of: Mapping[str, list[Any]]) -> set[str]:
    return {check["check_id"] for check in of["failed_checks"]}


@pytest.mark.parametrize("name", [*STACKS])
def test_nothing_is_found_that_no_setting_meets(results: Mapping[str, Any], name: str) -> None:
    assert failed(results[name]) - set(CHECKOV_SWITCHES) == set()


def test_with_the_settings_nothing_is_found(results: Mapping[str, Any]) -> None:
    assert failed(results["switched"]) == set()


def test_every_setting_meets_something(results: Mapping[str, Any]) -> None:
    assert failed(results["all steps"]) == set(CHECKOV_SWITCHES)


def test_every_acknowledgement_is_needed(results: Mapping[str, Any]) -> None:
    bare = [check for one in ("bare steps", "bare switched") for check in results[one]["failed_checks"]]
    broken = {(check["resource"].split(".")[0], check["check_id"]) for check in bare}
    needed = {(finding.kind, check) for finding in ACKNOWLEDGED for check in finding.checks}
    needed |= {("AWS::Lambda::Function", check) for check in OF_CDK.checks}
    assert needed | {("AWS::IAM::Policy", INTERFACES[0])} <= broken


def test_what_is_skipped_says_why(results: Mapping[str, Any]) -> None:
    reasons = {finding.reason for finding in (*ACKNOWLEDGED, OF_CDK)} | {INTERFACES[1]}
    told = {
        check["check_result"]["suppress_comment"]
        for name in STACKS
        for check in results[name]["skipped_checks"]
    }
    assert told == {reason for reason in told if reason in reasons}
    assert INTERFACES[1] in told
    assert OF_CDK.reason in told
