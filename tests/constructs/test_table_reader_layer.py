"""The layer of the table reader in a template: which functions have it, and when there is a new version."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pipeline_stacks import REQUIRED, Synthesised, new_stack, plain

from amazon_estimators.algorithms import KMeans
from cdk_amazon_estimators import LambdaBundle, RecordSetEncoder, TrainingPipeline
from cdk_amazon_estimators.assets import table_reader_layer

READ_INPUT = {"plan", "encode"}
LAYER = "RecordSetEncoderTableReaderF4663C1E"


def layers(stack: Synthesised) -> dict[str, list[str]]:
    """What each function has, by the name of its handler."""
    return {
        one["Handler"].split(".")[2]: one.get("Layers", [])
        for one in stack.of_type("AWS::Lambda::Function").values()
    }


def test_only_functions_that_read_input_have_it(plain_pipeline: Synthesised) -> None:
    assert list(plain_pipeline.of_type("AWS::Lambda::LayerVersion")) == [LAYER]
    found = layers(plain_pipeline)
    assert found.keys() > READ_INPUT
    assert found == {name: [f"<{LAYER}>"] if name in READ_INPUT else [] for name in found}


def test_it_takes_no_permission(plain_pipeline: Synthesised) -> None:
    """Lambda itself reads a layer of the function's own account."""
    text = json.dumps(plain_pipeline.of_type("AWS::IAM::Policy"))
    assert set(re.findall(r"lambda:[\w*]+", text)) == {"lambda:InvokeFunction", "lambda:GetAccountSettings"}


@pytest.mark.parametrize(
    ("bundle", "runtime", "architecture"),
    [({}, "python3.12", "x86_64"), ({"python": "3.13", "platform": "arm64"}, "python3.13", "arm64")],
)
def test_it_says_for_which_functions_it_is(bundle: dict[str, Any], runtime: str, architecture: str) -> None:
    stack = new_stack()
    RecordSetEncoder(stack, "Encoder", bundle=LambdaBundle(**bundle))
    (layer,) = Synthesised(stack).of_type("AWS::Lambda::LayerVersion").values()
    assert (layer["CompatibleRuntimes"], layer["CompatibleArchitectures"]) == ([runtime], [architecture])


def test_all_pipelines_of_a_stack_share_it() -> None:
    stack = new_stack()
    TrainingPipeline(stack, "Digits", **REQUIRED)
    TrainingPipeline(stack, "Letters", **{**REQUIRED, "algorithm": KMeans(k=26)})
    assert list(Synthesised(stack).of_type("AWS::Lambda::LayerVersion")) == [LAYER]


def test_another_reader_is_another_version_and_the_same_code(
    plain_pipeline: Synthesised, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CloudFormation replaces a layer version whose content changes, and hands its functions the new one."""
    lock = tmp_path / "table_reader.txt"
    lock.write_text("pyarrow\n", encoding="utf-8")
    monkeypatch.setattr(table_reader_layer, "LOCK", lock)
    before, after = plain_pipeline.resources, plain().resources
    assert [name for name in before if before[name] != after[name]] == [LAYER]
    assert before[LAYER]["Properties"]["Content"] != after[LAYER]["Properties"]["Content"]
