"""Every state machine of the library, with references made into names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pipeline_stacks import REQUIRED, Synthesised, new_stack, with_props

from amazon_estimators.algorithms import KMeans
from cdk_amazon_estimators import ModelEndpoint, PredictionPipeline, Scaling, TrainingPipeline


def machines() -> Mapping[str, dict[str, Any]]:
    """The definitions: training with each step and with all, predictions of both engines, endpoints."""
    stack = new_stack(region="eu-west-1")
    model = TrainingPipeline(stack, "Digits", **{**REQUIRED, "algorithm": KMeans(k=2)})
    PredictionPipeline(stack, "Scores", model=model, engine="numpy")
    PredictionPipeline(stack, "Batch", model=model, instance_type="ml.m5.large", prefix="batch/")
    ModelEndpoint(stack, "Online", model=model, instance_type="ml.m5.large")
    scaling = Scaling(most=2, invocations=100)
    ModelEndpoint(stack, "Scaled", model=model, instance_type="ml.m5.large", scaling=scaling)
    one = Synthesised(stack)
    found = {
        "train": _definition(one, "Digits"),
        "scores": _definition(one, "Scores"),
        "transform": _definition(one, "Batch"),
        "endpoint": _definition(one, "Online"),
        "scaled": _definition(one, "Scaled"),
    }
    for step in ("gate", "registration", "tuning"):
        found[step] = _definition(with_props(step), "Digits")
    return {**found, "all": _definition(with_props("tuning", "gate", "registration"), "Digits")}


def _definition(made: Synthesised, construct_id: str) -> dict[str, Any]:
    (text,) = (
        machine["DefinitionString"]
        for name, machine in made.of_type("AWS::StepFunctions::StateMachine").items()
        if name.startswith(construct_id)
    )
    text = re.sub(r"<(\w+)\.Arn>", r"arn:aws:lambda:eu-west-1:111122223333:function:\1", text)
    definition: dict[str, Any] = json.loads(re.sub(r"<(\w+)>", lambda match: match[1].lower(), text))
    return definition


def buckets(definition: Mapping[str, Any]) -> set[str]:
    """The names of the buckets that a definition names."""
    return set(re.findall(r"\bdigits(?:data|model)bucket\w+", json.dumps(definition)))
