"""Props of ModelEndpoint: what is refused and why, what is warned of, the documented defaults."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import Duration, Environment, Size, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from endpoint_stacks import GROUPS, INSTANCE, TWO_GIB, VPC, endpoint, settings
from pipeline_stacks import OTHER_VALUES, new_app, new_stack, warnings
from test_after_training import SETTINGS, algorithm
from test_documented_defaults import documented, props

from cdk_amazon_estimators import (
    AllAtOnce,
    Canary,
    DataCapture,
    Linear,
    ModelEndpoint,
    PipelineError,
    PredictionPipeline,
    Scaling,
    Serverless,
    TrainingPipeline,
)

SERVERLESS_PAGE = "serverless-endpoints.html"
REFUSED: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "neither instances nor serverless": (
        "KMeans",
        {},
        ["neither instance_type nor serverless", "API_Product"],
    ),
    "both": ("KMeans", {**INSTANCE, **TWO_GIB}, ["instance_type and serverless given", "one of the two"]),
    "a list of types": ("KMeans", {"instance_type": ["ml.m5.large"]}, ["one type, such as 'ml.m5.large'"]),
    "no instance": ("KMeans", {**INSTANCE, "instance_count": 0}, ["instance_count is 0", "1 or more"]),
    "instances of serverless": ("KMeans", {**TWO_GIB, "instance_count": 2}, ["which has no instances"]),
    "serverless in a VPC": ("KMeans", {**TWO_GIB, "vpc": VPC}, ["vpc with serverless", SERVERLESS_PAGE]),
    "serverless and isolated": (
        "KMeans",
        {**TWO_GIB, "enable_network_isolation": True},
        ["enable_network_isolation with serverless", SERVERLESS_PAGE],
    ),
    "serverless and captured": (
        "KMeans",
        {**TWO_GIB, "data_capture": DataCapture()},
        ["data_capture with serverless", SERVERLESS_PAGE],
    ),
    "serverless with several models": (
        "KNN",
        {**TWO_GIB, "multi_model": True},
        ["multi_model with serverless", SERVERLESS_PAGE],
    ),
    **{
        f"several models of {name}": (
            name,
            {**INSTANCE, "multi_model": True},
            [f"the container of {name} does not serve several models", "multi-model-endpoints.html"],
        )
        for name in sorted(set(SETTINGS) - {"KNN", "LinearLearner", "RandomCutForest"})
    },
    **{
        f"several models of {name} on a GPU": (
            name,
            {"instance_type": "ml.g4dn.xlarge", "multi_model": True},
            ["multi_model is True on ml.g4dn.xlarge", "on CPU alone", "multi-model-endpoints.html"],
        )
        for name in ("KNN", "LinearLearner", "RandomCutForest")
    },
    "half a GiB": (
        "KMeans",
        {"serverless": Serverless(memory=Size.mebibytes(512))},
        ["Serverless.memory is", "whole GiB"],
    ),
    "too much memory": (
        "KMeans",
        {"serverless": Serverless(memory=Size.gibibytes(7))},
        ["allowed: 1 to 6 GiB", SERVERLESS_PAGE],
    ),
    "too many requests at a time": (
        "KMeans",
        {"serverless": Serverless(memory=Size.gibibytes(1), max_concurrency=201)},
        ["max_concurrency is 201; allowed: 1 to 200", SERVERLESS_PAGE],
    ),
    "more provisioned than at a time": (
        "KMeans",
        {"serverless": Serverless(memory=Size.gibibytes(1), provisioned_concurrency=6)},
        ["provisioned_concurrency is 6; allowed: 1 to max_concurrency, 5", "API_ProductionVariantServerless"],
    ),
    "a canary above half": (
        "KMeans",
        {**INSTANCE, "traffic": Canary(percent=51)},
        ["Canary.percent is 51", "1 to 50"],
    ),
    "a small step": (
        "KMeans",
        {**INSTANCE, "traffic": Linear(percent=9)},
        ["Linear.percent is 9", "10 to 50"],
    ),
    "a long wait": (
        "KMeans",
        {**INSTANCE, "traffic": Canary(wait=Duration.hours(2))},
        ["Canary.wait is 2 hours", "up to 1 hour", "API_TrafficRoutingConfig"],
    ),
    "a long bake": (
        "KMeans",
        {**INSTANCE, "traffic": AllAtOnce(bake=Duration.hours(2))},
        ["AllAtOnce.bake is 2 hours", "API_BlueGreenUpdatePolicy"],
    ),
    "longer than SageMaker deploys": (
        "KMeans",
        {**INSTANCE, "traffic": Linear(percent=10, wait=Duration.hours(1))},
        ["traffic waits 36000 seconds in all; allowed: less than 28800", "API_BlueGreenUpdatePolicy"],
    ),
    "no time to wait": (
        "KMeans",
        {**INSTANCE, "traffic": Canary(wait=Duration.minutes(30)), "timeout": Duration.minutes(20)},
        ["timeout is 1200 seconds; allowed: 1801"],
    ),
    "a short timeout": (
        "KMeans",
        {**INSTANCE, "timeout": Duration.minutes(1)},
        ["timeout is 60 seconds; allowed: 600"],
    ),
    "eleven alarms": (
        "KMeans",
        {
            **INSTANCE,
            "alarms": lambda stack: [
                cloudwatch.Alarm.from_alarm_arn(stack, f"A{n}", f"arn:aws:cloudwatch:r:1:alarm:a{n}")
                for n in range(11)
            ],
        },
        ["alarms has 11; allowed: up to 10", "API_AutoRollbackConfig"],
    ),
    "a long name": (
        "KMeans",
        {**INSTANCE, "endpoint_name": "e" * 51},
        ["up to 50 letters", "API_CreateModel"],
    ),
    "a name with a dot": ("KMeans", {**INSTANCE, "endpoint_name": "e.1"}, ["letters, digits and hyphens"]),
    "groups without a VPC": (
        "KMeans",
        {**INSTANCE, "security_groups": GROUPS},
        ["security_groups without vpc"],
    ),
    "scaling of serverless": (
        "KMeans",
        {**TWO_GIB, "scaling": Scaling(most=2, invocations=100)},
        ["scaling with serverless, which has no instances", SERVERLESS_PAGE],
    ),
    "scaling of burstable instances": (
        "KMeans",
        {"instance_type": "ml.t2.medium", "scaling": Scaling(most=2, invocations=100)},
        ["scaling on ml.t2.medium", "burstable", "endpoint-auto-scaling-policy.html"],
    ),
    "limits upside down": (
        "KMeans",
        {**INSTANCE, "scaling": Scaling(least=3, most=2, invocations=100)},
        ["least=3 and most=2; allowed: 1 <= least <= most"],
    ),
    "no requests": (
        "KMeans",
        {**INSTANCE, "scaling": Scaling(most=2, invocations=0)},
        ["Scaling.invocations is 0; allowed: 1 or more"],
    ),
    "nothing captured": (
        "KMeans",
        {**INSTANCE, "data_capture": DataCapture(percent=0)},
        ["DataCapture.percent is 0; allowed: 1 to 100", "API_DataCaptureConfig"],
    ),
    "a wrong type": (
        "KMeans",
        {**INSTANCE, "serverless": 2048},
        ["serverless is 2048; allowed: a Serverless"],
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_and_why(case: tuple[str, dict[str, Any], list[str]]) -> None:
    name, given, texts = case
    with pytest.raises(PipelineError) as error:
        endpoint(name, **given)
    for text in ("Stack/Online: ", *texts):
        assert text in str(error.value)


def test_a_pipeline_of_another_app_is_refused() -> None:
    stack = new_stack(region="eu-west-1")
    imported = TrainingPipeline.from_attributes(
        stack,
        "Theirs",
        state_machine_arn="arn:aws:states:eu-west-1:111122223333:stateMachine:theirs",
        data_bucket=OTHER_VALUES["data_bucket"](stack),
        model_bucket=OTHER_VALUES["model_bucket"](stack),
    )
    with pytest.raises(
        PipelineError, match=r"model is Stack/Theirs, a reference .*from any stack of its app\. Move this"
    ):
        ModelEndpoint(stack, "Online", model=imported, **INSTANCE)  # type: ignore[arg-type]
    with pytest.raises(PipelineError, match=r"model is Stack/Theirs, a reference .* Move this"):
        PredictionPipeline(stack, "Scores", model=imported, instance_type="ml.m5.large")  # type: ignore[arg-type]


def test_a_pipeline_of_another_stack_of_the_app_is_followed() -> None:
    """The stack that follows reads outputs of the other; the other knows nothing of it."""
    app = new_app()
    env = Environment(account="111122223333", region="eu-west-1")
    theirs, ours = Stack(app, "Theirs", env=env), Stack(app, "Ours", env=env)
    model = TrainingPipeline(theirs, "Digits", algorithm=algorithm("KMeans"), instance_type="ml.m5.large")
    PredictionPipeline(ours, "Scores", model=model, instance_type="ml.m5.large")
    ModelEndpoint(ours, "Online", model=model, **INSTANCE)
    templates = {artifact.stack_name: artifact.template for artifact in app.synth().stacks}
    assert '"StackName": "Theirs"' in json.dumps(templates["Ours"])
    assert '"StackName"' not in json.dumps(templates["Theirs"])


def test_serverless_in_china_is_refused() -> None:
    stack = new_stack(region="cn-north-1")
    model = TrainingPipeline(stack, "Digits", algorithm=algorithm("KMeans"), instance_type="ml.m5.large")
    with pytest.raises(PipelineError, match="serverless in cn-north-1; allowed: regions outside China"):
        ModelEndpoint(stack, "Online", model=model, **TWO_GIB)


WARNED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a large model": ("IPInsights", TWO_GIB, "IPInsights may not start on a serverless endpoint"),
    "a part of serverless": ("KMeans", {**TWO_GIB, "traffic": Canary()}, "AllAtOnce is safe"),
    "a type that is unknown": ("KMeans", {"instance_type": "ml.m99.large"}, "as a serving instance type"),
    "a role of another's": (
        "KMeans",
        {
            **INSTANCE,
            "execution_role": lambda stack: iam.Role.from_role_arn(
                stack, "Theirs", "arn:aws:iam::111122223333:role/theirs", mutable=False
            ),
        },
        "nothing was granted to it: the endpoint fails",
    ),
}


@pytest.mark.parametrize("case", WARNED.values(), ids=WARNED)
def test_what_is_warned_of(case: tuple[str, dict[str, Any], str]) -> None:
    name, given, text = case
    assert any(text in one for one in warnings(endpoint(name, **given).stack))


def test_an_endpoint_with_few_settings_is_warned_of_nothing() -> None:
    assert warnings(endpoint(**INSTANCE).stack) == []


def test_every_prop_is_documented_with_its_default() -> None:
    said = documented(ModelEndpoint)
    assert set(said) == set(props(ModelEndpoint))
    for subject in (ModelEndpoint, Serverless, Scaling, DataCapture, AllAtOnce, Canary, Linear):
        told = documented(subject)
        assert set(told) == set(props(subject))
        for name, parameter in props(subject).items():
            assert (told[name] is None) is (parameter.default is parameter.empty), (subject, name)
            if isinstance(parameter.default, bool | int):
                assert told[name] == repr(parameter.default), (subject, name)
    scaling = Scaling(most=2, invocations=1)
    assert scaling.scale_in_cooldown.to_minutes() == scaling.scale_out_cooldown.to_minutes() == 5
    assert Canary().wait.to_minutes() == Linear().wait.to_minutes() == 5
    assert AllAtOnce().bake.to_seconds() == Canary().bake.to_seconds() == Linear().bake.to_seconds() == 0
    plain = settings(endpoint(**INSTANCE))
    assert plain.deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"] == "ALL_AT_ONCE"
    assert plain.seconds == 3600
