"""The calls of a rehearsal, judged by two IAM engines over the synthesised policies.

The first is the emulator's, which the rehearsal runs under. The second shares no code with it; it was run by
hand, as :mod:`record_verdicts` says, and its verdicts are kept.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from judged_calls import (
    Call,
    Recorded,
    digest_of,
    first_engine_allows,
    resource_policy_of,
    without_what_allows,
)
from template_policies import REHEARSED, Policies, policies_of

AGAIN = "a policy changed: record the second engine's verdicts again, as record_verdicts.py says"


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return Recorded.load()


@pytest.fixture(scope="module")
def policies() -> dict[str, Policies]:
    return {name: policies_of(name) for name in REHEARSED}


def test_the_verdicts_are_of_todays_policies(recorded: Recorded, policies: dict[str, Policies]) -> None:
    today = {name: digest_of(of_stack) for name, of_stack in policies.items()}
    assert today == recorded.digests, AGAIN
    assert recorded.engine.startswith("@cloud-copilot/iam-simulate ")
    assert len(recorded.verdicts) == len(recorded.calls)


def test_every_kind_of_call_is_there(recorded: Recorded) -> None:
    services = {call.action.partition(":")[0] for call in recorded.calls}
    assert services >= {"s3", "sagemaker", "lambda", "states", "logs", "events", "kms", "ecr", "iam", "sqs"}
    assert len(recorded.calls) > 300
    assert len({(call.role, call.action) for call in recorded.calls}) > 100


def test_both_engines_allow_what_was_allowed(recorded: Recorded, policies: dict[str, Policies]) -> None:
    differing = [
        (call, first, second)
        for call, (second, _) in zip(recorded.calls, recorded.verdicts, strict=True)
        if (first := allows(call, policies[call.stack])) is not True or second is not True
    ]
    assert differing == []


def test_both_engines_refuse_it_without_the_statements_that_allow_it(
    recorded: Recorded, policies: dict[str, Policies]
) -> None:
    differing = []
    for call, (_, second) in zip(recorded.calls, recorded.verdicts, strict=True):
        of_stack = policies[call.stack]
        left = without_what_allows(call, of_stack.roles[call.role])
        assert len(left) < len(of_stack.roles[call.role]), call
        first = first_engine_allows(call, left, resource_policy_of(call, of_stack))
        if first or second:
            differing.append((call, first, second))
    assert differing == []


def test_what_a_policy_does_not_name_is_refused(recorded: Recorded, policies: dict[str, Policies]) -> None:
    """Another action, another resource: the recorded calls are not allowed by something wider."""
    for call in recorded.calls:
        other = replace(call, action=f"{call.action}ButNot")
        assert not allows(other, policies[call.stack]), call


def allows(call: Call, of_stack: Policies) -> bool:
    """The first engine's verdict by all policies of a stack."""
    return first_engine_allows(call, of_stack.roles[call.role], resource_policy_of(call, of_stack))
