"""Quotas that are met at deployment, or by the first execution, are met at synth."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import CfnParameter
from aws_cdk.assertions import Template
from pipeline_stacks import REQUIRED, Synthesised, new_stack, plain

from amazon_estimators.algorithms import KMeans, LinearLearner
from amazon_estimators.errors import HyperparameterError
from amazon_estimators.sources import Source
from cdk_amazon_estimators import TrainingPipeline, UploadTrigger


def synth(**props: Any) -> Synthesised:
    stack = new_stack()
    synthesised = Synthesised(stack, TrainingPipeline(stack, "Digits", **{**REQUIRED, **props}))
    assert synthesised.template
    return synthesised


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


def test_settings_that_no_event_holds() -> None:
    def features(count: int) -> dict[str, Any]:
        return {
            "channels": {"train": Source(features=tuple(f"measured_{number:010}" for number in range(count)))}
        }

    synth(**features(5_000))
    with pytest.raises(RuntimeError, match=r"settings take 2\d\d,\d+ bytes; allowed: 204,800"):
        synth(**features(9_500))


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
