"""Quotas that are met at deployment, or by the first execution, are met at synth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import CfnParameter, CfnResource, CfnWaitConditionHandle, Duration, NestedStack, Stack, Stage
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template
from pipeline_stacks import REQUIRED, Synthesised, new_stack, plain

from amazon_estimators.algorithms import KMeans, LinearLearner
from amazon_estimators.errors import HyperparameterError
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.sources import Source
from cdk_amazon_estimators import TrainingPipeline, UploadTrigger, new_data_bucket, new_model_bucket
from cdk_amazon_estimators.props.stack_quotas import LARGE_TEMPLATE, MANY_POLICIES, StackQuotas
from cdk_amazon_estimators.resources import resources_below, resources_of


def synth(**props: Any) -> Synthesised:
    stack = new_stack()
    synthesised = Synthesised(stack, TrainingPipeline(stack, "Digits", **{**REQUIRED, **props}))
    assert synthesised.template
    return synthesised


def new_synth(stack: Stack) -> None:
    """Synthesise again, whatever has been cached."""
    stage = Stage.of(stack)
    assert stage is not None
    stage.synth(force=True)


def channels(length: int) -> dict[str, Source]:
    return {
        name: Source(prefix=f"{name}/{'x' * length}/", label=0) for name in ("train", "validation", "test")
    }


def test_an_event_pattern_that_is_too_long() -> None:
    learner = {
        "algorithm": LinearLearner(predictor_type="regressor"),
        "triggers": [UploadTrigger(marker="_SUCCESS")],
    }
    synth(**learner, channels=channels(200))
    with pytest.raises(
        RuntimeError, match=r"pattern of Stack/Digits/Starter/UploadTrigger/.* takes 2,\d+ char"
    ):
        synth(**learner, channels=channels(340))


def features(count: int) -> tuple[str, ...]:
    return tuple(f"measured_{number:010}" for number in range(count))


def asset_of(pipeline: Synthesised, key: str) -> Path:
    """The file that is published under ``key``."""
    stage = Stage.of(pipeline.stack)
    assert stage is not None
    return Path(stage.synth().directory, f"asset.{key}")


def settings_of(pipeline: Synthesised) -> dict[str, Any]:
    settings: dict[str, Any] = pipeline.definition["States"]["Plan"]["Parameters"]["pipeline"]
    return settings


@pytest.mark.parametrize("member", ["features", "exclude"])
def test_thousands_of_columns_go_to_s3_and_plan_may_read_them(member: str) -> None:
    named: dict[str, Any] = {member: features(20_000)}
    sources = {"train": Source(**named), "test": Source(features=("a",))}
    pipeline = synth(channels=sources)
    settings = settings_of(pipeline)
    columns = settings.pop("columns")
    stored = json.loads(asset_of(pipeline, columns["key"]).read_text(encoding="utf-8"))
    assert stored == {"train": {member: list(features(20_000))}, "test": {"features": ["a"]}}
    # The lists go nowhere else, and all the rest is where it was.
    whole = {name: Source.from_dict(one | stored[name]) for name, one in settings["channels"].items()}
    assert whole == {name: replace(one, prefix=f"input/{name}/") for name, one in sources.items()}
    assert len(json.dumps(pipeline.template)) < 100_000
    name = f"arn:aws:s3:::{columns['bucket']}/{columns['key']}"
    may = {
        role: statement["Action"]
        for policy in pipeline.of_type("AWS::IAM::Policy").values()
        for role in policy["Roles"]
        for statement in policy["PolicyDocument"]["Statement"]
        if name in statement["Resource"]
    }
    assert list(may.values()) == ["s3:GetObject"]
    assert "RecordSetEncoderPlanRole" in next(iter(may))
    assert Settings.from_dict(settings | {"columns": columns}).columns == columns


def test_some_columns_stay_in_the_definition() -> None:
    settings = settings_of(synth(channels={"train": Source(features=features(200))}))
    assert "columns" not in settings
    assert settings["channels"]["train"]["features"] == list(features(200))


def test_other_columns_are_another_object_so_that_the_settings_differ() -> None:
    keys = {
        settings_of(synth(channels={"train": Source(features=features(count))}))["columns"]["key"]
        for count in (3_000, 3_000, 3_001)
    }
    assert len(keys) == 2


def test_columns_that_only_a_deployment_knows_cannot_go_there() -> None:
    stack = new_stack()
    last = CfnParameter(stack, "Last").value_as_string
    source = Source(features=(*features(9_500), last))
    pipeline = TrainingPipeline(stack, "Digits", **{**REQUIRED, "channels": {"train": source}})
    with pytest.raises(RuntimeError, match=r"Stack/Digits: .* take 2\d\d,\d+ bytes; allowed: 204,800"):
        assert Synthesised(stack, pipeline).template


def test_an_environment_that_no_function_holds() -> None:
    synth(channels={"train": Source(skip=features(50))})
    with pytest.raises(RuntimeError, match=r"environment of .*Starter.* takes 5,\d+ bytes; allowed: 4,096"):
        synth(channels={"train": Source(skip=features(200))})


def test_seventeen_pipelines_do_not_fit_into_a_stack() -> None:
    stack = new_stack()
    shared = {
        "data_bucket": new_data_bucket(stack, "Data"),
        "model_bucket": new_model_bucket(stack, "Models"),
        "triggers": [UploadTrigger(marker="_SUCCESS"), UploadTrigger(quiet_period=Duration.minutes(5))],
    }
    for number in range(17):
        TrainingPipeline(stack, f"Digits{number}", **REQUIRED, prefix=f"{number}/", **shared)
    with pytest.raises(
        RuntimeError, match=r"\[Stack\] the stack has 5\d\d resources; allowed: 500"
    ) as raised:
        new_synth(stack)
    for text in ("nested stacks (aws_cdk.NestedStack)", "UserGuide/cloudformation-limits.html"):
        assert text in str(raised.value)


@pytest.mark.parametrize("nested", [True, False])
def test_a_nested_stack_has_the_quota_for_itself(nested: bool) -> None:
    stack = new_stack()
    for number in range(470):
        CfnWaitConditionHandle(stack, f"Filler{number}")
    pipeline = TrainingPipeline(NestedStack(stack, "More") if nested else stack, "Digits", **REQUIRED)
    assert Stack.of(pipeline.encoder) is Stack.of(pipeline)
    if nested:
        assert Synthesised(stack).template
        return
    with pytest.raises(RuntimeError, match=r"the stack has 5\d\d resources"):
        new_synth(stack)


def test_resources_of_a_nested_stack_are_not_counted_in_the_outer_one() -> None:
    """Neither are those that CDK makes inside its constructs, for which Python has no object of its own."""
    stack = new_stack()
    TrainingPipeline(stack, "Digits", **REQUIRED)
    alone = len(resources_of(stack))
    nested = NestedStack(stack, "More")
    TrainingPipeline(nested, "Digits", **REQUIRED)
    assert len(resources_of(stack)) == alone + 1
    assert len(resources_of(nested)) == alone


def test_each_resource_is_once_below_scopes_that_lie_in_each_other() -> None:
    pipeline = plain().pipeline
    assert pipeline is not None
    assert resources_below(pipeline, pipeline.data_bucket).keys() == resources_below(pipeline).keys()


@pytest.mark.parametrize(
    ("entries", "length", "warned", "refused"),
    [(7_000, 100, 0, 0), (45_000, 1, 1, 0), (10_000, 100, 0, 1)],
    ids=["fits", "with blanks", "without blanks"],
)
def test_a_template_of_more_than_a_megabyte(entries: int, length: int, warned: int, refused: int) -> None:
    """By the check alone: CDK validates such a template longer than this test wants to wait for."""
    stack = new_stack()
    for number in range(200):
        CfnWaitConditionHandle(stack, f"Filler{number}")
    content = {f"{number:06}": "x" * length for number in range(entries)}
    CfnResource(stack, "Large", type="Custom::Large", properties={"Content": {"Of": {"It": content}}})
    problems = StackQuotas(stack).validate()
    told = [str(one.data) for one in stack.node.metadata if LARGE_TEMPLATE in str(one.data)]
    assert (len(told), len(problems)) == (warned, refused)
    assert all("suppress_template_indentation=True" in one for one in told)
    assert all("bytes; allowed: 1,000,000. Put the pipelines into several" in one for one in problems)


@pytest.mark.parametrize("count", [10, 11])
def test_more_managed_policies_than_a_role_of_a_new_account_may_have(count: int) -> None:
    pipeline = plain()
    assert pipeline.pipeline is not None
    for number in range(count):
        iam.ManagedPolicy(
            pipeline.stack,
            f"Policy{number}",
            roles=[pipeline.pipeline.encoder.plan.role],
            statements=[iam.PolicyStatement(actions=["s3:GetObject"], resources=["arn:aws:s3:::mine/key"])],
        )
    assert pipeline.template
    told = [str(one.data) for one in pipeline.stack.node.metadata if MANY_POLICIES in str(one.data)]
    assert len(told) == (1 if count > 10 else 0)
    assert all(f"has {count} managed policies" in one for one in told)


def test_what_is_plain_is_far_from_any() -> None:
    from cdk_amazon_estimators.props import quotas

    pipeline = plain()
    text = Template.from_stack(pipeline.stack).to_json()
    patterns = [one["EventPattern"] for one in pipeline.of_type("AWS::Events::Rule").values()]
    assert text
    assert patterns
    assert all(quotas._length(pattern) < quotas.LONGEST_PATTERN / 4 for pattern in patterns)


@pytest.mark.parametrize("kind", ["value_as_number", "value_as_string"])
def test_a_hyperparameter_that_is_a_token_is_called_one(kind: str) -> None:
    parameter = CfnParameter(new_stack(), "K", type="Number" if kind == "value_as_number" else "String")
    with pytest.raises(HyperparameterError, match=r"for k: a CDK token, .* an integer at least 1, known"):
        KMeans(k=getattr(parameter, kind))
