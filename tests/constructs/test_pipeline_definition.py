"""The state machine: all states it names are there, a linter finds nothing, errors are explained."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from pipeline_stacks import Synthesised, states_of

from amazon_estimators.pipeline.explain import as_exception


def dangling(definition: Mapping[str, Any]) -> list[str]:
    """``state -> name`` for each name of a state that is not there."""
    return [
        f"{name} -> {target}"
        for name, state, siblings in states_of(definition)
        for target in targets_of(state)
        if target not in siblings
    ]


def targets_of(state: Mapping[str, Any]) -> Iterator[str]:
    for holder in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        yield from (holder[key] for key in ("Next", "Default") if key in holder)


def lint_definition(definition: Mapping[str, Any]) -> list[str]:
    """cfn-lint's findings on the definition as one literal; its rule E3601 skips one joined from pieces."""
    text = re.sub(
        r"<(\w+)\.Arn>", r"arn:aws:lambda:eu-west-1:111122223333:function:\1", json.dumps(definition)
    )
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "RoleArn": "arn:aws:iam::111122223333:role/role",
                    "DefinitionString": text,
                },
            }
        },
    }
    found = lint(json.dumps(template), config=ManualArgs(regions=["eu-west-1"]))
    return [f"{one.rule.id} {one.message}" for one in found]


FIXTURES = pytest.mark.parametrize("fixture", ["plain_pipeline", "configured_pipeline"])


@FIXTURES
def test_every_state_that_is_named_is_there(fixture: str, request: pytest.FixtureRequest) -> None:
    definition = request.getfixturevalue(fixture).definition
    assert dangling(definition) == []
    assert definition["StartAt"] in definition["States"]


@FIXTURES
def test_the_linter_finds_nothing(fixture: str, request: pytest.FixtureRequest) -> None:
    assert lint_definition(request.getfixturevalue(fixture).definition) == []


def test_both_checks_find_what_is_broken(plain_pipeline: Synthesised) -> None:
    broken = copy.deepcopy(plain_pipeline.definition)
    broken["States"]["Seal"]["Next"] = "Nowhere"
    assert dangling(broken) == ["Seal -> Nowhere"]
    broken = copy.deepcopy(plain_pipeline.definition)
    broken["States"]["IsComplete"]["Default"] = "Nowhere"
    assert dangling(broken) == ["IsComplete -> Nowhere"]
    broken = copy.deepcopy(plain_pipeline.definition)
    broken["States"]["Explain"]["Catch"][0]["Next"] = "Nowhere"
    assert dangling(broken) == ["Explain -> Nowhere"]
    broken = copy.deepcopy(plain_pipeline.definition)
    del broken["States"]["Seal"]["Resource"]
    assert any(one.startswith("E3601") for one in lint_definition(broken))


def test_the_way_through(plain_pipeline: Synthesised) -> None:
    states = plain_pipeline.definition["States"]
    assert plain_pipeline.definition["StartAt"] == "Start"
    path, name = [], "Start"
    while name:
        path.append(name)
        name = states[name].get("Next") or states[name].get("Default")
    assert path == [
        "Start",
        "Plan",
        "IsComplete",
        "Shards",
        "Seal",
        "BeginTraining",
        "Train",
        "Report",
        "Announce",
        "Done",
    ]
    (choice,) = states["IsComplete"]["Choices"]
    assert (choice["Variable"], choice["BooleanEquals"], choice["Next"]) == ("$.plan.complete", True, "Reuse")
    assert states["Reuse"]["Next"] == "BeginTraining"


def test_every_error_is_explained_and_explanations_that_fail_keep_the_error(
    plain_pipeline: Synthesised,
) -> None:
    states = plain_pipeline.definition["States"]
    for name in ("Plan", "Shards", "Seal", "Train"):
        after = "IsCapacity" if name == "Train" else "Explain"
        caught = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": after}
        assert states[name]["Catch"][-1] == caught, name
    assert states["IsCapacity"]["Default"] == "Explain"
    # Explain or not, the failure is told of, and told of or not, the execution fails with it.
    (last,) = states["Explain"]["Catch"]
    told = {"error.$": "$.error.Error", "cause.$": "$.error.Cause"}
    assert states[last["Next"]]["Parameters"].items() >= told.items()
    for name in ("Explain", last["Next"]):
        assert states[name]["Next"] == "AnnounceFailure"
        assert states[name]["ResultPath"] == "$.explained"
    assert states["AnnounceFailure"]["Next"] == states["AnnounceFailure"]["Catch"][0]["Next"] == "Failed"
    assert states["Announce"]["Next"] == states["Announce"]["Catch"][0]["Next"] == "Done"


def test_without_a_report_the_model_is_announced_all_the_same(plain_pipeline: Synthesised) -> None:
    state = plain_pipeline.definition["States"]["Report"]
    assert state["Next"] == "Announce"
    assert state["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.report", "Next": "Announce"}]
    assert state["ResultPath"] == "$.report"
    # Nobody waits for it: 1 + 2 + 4 seconds of pauses, and a minute for each attempt.
    (retry,) = state["Retry"]
    assert (retry["MaxAttempts"], retry["MaxDelaySeconds"]) == (3, 5)
    (function,) = [
        one
        for one in plain_pipeline.of_type("AWS::Lambda::Function").values()
        if one["Handler"] == "amazon_estimators.handlers.report.handler"
    ]
    assert function["Timeout"] == 60


