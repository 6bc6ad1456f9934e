"""A job whose creation was not answered: the states that adopt it leave what ``.sync`` does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import Duration
from pipeline_stacks import Synthesised, with_props

from cdk_amazon_estimators import PredictionPipeline
from cdk_amazon_estimators.after_training.tuning_states import JOB as TUNING
from cdk_amazon_estimators.predictions.transform import JOB as TRANSFORM
from cdk_amazon_estimators.training.job import JOB as TRAINING

IN_USE = "SageMaker.ResourceInUseException"
KINDS = {"Train": TRAINING, "Tune": TUNING, "Transform": TRANSFORM}
EVENTS_OF_A_LOOK = 9
"""Task: entered, scheduled, started, succeeded, exited. Choice and Wait: entered, exited."""


def states_with(made: Synthesised, task: str) -> dict[str, Any]:
    """The states of the machine that has the task."""
    machines = made.of_type("AWS::StepFunctions::StateMachine").values()
    (states,) = (
        states
        for states in (json.loads(machine["DefinitionString"])["States"] for machine in machines)
        if task in states
    )
    return dict(states)


@pytest.fixture(scope="module")
def machines() -> dict[str, dict[str, Any]]:
    """The states around each task that runs a job."""
    training = with_props()
    assert training.pipeline is not None
    PredictionPipeline(training.stack, "Scores", model=training.pipeline, instance_type="ml.m5.large")
    tuning = with_props("tuning")
    return {task: states_with(tuning if task == "Tune" else training, task) for task in KINDS}


@pytest.mark.parametrize("task", KINDS)
def test_a_name_is_repeated_by_retries_and_by_nothing_else(
    machines: dict[str, dict[str, Any]], task: str
) -> None:
    """A redrive or another wait for capacity has another name; a retry has the same."""
    states, job = machines[task], KINDS[task]
    name = states[task]["Parameters"][f"{job.noun}Name.$"]
    assert name == f"States.Format('{{}}-{{}}-{{}}', {job.name}, $$.Execution.RedriveCount, $.capacity.waits)"
    assert states["Adopt"]["Parameters"] == {f"{job.noun}Name.$": name}
    # A state that enters the task again has counted before: a wait, or a redrive, which Failed alone lets by.
    into = [one for one, state in states.items() if task in (state.get("Next"), state.get("Default"))]
    begin = "BeginTransform" if task == "Transform" else "BeginTraining"
    assert set(into) <= {begin, "CountWait", "HasParent"}


@pytest.mark.parametrize("task", KINDS)
def test_a_taken_name_is_not_retried_but_adopted(machines: dict[str, dict[str, Any]], task: str) -> None:
    state = machines[task][task]
    retried = {error for retrier in state["Retry"] for error in retrier["ErrorEquals"]}
    assert IN_USE not in retried
    assert {"SageMaker.AmazonSageMakerException", "SageMaker.SdkClientException"} <= retried
    taken, other = state["Catch"]
    assert (taken["ErrorEquals"], taken["Next"]) == ([IN_USE], "Adopt")
    assert (other["ErrorEquals"], other["Next"]) == (["States.ALL"], "IsCapacity")


@pytest.mark.parametrize("task", KINDS)
def test_an_adopted_job_leaves_what_sync_leaves_and_fails_as_sync_fails(
    machines: dict[str, dict[str, Any]], task: str
) -> None:
    states, job = machines[task], KINDS[task]
    adopted = states["Adopted"]
    assert adopted["InputPath"] == "$.adopted"
    assert adopted.get("Parameters") == states[task].get("ResultSelector")
    assert (adopted["ResultPath"], adopted["Next"]) == (states[task]["ResultPath"], states[task]["Next"])
    describe = states["DescribeAdopted"]
    assert describe["Resource"].endswith(f":aws-sdk:sagemaker:describe{job.noun}")
    assert describe["Parameters"] == {f"{job.noun}Name.$": f"$.adopted.{job.noun}Name"}
    failed = states["AdoptedFailed"]
    assert failed["Parameters"]["Error"] == "States.TaskFailed"
    assert (failed["ResultPath"], failed["Next"]) == ("$.error", "IsCapacity")
    assert [catch["Next"] for catch in describe["Catch"]] == ["IsCapacity"]


def ended(states: dict[str, Any], variable: str, status: str) -> str:
    """Where a status leads."""
    for choice in states["HasAdoptedEnded"]["Choices"]:
        for rule in choice.get("Or", [choice]):
            assert rule["Variable"] == variable
            if rule["StringEquals"] == status:
                return str(choice["Next"])
    return str(states["HasAdoptedEnded"]["Default"])


@pytest.mark.parametrize("task", KINDS)
def test_every_status_leads_somewhere(machines: dict[str, dict[str, Any]], task: str) -> None:
    variable = f"$.adopted.{KINDS[task].noun}Status"
    statuses = ("InProgress", "Stopping", "Completed", "Failed", "Stopped", "Deleting", "DeleteFailed")
    assert [ended(machines[task], variable, status) for status in statuses] == [
        *["WaitForAdopted"] * 2,
        "Adopted",
        *["AdoptedFailed"] * 4,
    ]


@pytest.mark.parametrize("days", [2, 30, 365])
def test_looks_fit_into_the_history_of_an_execution(days: int) -> None:
    """Half of its 25,000 events are left for the rest: waits for capacity, for one."""
    states = with_props(timeout=Duration.days(days)).definition["States"]
    looks = days * 86_400 / states["WaitForAdopted"]["Seconds"]
    assert looks * EVENTS_OF_A_LOOK <= 25_000 / 2


def test_a_short_execution_looks_once_a_minute() -> None:
    states = with_props(timeout=Duration.hours(3), max_runtime=Duration.hours(1)).definition["States"]
    assert states["WaitForAdopted"]["Seconds"] == 60
