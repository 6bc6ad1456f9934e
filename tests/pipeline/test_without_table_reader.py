"""Functions without the layer of the table reader do not miss it: each handler in a process that has none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pipeline_runs import Pipeline

EXECUTION = {
    "state_machine": "arn:aws:states:us-east-1:111122223333:stateMachine:digits",
    "name": "run-1",
    "start_time": "2026-01-01T00:00:00Z",
    "redrive": 0,
}
PROGRAM = """
import json, sys
sys.modules["pyarrow"] = None  # an import of it fails
from importlib import import_module
handler = import_module(f"amazon_estimators.handlers.{sys.argv[1]}").handler
json.dump(handler(json.load(sys.stdin), None), sys.stdout)
"""


@pytest.fixture
def run(emulated: tuple[str, Path]) -> Any:
    """Call a handler in a process of its own."""
    endpoint, certificate = emulated
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CA_BUNDLE": str(certificate),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }

    def call(name: str, event: dict[str, Any]) -> Any:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, name],
            input=json.dumps(event),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        *_, answer = done.stdout.splitlines()  # lines before it are metrics
        return json.loads(answer)

    return call


def test_seal_explain_and_announce_of_csv(pipeline: Pipeline, run: Any) -> None:
    pipeline.put("train/a.csv", b"1,2\n3,4\n5,6\n")
    planned = pipeline.plan("run-1")
    for item in pipeline.items(planned):
        pipeline.encode(planned, item)
    event = {"pipeline": pipeline.settings, "plan": planned, "execution": EXECUTION}
    assert run("seal", event)["hyperparameters"] == {"k": "2", "feature_dim": "2"}
    cause = json.dumps({"errorMessage": "no k", "errorType": "RequestError"})
    failure = {**event, "error": {"Error": "RequestError", "Cause": cause}, "shard": 0}
    explained = run("explain", failure)
    assert explained == {"error": "RequestError", "cause": "no k", "remedy": ""}
    assert run("announce", {**failure, "input": {}, "explained": explained})["error"] == "RequestError"


def test_all_steps_of_npy(pipeline: Pipeline, run: Any) -> None:
    pipeline.put_array("train/a.npy", np.arange(40, dtype=np.float32).reshape(10, 4))
    planned = run("plan", {"pipeline": pipeline.settings, "input": {}, "execution": EXECUTION})
    for item in pipeline.items(planned):
        one = {**{name: planned[name] for name in ("bucket", "prefix", "attempt")}, **item}
        assert run("encode", one) == {}
    event = {"pipeline": pipeline.settings, "plan": planned, "execution": EXECUTION}
    assert run("seal", event)["hyperparameters"] == {"k": "2", "feature_dim": "4"}


@pytest.mark.parametrize("name", ["plan", "encode"])
def test_where_it_is_missed_it_shows(name: str, pipeline: Pipeline, run: Any) -> None:
    """The import is blocked indeed."""
    pipeline.put("train/a.libsvm", b"0 1:1 2:2\n1 2:4\n")
    planned = pipeline.plan("run-1")
    (item,) = pipeline.items(planned)
    events = {
        "plan": {"pipeline": pipeline.settings, "input": {}, "execution": {**EXECUTION, "name": "run-2"}},
        "encode": {**{name: planned[name] for name in ("bucket", "prefix", "attempt")}, **item},
    }
    with pytest.raises(AssertionError, match="pyarrow"):
        run(name, events[name])
