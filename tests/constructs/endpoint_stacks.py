"""Endpoints for the tests of the constructs."""

from __future__ import annotations

import json
from typing import Any

from aws_cdk import Size
from pipeline_stacks import OTHER_VALUES, Synthesised, new_stack
from test_after_training import algorithm, channels

from amazon_estimators.serving.settings import EndpointSettings
from cdk_amazon_estimators import ModelEndpoint, Serverless, TrainingPipeline

VPC, GROUPS = OTHER_VALUES["vpc"], OTHER_VALUES["security_groups"]
INSTANCE: dict[str, Any] = {"instance_type": "ml.m5.large"}
TWO_GIB: dict[str, Any] = {"serverless": Serverless(memory=Size.gibibytes(2))}


def endpoint(name: str = "KMeans", *, pipeline: dict[str, Any] | None = None, **given: Any) -> Synthesised:
    """An endpoint ``Online`` of a pipeline ``Digits``; props may be functions of the stack."""
    stack = new_stack(region="eu-west-1")
    model = TrainingPipeline(
        stack,
        "Digits",
        algorithm=algorithm(name),
        instance_type="ml.m5.large",
        channels=channels(name),
        triggers=[],
        **{key: value(stack) if callable(value) else value for key, value in (pipeline or {}).items()},
    )
    made = {key: value(stack) if callable(value) else value for key, value in given.items()}
    ModelEndpoint(stack, "Online", model=model, **made)
    return Synthesised(stack, model)


def definition(made: Synthesised) -> dict[str, Any]:
    """The endpoint's state machine."""
    (machine,) = (
        one
        for name, one in made.of_type("AWS::StepFunctions::StateMachine").items()
        if name.startswith("Online")
    )
    found: dict[str, Any] = json.loads(machine["DefinitionString"])
    return found


def settings(made: Synthesised) -> EndpointSettings:
    """The settings, as the functions read them."""
    return EndpointSettings.from_dict(definition(made)["States"]["Deploy"]["Parameters"]["endpoint"])
