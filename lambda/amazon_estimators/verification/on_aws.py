"""Run recorded steps by TestState, and compare. It creates nothing, calls no service and needs no role.

https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amazon_estimators.verification.recorded import Recorded, Step

REFUSALS = frozenset({"InvalidDefinition", "InvalidExecutionInput", "ValidationException"})
"""Errors of TestState that say something of the step. Others, such as AccessDenied, are the caller's."""


@dataclass(frozen=True)
class Verified:
    """A step that ran on AWS, and how AWS differs from the record; empty if it does not."""

    step: Step
    differences: list[str]


def verify(states: Any, recorded: Recorded) -> Iterator[Verified]:
    """Run every recorded step.

    Args:
        states: A client of Step Functions.
        recorded: The steps.

    Raises:
        ClientError: The caller may not call ``states:TestState``, or the service is out of order.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - slow to import

    for step in recorded.steps:
        try:
            answer = states.test_state(**request_of(step, recorded.definition_texts[step.machine]))
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSALS:
                raise
            yield Verified(step, [f"AWS refuses to run it: {error.response['Error']['Message']}"])
        else:
            yield Verified(step, [*differences(step, answer)])


def request_of(step: Step, definition: str) -> dict[str, Any]:
    """Return the call of TestState for a step.

    A result is mocked as it is. SageMaker's answers are a double's, which leaves out what no state reads, so
    they are not validated against the API's model.
    """
    request: dict[str, Any] = {
        "definition": definition,
        "stateName": step.state,
        "input": json.dumps(step.input),
        "inspectionLevel": "DEBUG",
    }
    if step.context is None:
        return request
    if step.error is not None:
        request["mock"] = {"errorOutput": {"error": step.error, "cause": step.cause or ""}}
        request["stateConfiguration"] = {"retrierRetryCount": step.retries}
    else:
        (result,) = step.result or [None]
        request["mock"] = {"result": json.dumps(result), "fieldValidationMode": "NONE"}
    return {**request, "context": json.dumps(step.context)}


def differences(step: Step, answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield what AWS answers and the record does not say."""
    expected: dict[str, Any] = {"status": step.status}
    if step.status != "RETRIABLE":
        expected["nextState"] = step.next
    if step.error is not None:
        expected |= {"error": step.error, "cause": step.cause}
    for name, value in expected.items():
        if answer.get(name) != value:
            yield f"{name} is {answer.get(name)!r}, not {value!r}"
    if step.output is not None:
        yield from _different("output", step.output[0], answer.get("output"))
    inspected = answer.get("inspectionData", {})
    if step.parameters is not None and "afterParameters" in inspected:
        yield from _different("afterParameters", step.parameters[0], inspected["afterParameters"])
    wait = inspected.get("errorDetails", {}).get("retryBackoffIntervalSeconds")
    if step.wait is not None and wait is not None and wait > step.wait:
        yield f"the wait before the retry is {wait} seconds, not at most {step.wait:g}"


def _different(name: str, expected: Any, text: str | None) -> Iterator[str]:
    """Yield the first member that differs."""
    value = None if text is None else json.loads(text)
    if value == expected:
        return
    path = name
    while isinstance(expected, dict) and isinstance(value, dict):
        member = next(key for key in {**expected, **value} if expected.get(key, ...) != value.get(key, ...))
        path, expected, value = f"{path}.{member}", expected.get(member, ...), value.get(member, ...)
    yield f"{path} is {_shown(value)}, not {_shown(expected)}"


def _shown(value: Any) -> str:
    return "missing" if value is ... else json.dumps(value)[:200]
