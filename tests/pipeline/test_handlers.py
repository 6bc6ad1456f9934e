"""The Lambda entry points hold to docs/contracts.md: what they take, what they return, all of it JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pipeline_runs import Pipeline

from amazon_estimators.errors import RequestError, ServiceError
from amazon_estimators.handlers import encode, explain, fail, plan, seal
from amazon_estimators.storage import s3
from amazon_estimators.storage.sessions import function_client

EXECUTION = {"name": "run-1", "start_time": "2026-01-01T00:00:00Z", "redrive": 0}
PAYLOAD_LIMIT = 256 * 1024


@pytest.fixture
def handled(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setattr("amazon_estimators.storage.s3.client", lambda: pipeline.s3)
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
        one = {**{name: planned[name] for name in ("bucket", "prefix", "attempt")}, **item}
        assert encode.handler(one, None) == {}
    request = through_json(
        seal.handler({"pipeline": handled.settings, "plan": planned, "execution": EXECUTION}, None)
    )
    assert request.keys() == {"job_name", "hyperparameters", "input_data_config", "tags", "warnings"}
    assert request["hyperparameters"] == {"k": "3", "feature_dim": "4"}
    again = through_json(plan.handler({**event, "execution": {**EXECUTION, "name": "run-2"}}, None))
    assert again["complete"]
    assert again["request"].keys() == request.keys()


def test_columns_that_lie_on_s3_are_read_as_if_they_were_in_the_settings(handled: Pipeline) -> None:
    """The RecordSet is the same, so that a channel whose list grows is not encoded again."""
    names = [f"c{number}" for number in range(4)]
    handled.put("train/b.csv", (",".join(names) + "\n1,2,3,4\n5,6,7,8\n").encode())
    event = {"pipeline": handled.settings, "input": {}, "execution": EXECUTION}
    handled.settings["channels"] = {"train": {"include": ["*.csv"], "features": ["c2", "c0"]}}
    inside = plan.handler(event, None)
    handled.settings["channels"] = {"train": {"include": ["*.csv"]}}
    assert plan.handler(event, None)["fingerprint"] != inside["fingerprint"]
    body = json.dumps({"train": {"features": ["c2", "c0"]}}).encode()
    handled.s3.put_object(Bucket=handled.bucket, Key="published/columns.json", Body=body)
    handled.settings["columns"] = {"bucket": handled.bucket, "key": "published/columns.json"}
    assert plan.handler(event, None)["fingerprint"] == inside["fingerprint"]
    # The other steps are given the settings and read no columns.
    handled.s3.delete_object(Bucket=handled.bucket, Key="published/columns.json")
    (item,) = handled.items(inside)
    one = {**{name: inside[name] for name in ("bucket", "prefix", "attempt")}, **item}
    assert encode.handler(one, None) == {}
    request = seal.handler({"pipeline": handled.settings, "plan": inside, "execution": EXECUTION}, None)
    assert request["hyperparameters"]["feature_dim"] == "2"
    with pytest.raises(ServiceError, match=r"published/columns\.json"):
        plan.handler(event, None)


def test_a_job_name_is_one_that_the_service_takes(handled: Pipeline) -> None:
    names = set()
    for execution in ("run-1", "run-2", "a" * 80):
        request = handled.train(execution)["request"]
        names.add(request["job_name"])
        assert len(f"{request['job_name']}-10-10") <= 63
    assert len(names) == 3


def test_tags_are_ones_that_the_service_takes(handled: Pipeline) -> None:
    handled.settings["pipeline"] = "Stage/" * 50 + "Ziffern (v2) für Ähnliches"
    tags = {one["Key"]: one["Value"] for one in handled.train("it's-monday!")["request"]["tags"]}
    assert tags["amazon-estimators:execution"] == "it_s-monday_"
    path = tags["amazon-estimators:pipeline"]
    assert len(path) == 256
    assert path.endswith("Stage/Ziffern _v2_ für Ähnliches")


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
    explained = through_json(explain.handler(failure, None))
    assert explained == {"error": "RequestError", "cause": "no k", "remedy": "", "redrive": 0}


@pytest.mark.parametrize("name", ["InputError", "Sandbox.Timedout", "States.ExceedToleratedFailureThreshold"])
def test_an_execution_fails_by_the_name_and_text_that_were_explained(name: str) -> None:
    explained = {"error": name, "cause": "row 7\nMend it.", "redrive": 0}
    with pytest.raises(Exception, match=r"^row 7\nMend it\.$") as raised:
        fail.handler({"explained": explained, "execution": EXECUTION}, None)
    assert type(raised.value).__name__ == name


def test_an_error_of_lambda_itself_is_not_raised_by_its_name() -> None:
    """The state machine would take it for a fault of the function that raises it, and repeat that."""
    explained = {"error": "Lambda.TooManyRequestsException", "cause": "Rate exceeded.", "redrive": 0}
    with pytest.raises(Exception, match=r"^Lambda\.TooManyRequestsException: Rate exceeded\.$") as raised:
        fail.handler({"explained": explained, "execution": EXECUTION}, None)
    assert type(raised.value).__name__ == "FunctionError"


def test_a_failure_that_was_redriven_goes_on_and_a_new_one_fails_again() -> None:
    explained = {"error": "InputError", "cause": "row 7", "redrive": 0}
    redriven = {**EXECUTION, "redrive": 1}
    assert fail.handler({"explained": explained, "execution": redriven}, None) == {}
    with pytest.raises(Exception, match="row 7"):
        fail.handler({"explained": {**explained, "redrive": 1}, "execution": redriven}, None)


def test_each_redrive_is_an_attempt_with_items_of_its_own(handled: Pipeline) -> None:
    event = {"pipeline": handled.settings, "input": {"hyperparameters": {"k": "3"}}}
    first, second = (
        plan.handler({**event, "execution": {**EXECUTION, "redrive": count}}, None) for count in (0, 1)
    )
    assert (first["attempt"], second["attempt"]) == ("run-1-0", "run-1-1")
    assert first["shards_key"] != second["shards_key"]
    assert handled.items(first) == handled.items(second)


def test_a_warm_function_makes_no_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3.client.cache_clear()
    try:
        assert s3.client() is s3.client()
        assert function_client("sts") is function_client("sts")
    finally:
        s3.client.cache_clear()
        function_client.cache_clear()
