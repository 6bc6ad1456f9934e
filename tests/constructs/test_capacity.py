"""Budgets that fit the fault: the definition's own retries and waits, simulated."""

from __future__ import annotations

import heapq
import random
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from pipeline_stacks import REQUIRED, Synthesised

from amazon_estimators.pipeline.capacity import waited_seconds
from cdk_amazon_estimators import TrainingPipeline
from cdk_amazon_estimators.after_training.tuning_states import JOB as TUNING_JOB
from cdk_amazon_estimators.errors import PipelineError
from cdk_amazon_estimators.training.capacity import PAUSE
from cdk_amazon_estimators.training.job import JOB as TRAINING_JOB

THROTTLED = "Lambda.TooManyRequestsException"


def run_map(
    retriers: list[dict[str, Any]], *, shards: int, at_once: int, slots: int, seconds: float, seed: int
) -> tuple[int, float]:
    """Run a Map whose function has ``slots``: how many items run out of retries, and when the last ends."""
    retrier = next(one for one in retriers if THROTTLED in one["ErrorEquals"])
    assert retrier["JitterStrategy"] == "FULL"
    chance, waiting, tries = random.Random(seed), iter(range(shards)), [0] * shards
    agenda = [(0.0, "try", shard) for shard, _ in zip(waiting, range(at_once), strict=False)]
    running = failed = 0
    now = 0.0
    while agenda:
        now, what, shard = heapq.heappop(agenda)
        if what == "try" and running < slots:
            running += 1
            heapq.heappush(agenda, (now + seconds, "end", shard))
            continue
        if what == "try" and tries[shard] < retrier["MaxAttempts"]:
            pause = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** min(tries[shard], 60)
            tries[shard] += 1
            heapq.heappush(
                agenda, (now + chance.uniform(0, min(pause, retrier["MaxDelaySeconds"])), "try", shard)
            )
            continue
        running -= what == "end"
        failed += what == "try"
        if (following := next(waiting, None)) is not None:
            heapq.heappush(agenda, (now, "try", following))
    return failed, now


LOADS = [
    {"shards": 4_247, "slots": 8, "seconds": 10.0},
    {"shards": 100, "slots": 8, "seconds": 10.0},
    {"shards": 100, "slots": 1, "seconds": 120.0},
    {"shards": 1_000, "slots": 90, "seconds": 45.0},
]


@pytest.mark.parametrize("load", LOADS, ids=str)
def test_a_shard_waits_for_a_slot_as_long_as_it_takes(
    plain_pipeline: Synthesised, load: Mapping[str, Any]
) -> None:
    shards = plain_pipeline.definition["States"]["Shards"]
    retriers = shards["ItemProcessor"]["States"]["Encode"]["Retry"]
    # More at a time than the account has slots, as if other pipelines took what Plan left them.
    at_once = plain_pipeline.definition["States"]["Plan"]["Parameters"]["concurrency"]["most"]
    for seed in range(3):
        failed, end = run_map(retriers, at_once=at_once, seed=seed, **load)
        assert failed == 0
        # The slots are not left idle.
        assert end < 1.6 * load["shards"] / load["slots"] * load["seconds"] + 120


def test_eight_tries_were_too_few(plain_pipeline: Synthesised) -> None:
    retriers = plain_pipeline.definition["States"]["Plan"]["Retry"]
    few = [{**retrier, "MaxAttempts": 8} for retrier in retriers]
    failed, _ = run_map(few, shards=4_247, at_once=100, slots=8, seconds=10.0, seed=1)
    assert failed > 0


def holds(rule: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    """A Choice rule, as the States Language defines it."""
    if "And" in rule:
        return all(holds(one, state) for one in rule["And"])
    if "Or" in rule:
        return any(holds(one, state) for one in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], state)
    value: Any = state
    for name in rule["Variable"].removeprefix("$.").split("."):
        value = value[name]
    operators: dict[str, Callable[[Any], bool]] = {
        "StringEquals": lambda wanted: value == wanted,
        "StringMatches": lambda wanted: fnmatchcase(value, wanted.replace("[", "[[]").replace("?", "[?]")),
        "NumericEquals": lambda wanted: value == wanted,
        "NumericLessThan": lambda wanted: value < wanted,
    }
    ((operator, wanted),) = ((name, rule[name]) for name in rule if name in operators)
    return operators[operator](wanted)


