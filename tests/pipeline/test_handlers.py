"""The Lambda entry points hold to docs/contracts.md: what they take, what they return, all of it JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pipeline_runs import Pipeline

from amazon_estimators.errors import RequestError
from amazon_estimators.handlers import encode, explain, plan, seal

EXECUTION = {"name": "run-1", "start_time": "2026-01-01T00:00:00Z"}
PAYLOAD_LIMIT = 256 * 1024


@pytest.fixture
def handled(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setattr("amazon_estimators.s3.client", lambda: pipeline.s3)
    pipeline.put_array("train/a.npy", np.arange(40, dtype=np.float32).reshape(10, 4))
    return pipeline


def through_json(value: Any) -> Any:
    text = json.dumps(value)
    assert len(text) < PAYLOAD_LIMIT
    return json.loads(text)


def test_an_execution_from_event_to_event(handled: Pipeline) -> None:
    event = {"pipeline": handled.settings, "input": {"hyperparameters": {"k": "3"}}, "execution": EXECUTION}
    planned = through_json(plan.handler(event, None))
    assert planned.keys() >= {
        "bucket",
        "prefix",
        "fingerprint",
        "complete",
        "shards",
        "shards_key",
        "request",
    }
    assert (planned["complete"], planned["request"], planned["shards"]) == (False, None, 1)
    assert planned["hyperparameters"] == {"k": "3"}
    for item in handled.items(planned):
        assert item.keys() == {"shard", "offset", "length"}
        one = {"bucket": planned["bucket"], "prefix": planned["prefix"], "execution": "run-1", **item}
        assert encode.handler(one, None) == {}
    request = through_json(
        seal.handler({"pipeline": handled.settings, "plan": planned, "execution": EXECUTION}, None)
    )
    assert request.keys() == {"job_name", "hyperparameters", "input_data_config", "tags"}
    assert request["hyperparameters"] == {"k": "3", "feature_dim": "4"}
    again = through_json(plan.handler({**event, "execution": {"name": "run-2"}}, None))
    assert again["complete"]
    assert again["request"].keys() == request.keys()


def test_a_job_name_is_one_that_the_service_takes(handled: Pipeline) -> None:
    names = set()
    for execution in ("run-1", "run-2", "a" * 80):
        request = handled.train(execution)["request"]
        names.add(request["job_name"])
        assert len(f"{request['job_name']}-10-10") <= 63
    assert len(names) == 3


def test_a_user_s_error_keeps_its_name(handled: Pipeline) -> None:
    with pytest.raises(RequestError):
        plan.handler({"pipeline": handled.settings, "input": {"k": 3}, "execution": EXECUTION}, None)
    failure = {
        "error": {
            "Error": "RequestError",
            "Cause": json.dumps({"errorMessage": "no k", "errorType": "RequestError"}),
        },
        "plan": {},
        "execution": EXECUTION,
        "pipeline": handled.settings,
    }
    assert through_json(explain.handler(failure, None)) == {"error": "RequestError", "cause": "no k"}
