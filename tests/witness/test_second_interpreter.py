"""Two interpreters of the States Language run every state machine alike.

The first is the emulator's, which the rehearsal deploys to. The second is LocalStack's. They share no code.
``docs/limits.md`` lists the differences that the tests at the end pin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

import localstack_run
import pytest
from account import in_account
from botocore.exceptions import ClientError
from machines import machines
from runs import prepare, run_both
from scenarios import SCENARIOS
from traces import Trace, as_values, differences

from amazon_estimators.verification.recorded import Recorded

LONGER_THAN_A_MINUTE = {
    "Announce exhausted": 4,
    "AnnounceFailure exhausted": 4,
    "gate: rejection not announced": 4,
    "serves: Tell retried": 4,
    "serves: Tell exhausted": 4,
}
"""Waits before a retry that the emulator cuts to 60 seconds, whatever MaxDelaySeconds is."""


@pytest.fixture(scope="module")
def definitions() -> Mapping[str, dict[str, Any]]:
    return machines()


@pytest.fixture(scope="module")
def both(definitions: Mapping[str, dict[str, Any]]) -> Callable[[str], tuple[Trace, Trace]]:
    """Runs a scenario with both interpreters, once."""
    return cache(lambda name: run_both(definitions, SCENARIOS[name]))


def passes(states: list[str], through: Any) -> bool:
    rest = iter(states)
    return all(any(state == name for state in rest) for name in through)


@pytest.mark.parametrize("name", [*SCENARIOS])
def test_both_interpreters_agree(both: Callable[[str], tuple[Trace, Trace]], name: str) -> None:
    scenario, (first, second) = SCENARIOS[name], both(name)
    assert (first.error or first.status) == scenario.ends, (first.error, first.cause)
    assert passes(first.states(), scenario.through), first.states()
    found = [*differences(as_values(first), as_values(second))]
    cut = [one for one in found if one[0].endswith("/waited") and one[1] == 60.0 < one[2]]
    assert [one for one in found if one not in cut] == []
    assert len(cut) == LONGER_THAN_A_MINUTE.get(name, 0)


def test_what_verify_runs_is_of_these_machines(definitions: Mapping[str, dict[str, Any]]) -> None:
    told = "run `.venv/bin/python tests/witness/record.py`: a state machine has changed"
    assert Recorded.load().definitions == definitions, told


def test_there_are_enough() -> None:
    assert len(SCENARIOS) >= 50
    assert {scenario.machine for scenario in SCENARIOS.values()} == {
        *("train", "gate", "registration", "tuning", "all"),
        *("scores", "transform", "endpoint", "scaled"),
    }


def test_every_state_is_passed(
    definitions: Mapping[str, dict[str, Any]], both: Callable[[str], tuple[Trace, Trace]]
) -> None:
    """Every state that a machine has is passed in a machine that has it, with the same definition or not."""
    passed: dict[str, set[str]] = {}
    for name, scenario in SCENARIOS.items():
        passed.setdefault(scenario.machine, set()).update(both(name)[0].states())
    training = passed["train"] | passed["gate"] | passed["registration"] | passed["tuning"]
    for machine, definition in definitions.items():
        states = {
            name
            for name, state in definition["States"].items()
            if state["Type"] not in {"Succeed", "Fail"}  # these have no output of their own
        }
        known = training if machine in {"train", "gate", "registration", "tuning", "all"} else set()
        assert states - passed[machine] - known == set(), machine


def bare(definitions: Mapping[str, dict[str, Any]], name: str) -> tuple[list[str], str]:
    """Run a scenario with LocalStack as it is, in an account of its own: its states and how it ends."""
    execution, tasks = prepare(definitions, SCENARIOS[name])
    with in_account(tasks.account):
        trace = localstack_run.run(execution, tasks.make, corrected=False)
    return trace.states(), trace.error or trace.status


def test_localstack_lets_a_map_run_with_failed_items_succeed(
    definitions: Mapping[str, dict[str, Any]],
) -> None:
    states, ended = bare(definitions, "a damaged row")
    assert "Seal" in states
    assert ended == "RecordSetError"  # Seal finds that a shard is missing


def test_the_other_spelling_of_members_changes_nothing(
    definitions: Mapping[str, dict[str, Any]], both: Callable[[str], tuple[Trace, Trace]]
) -> None:
    """LocalStack's SDK integrations answer with VolumeSizeInGb; no state and no function reads it."""
    assert bare(definitions, "all steps") == (both("all steps")[0].states(), "SUCCEEDED")


def test_what_localstack_lacks() -> None:
    parts = localstack_run.load()
    with pytest.raises(ValueError, match="JSONL"):
        parts.input_type("JSONL")
    assert "RedriveCount" not in parts.execution_data.__annotations__
    refusal = {"Error": {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}}
    place: Any = SimpleNamespace(
        next_state_name="Plan", event_history_context=SimpleNamespace(source_event_id=0)
    )
    event = parts.function()._from_error(place, ClientError(refusal, "Invoke"))
    assert event.error_name.error_name == "Exception"  # on AWS: Lambda.TooManyRequestsException


def test_a_difference_is_found(definitions: Mapping[str, dict[str, Any]]) -> None:
    """A second interpreter that waits or retries otherwise, or gives a task another input, is told."""
    other = {**definitions, "train": _without_retries(definitions["train"])}
    scenario = SCENARIOS["Plan throttled"]
    (first, _), (_, second) = run_both(definitions, scenario), run_both(other, scenario)
    assert [*differences(as_values(first), as_values(second))]


def _without_retries(definition: Mapping[str, Any]) -> dict[str, Any]:
    states = {
        name: {key: value for key, value in state.items() if key != "Retry"}
        for name, state in definition["States"].items()
    }
    return {**definition, "States": states}