QUOTA = (
    "The account-level service limit 'ml.m5.large for training job usage' is {limit} Instances, with current "
    "utilization of {used} Instances and a request delta of {asked} Instances. Please use AWS Service Quotas "
    "to request an increase for this quota. (Service: AmazonSageMaker; Status Code: 400; Error Code: "
    "ResourceLimitExceeded; Request ID: 1; Proxy: null)"
)
JOB = '{{"TrainingJobName":"digits-1","TrainingJobStatus":"Failed","FailureReason":"{reason}"}}'
NO_CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML "
    "instance type."
)
LIMIT = "SageMaker.ResourceLimitExceededException"
OTHER = "SageMaker.AmazonSageMakerException"
ERRORS = {
    "quota in use": (LIMIT, QUOTA.format(limit=4, used=3, asked=2), True),
    "by its code alone": (OTHER, QUOTA.format(limit=4, used=3, asked=2), True),
    "quota of 0": (LIMIT, QUOTA.format(limit=0, used=0, asked=1), False),
    "quota too small": (LIMIT, QUOTA.format(limit=1, used=0, asked=2), False),
    "no capacity": ("States.TaskFailed", JOB.format(reason=NO_CAPACITY), True),
    "a user's error": ("States.TaskFailed", JOB.format(reason="ClientError: no CapacityError"), False),
    "a bad request": (OTHER, "1 validation error detected", False),
    "a permission": (OTHER, "is not authorized to perform", False),
}


@pytest.mark.parametrize("case", ERRORS)
def test_only_what_time_mends_is_waited_for(plain_pipeline: Synthesised, case: str) -> None:
    error, cause, waits = ERRORS[case]
    (choice,) = plain_pipeline.definition["States"]["IsCapacity"]["Choices"]
    state = {"error": {"Error": error, "Cause": cause}, "capacity": {"waits": 0}}
    assert holds(choice, state) == waits
    # An hour by default, twelve pauses of five minutes.
    assert not holds(choice, {**state, "capacity": {"waits": 12}})
    assert holds(choice, {**state, "capacity": {"waits": 11}}) == waits


def test_the_second_wait_is_told_and_all_are_counted(plain_pipeline: Synthesised) -> None:
    states = plain_pipeline.definition["States"]
    (second,) = states["IsSecondWait"]["Choices"]
    assert [holds(second, {"capacity": {"waits": waits}}) for waits in (0, 1, 2)] == [False, True, False]
    assert (second["Next"], states["IsSecondWait"]["Default"]) == ("AnnounceWaiting", "WaitForCapacity")
    told = states["AnnounceWaiting"]
    assert told["Parameters"]["waiting.$"] == "$.error"
    assert told["Next"] == told["Catch"][0]["Next"] == "WaitForCapacity"
    assert (states["WaitForCapacity"]["Seconds"], states["WaitForCapacity"]["Next"]) == (300, "CountWait")
    assert states["CountWait"]["Parameters"] == {"waits.$": "States.MathAdd($.capacity.waits, 1)"}
    assert states["CountWait"]["Next"] == "Train"
    assert "$.capacity.waits" in states["Train"]["Parameters"]["TrainingJobName.$"]


def test_an_execution_ends_a_day_after_all_it_may_wait_for(plain_pipeline: Synthesised) -> None:
    assert plain_pipeline.definition["TimeoutSeconds"] == 86_400 + 86_400 + 3_600


@pytest.mark.parametrize(
    ("props", "text"),
    [
        ({"capacity_wait": Duration.days(4)}, "allowed: 0, for no wait, to 3 days"),
        ({"timeout": Duration.hours(1)}, "allowed: more than max_runtime, 86400"),
    ],
    ids=["capacity_wait", "timeout"],
)
def test_limits(props: Mapping[str, Any], text: str) -> None:
    with pytest.raises(PipelineError, match=text):
        TrainingPipeline(Stack(App(), "Limits"), "Digits", **REQUIRED, **props)


@pytest.mark.parametrize("name", [TRAINING_JOB.attempt, TUNING_JOB.attempt], ids=["training", "tuning"])
def test_the_wait_is_read_back_from_the_name_of_the_job(name: str) -> None:
    values = {
        "$.capacity.waits": "3",
        "$.request.job_name": "churn-1-2-0123456789",
        "$.prepared.job_name": "churn-1-2-0123456789",
    }
    fields = re.findall(r"\$[$\w.]+", name)
    assert "$.capacity.waits" in fields
    assert waited_seconds("-".join(values.get(field, "7") for field in fields)) == 900
    assert PAUSE.to_seconds() * 3 == 900
