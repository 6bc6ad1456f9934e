"""A redrive goes on: after a failure with what is missing, after an abort where it stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from deployed_pipeline import Pipeline, npy, roles

from amazon_estimators_rehearsal.follow import Ended, Entered, executions, follow

pytestmark = pytest.mark.deployed


@contextmanager
def denied(pipeline: Pipeline, role: str, action: str, resource: str) -> Iterator[None]:
    """One action on one resource taken from a role for the time of the block."""
    iam = pipeline.platform.client("iam")
    statement = {"Effect": "Deny", "Action": action, "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="Outage", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="Outage")


def role_of(pipeline: Pipeline, word: str) -> str:
    return min(roles(pipeline.platform, word), key=len)


def newest(pipeline: Pipeline) -> str:
    listed = pipeline.states.list_executions(stateMachineArn=pipeline.machine)["executions"]
    arn: str = max(listed, key=lambda one: one["startDate"])["executionArn"]
    return arn


def redrive(pipeline: Pipeline, arn: str) -> Ended:
    pipeline.states.redrive_execution(executionArn=arn)
    known = executions(pipeline.states, pipeline.machine) - {arn}
    *_, ended = follow(pipeline.states, pipeline.machine, known=known, timeout=120)
    assert isinstance(ended, Ended)
    return ended


def states_since_redrive(pipeline: Pipeline, arn: str) -> list[str]:
    """Tasks and Maps: the emulator notes no others after a redrive."""
    pages = pipeline.states.get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    at = max(place for place, event in enumerate(events) if event["type"] == "ExecutionRedriven")
    details = "stateEnteredEventDetails"
    return [event[details]["name"] for event in events[at:] if details in event]


def shard_versions(pipeline: Pipeline, plan: dict[str, Any]) -> list[int]:
    """How often each shard of a RecordSet was written."""
    prefix = f"{plan['prefix']}train/matrix_"
    found = pipeline.s3.list_object_versions(Bucket=pipeline.bucket, Prefix=prefix)["Versions"]
    keys = [one["Key"] for one in found]
    return [keys.count(key) for key in sorted(set(keys))]


def table(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(61, 3)).astype(np.float32)


def test_after_a_failure_only_what_is_missing_is_encoded(pipeline: Pipeline) -> None:
    role = role_of(pipeline, "EncoderEncode")
    with denied(pipeline, role, "s3:PutObject", f"arn:aws:s3:::{pipeline.bucket}/*/matrix_00001.pbr"):
        ended = pipeline.train_on("half.npy", npy(table(1)))
    assert ended.status == "FAILED"
    assert role in ended.cause
    arn = newest(pipeline)
    again = redrive(pipeline, arn)
    assert again.status == "SUCCEEDED", (again.error, again.cause)
    assert states_since_redrive(pipeline, arn)[:3] == ["Failed", "Plan", "Shards"]
    state = json.loads(again.output)
    # Nothing of the failure is left.
    assert state.keys() == {"input", "plan", "request", "capacity", "job", "report", "announced"}
    assert (state["plan"]["shards"], state["plan"]["shards_to_encode"]) == (2, 1)
    assert shard_versions(pipeline, state["plan"]) == [1, 1]
    assert state["job"]["TrainingJobName"].endswith("-1-0")


def test_a_user_s_error_fails_again_and_does_not_loop(pipeline: Pipeline) -> None:
    wrong = table(2)
    wrong[7, 1] = np.nan
    ended = pipeline.train_on("wrong.npy", npy(wrong))
    assert (ended.status, ended.error) == ("FAILED", "InputError")
    arn = newest(pipeline)
    again = redrive(pipeline, arn)
    assert (again.status, again.error, again.cause) == (ended.status, ended.error, ended.cause)
    path = states_since_redrive(pipeline, arn)
    assert path == ["Failed", "Plan", "Shards", "Explain", "AnnounceFailure", "Failed"]


def test_an_explanation_that_fails_keeps_the_error_and_the_redrive(pipeline: Pipeline) -> None:
    role = role_of(pipeline, "EncoderExplain")
    wrong = table(4)
    wrong[60, 2] = np.inf
    with denied(pipeline, role, "s3:ListBucket", f"arn:aws:s3:::{pipeline.bucket}"):
        ended = pipeline.train_on("wrong.npy", npy(wrong))
    assert (ended.status, ended.error) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    again = redrive(pipeline, newest(pipeline))
    assert (again.status, again.error) == ("FAILED", "InputError")
    assert "row 60" in again.cause


def test_after_an_abort_it_goes_on_where_it_stopped(pipeline: Pipeline) -> None:
    pipeline.empty(pipeline.train)
    known = executions(pipeline.states, pipeline.machine)
    pipeline.s3.put_object(Bucket=pipeline.bucket, Key=f"{pipeline.train}stop.npy", Body=npy(table(3)))
    pipeline.s3.put_object(Bucket=pipeline.bucket, Key=f"{pipeline.train}_SUCCESS")
    for event in follow(pipeline.states, pipeline.machine, known=known, timeout=120):
        if event == Entered("Shards"):
            break
    arn = newest(pipeline)
    pipeline.states.stop_execution(executionArn=arn)
    again = redrive(pipeline, arn)
    assert again.status == "SUCCEEDED", (again.error, again.cause)
    assert states_since_redrive(pipeline, arn) == ["Shards", "Seal", "Train", "Report", "Announce"]
    with pytest.raises(ClientError, match="ExecutionNotRedrivable"):
        pipeline.states.redrive_execution(executionArn=arn)