def test_a_failure_ends_in_a_task_so_that_a_redrive_starts_over_from_plan(
    plain_pipeline: Synthesised,
) -> None:
    states = plain_pipeline.definition["States"]
    failed, (unraised,) = states["Failed"], states["Failed"]["Catch"]
    assert failed["Type"] == "Task"
    redriven = states[failed["Next"]]
    assert redriven["Parameters"] == states["Start"]["Parameters"] | {"input.$": "$.input"}
    assert redriven["Next"] == "Plan"
    assert failed["ResultPath"] is None
    count = {"redrive.$": "$$.Execution.RedriveCount"}
    assert failed["Parameters"]["execution"].items() >= count.items()
    assert states["Explain"]["Parameters"]["execution"].items() >= count.items()
    assert states["Unexplained"]["Parameters"].items() >= count.items()
    # What it raises must fail the execution: repeated and caught is only that it could not run.
    unrun = [name for retrier in failed["Retry"] for name in retrier["ErrorEquals"]]
    for name in {*unraised["ErrorEquals"], *unrun}:
        assert type(as_exception(name, "")).__name__ == "FunctionError"
    assert "FunctionError" not in unraised["ErrorEquals"] + unrun
    assert "Lambda.Unknown" not in unraised["ErrorEquals"]
    anyway = states[unraised["Next"]]
    assert (anyway["Type"], anyway["ErrorPath"], anyway["CausePath"]) == (
        "Fail",
        "$.explained.error",
        "$.explained.cause",
    )


def test_retries_are_for_faults_of_services_with_jitter_and_a_cap(plain_pipeline: Synthesised) -> None:
    retried = set()
    for _, state, _ in states_of(plain_pipeline.definition):
        for retry in state.get("Retry", ()):
            retried |= set(retry["ErrorEquals"])
            assert retry["JitterStrategy"] == "FULL"
            assert retry["MaxDelaySeconds"] <= 900
            # Throttling is no failure: it waits as long as the execution may.
            throttled = retry["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
            assert (retry["MaxAttempts"] == 99_999_999) if throttled else (retry["MaxAttempts"] <= 8)
        if state["Type"] == "Task":
            assert state["Retry"]
    assert "Lambda.TooManyRequestsException" in retried
    # What is told by Announce is told whatever fails: an execution that succeeded in silence loses a model.
    assert all(one.startswith(("Lambda.", "SageMaker.")) for one in retried - {"States.ALL"})
    everything = {
        name
        for name, state, _ in states_of(plain_pipeline.definition)
        if any(retry["ErrorEquals"] == ["States.ALL"] for retry in state.get("Retry", ()))
    }
    assert everything == {"Announce", "AnnounceFailure"}
    # These two would repeat what a user has to mend.
    assert not retried & {"Lambda.Unknown", "Lambda.ResourceNotFoundException"}


def test_the_map_is_bounded_and_reads_the_list_of_shards(plain_pipeline: Synthesised) -> None:
    shards = plain_pipeline.definition["States"]["Shards"]
    assert shards["MaxConcurrencyPath"] == "$.plan.at_once"
    assert plain_pipeline.definition["States"]["Plan"]["Parameters"]["concurrency"] == {"most": 100}
    assert shards["ItemReader"] == {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSONL"},
        "Parameters": {"Bucket.$": "$.plan.bucket", "Key.$": "$.plan.shards_key"},
    }
    assert shards["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    assert shards["ResultPath"] is None
    assert not {"ToleratedFailurePercentage", "ToleratedFailureCount"} & set(shards)


def test_events_of_the_functions_are_those_of_the_contract(plain_pipeline: Synthesised) -> None:
    states = plain_pipeline.definition["States"]
    execution = {
        "name.$": "$$.Execution.Name",
        "start_time.$": "$$.Execution.StartTime",
        "redrive.$": "$$.Execution.RedriveCount",
        "state_machine.$": "$$.StateMachine.Id",
    }
    settings = states["Plan"]["Parameters"]["pipeline"]
    assert states["Plan"]["Parameters"] == {
        "pipeline": settings,
        "input.$": "$.input",
        "execution": execution,
        "concurrency": {"most": 100},
    }
    assert states["Seal"]["Parameters"] == {"pipeline": settings, "plan.$": "$.plan", "execution": execution}
    assert states["Explain"]["Parameters"] == {
        "pipeline": settings["pipeline"],
        "plan.$": "$.plan",
        "error.$": "$.error",
        "execution": execution,
    }
    paths = ("bucket", "prefix", "attempt", "execution", "shard", "offset", "length")
    assert set(states["Shards"]["ItemSelector"]) == {"pipeline", *(f"{name}.$" for name in paths)}
    # In the Map's own executions $$.Execution is another one's: the selector is read in this one.
    assert states["Shards"]["ItemSelector"]["execution.$"] == "$$.Execution.Name"


def test_the_functions_understand_the_settings(configured_pipeline: Synthesised) -> None:
    """What is written at synth time is what the run time reads."""
    from amazon_estimators.pipeline.settings import Settings

    settings = Settings.from_dict(configured_pipeline.definition["States"]["Plan"]["Parameters"]["pipeline"])
    assert settings.algorithm_for({}).hyperparameters() == {"k": "10"}
    assert (settings.prefix, settings.instance_count) == ("digits/", 2)
    assert settings.target_shard_bytes == 64 * 2**20
    assert settings.channels["train"].prefix == "mine/"
    assert settings.channels["train"].label == 0
    assert settings.channels["test"].prefix == "digits/input/test/"


def test_job_names_match_the_service_and_the_permission(plain_pipeline: Synthesised) -> None:
    prefix = plain_pipeline.pipeline.job_name_prefix
    assert len(prefix) <= 30
    assert all(part.isalnum() for part in prefix.split("-"))
    # prefix, 8 of the fingerprint, 10 of the execution; redrives (1,000 at most), waits and retries
    assert len(prefix) + len("-12345678-1234567890") + len("-1000-864-6") <= 63
