"""The metrics of Plan and Seal: what the steps themselves found, once per step, and never of a failed one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pipeline_runs import Pipeline

from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.handlers import encode, plan, seal
from amazon_estimators.pipeline.step_metrics import FACTS, SHARDS_REUSED, STEP, STEP_SECONDS, measured

MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:Digits"


def execution(name: str) -> dict[str, Any]:
    return {"name": name, "start_time": "2026-01-01T00:00:00Z", "redrive": 0, "state_machine": MACHINE}


@pytest.fixture
def handled(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setattr("amazon_estimators.storage.s3.client", lambda: pipeline.s3)
    for name in ("a", "b"):
        pipeline.put_array(f"train/{name}.npy", np.arange(40, dtype=np.float32).reshape(10, 4))
    return pipeline


def written(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """The metrics of the lines on standard output, those of a step as ``Step.StepSeconds``."""
    found: dict[str, float] = {}
    for line in map(json.loads, capsys.readouterr().out.splitlines()):
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert line["StateMachineArn"] == MACHINE
        assert directive["Dimensions"] == [["StateMachineArn", *([STEP] if STEP in line else [])]]
        for metric in directive["Metrics"]:
            name = f"{line[STEP]}.{metric['Name']}" if STEP in line else metric["Name"]
            assert name not in found
            found[name] = line[metric["Name"]]
    return found


def test_plan_and_seal_tell_what_they_found(handled: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    event = {"pipeline": handled.settings, "input": {"hyperparameters": {"k": "3"}}}
    planned = plan.handler({**event, "execution": execution("one")}, None)
    of_plan = written(capsys)
    assert of_plan.pop(f"Plan.{STEP_SECONDS}") > 0
    assert of_plan == {
        "InputObjects": 2,
        "InputBytes": sum(len(handled.get(f"input/train/{name}.npy")) for name in ("a", "b")),
        "ShardsEncoded": 1,
        "ShardsReused": 0,
    }
    for item in handled.items(planned):
        encode.handler({**{name: planned[name] for name in ("bucket", "prefix", "attempt")}, **item}, None)
    assert capsys.readouterr().out == ""
    seal.handler({"pipeline": handled.settings, "plan": planned, "execution": execution("one")}, None)
    of_seal = written(capsys)
    assert of_seal.pop(f"Seal.{STEP_SECONDS}") > 0
    assert 0 < of_seal.pop(f"Encode.{STEP_SECONDS}") < 60
    assert (of_seal["Records"], of_seal["RowsDropped"]) == (20, 0)
    assert of_seal["RecordBytes"] > 20 * 4 * 4
    assert {*of_plan, *of_seal} == {
        SHARDS_REUSED,
        *(name for facts in FACTS.values() for name, _ in facts.values()),
    }
    plan.handler({**event, "execution": execution("two")}, None)
    again = written(capsys)
    assert (again["ShardsEncoded"], again["ShardsReused"]) == (0, 1)


def test_a_step_that_fails_has_no_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    @measured("Plan")
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        raise AmazonEstimatorsError("no", remedy="")

    with pytest.raises(AmazonEstimatorsError):
        handler({"execution": execution("one")}, None)
    assert capsys.readouterr().out == ""


def test_a_call_by_hand_has_none_either(capsys: pytest.CaptureFixture[str]) -> None:
    assert measured("Plan")(lambda event, context: {"done": True})({}, None) == {"done": True}
    assert capsys.readouterr().out == ""
