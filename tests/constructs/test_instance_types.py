"""A training instance type that AWS does not have is warned of; it may be new, so the synth goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import botocore.loaders
import pytest
from aws_cdk import App, CfnParameter, Stack
from pipeline_stacks import REQUIRED, new_stack, warnings

from cdk_amazon_estimators import TrainingPipeline
from cdk_amazon_estimators.training import instance_types
from cdk_amazon_estimators.training.instance_types import UNKNOWN, types_for


def warnings_of(instance_type: str) -> list[str]:
    stack = new_stack()
    TrainingPipeline(stack, "Digits", **{**REQUIRED, "instance_type": instance_type})
    return warnings(stack, UNKNOWN)


def test_the_types_are_those_of_the_sagemaker_api() -> None:
    model = botocore.loaders.Loader().load_service_model("sagemaker", "service-2")
    assert types_for() == tuple(model["shapes"]["TrainingInstanceType"]["enum"])


@pytest.mark.parametrize("instance_type", ["ml.m5.large", "ml.c5.18xlarge", "ml.t3.medium", "ml.g4dn.xlarge"])
def test_a_type_that_is_known(instance_type: str) -> None:
    assert warnings_of(instance_type) == []


@pytest.mark.parametrize(
    ("instance_type", "near"),
    [
        ("ml.m5.huge", "ml.m5.large"),
        ("ml.zz9.large", "ml.m5.large"),
        ("ml.m5.9xlarge", "ml.m5.xlarge"),
        ("ml.c5.larg", "ml.c5.xlarge"),
    ],
)
def test_a_type_that_is_not(instance_type: str, near: str) -> None:
    (text,) = warnings_of(instance_type)
    assert f"instance_type is '{instance_type}'" in text
    assert near in text.partition("the nearest it knows: ")[2]
    assert f"botocore {botocore.__version__}" in text
    assert "If AWS has added it since, upgrade boto3 or acknowledge this warning" in text


def test_a_type_like_no_other() -> None:
    (text,) = warnings_of("ml.qqqqqqqq0.qqqqqqqq")
    assert "as a training instance type. If AWS" in text


def test_a_token_is_left_alone() -> None:
    stack = Stack(App(), "Stack")
    kind = CfnParameter(stack, "Type", default="ml.m5.huge").value_as_string
    TrainingPipeline(stack, "Digits", **{**REQUIRED, "instance_type": kind})
    assert warnings(stack, UNKNOWN) == []


def test_a_botocore_of_another_layout_warns_of_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance_types.botocore, "__file__", str(tmp_path / "__init__.py"))
    types_for.cache_clear()
    try:
        assert warnings_of("ml.m5.huge") == []
    finally:
        types_for.cache_clear()


def test_the_clients_of_botocore_are_not_loaded_for_it() -> None:
    """They take ten times as long as the list."""
    code = (
        "import sys; from cdk_amazon_estimators.training.instance_types import types_for;"
        "assert types_for(); print('botocore.loaders' in sys.modules)"
    )
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**environment}
    )
    assert done.stdout == "False\n"
