"""Define the Retry lists of the state machine's tasks."""

from __future__ import annotations

from typing import Any

AS_LONG_AS_THE_EXECUTION = 99_999_999
"""Step Functions' highest MaxAttempts: only the execution's timeout ends the waiting."""

LAMBDA_THROTTLED = ["Lambda.TooManyRequestsException"]
"""The account's Lambda concurrency is used up. This is not a failure: an execution will be free."""

LAMBDA_FAULTS = [
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
]
"""Faults of the service. The library's own errors are for users to fix, and never retried."""

NOT_RUN = [*LAMBDA_FAULTS, *LAMBDA_THROTTLED]
"""Lambda did not run the function."""

NO_ANSWER = "SageMaker.SdkClientException"
"""No answer came. Step Functions documents such a name for Lambda alone."""


def retry(errors: list[str], *, seconds: int, attempts: int, longest: int) -> dict[str, Any]:
    """Return a retrier whose pauses double from ``seconds`` to ``longest``, each random up to that limit."""
    return {
        "ErrorEquals": errors,
        "IntervalSeconds": seconds,
        "MaxAttempts": attempts,
        "BackoffRate": 2,
        "MaxDelaySeconds": longest,
        "JitterStrategy": "FULL",
    }


def of_functions() -> list[dict[str, Any]]:
    """Return the Retry list of a task that invokes a function."""
    return [
        retry(LAMBDA_THROTTLED, seconds=2, attempts=AS_LONG_AS_THE_EXECUTION, longest=60),
        retry(LAMBDA_FAULTS, seconds=2, attempts=8, longest=60),
    ]


def of_reports() -> list[dict[str, Any]]:
    """Return the Retry list of what a model can do without, such as its page: nothing waits for it long."""
    return [retry(NOT_RUN, seconds=1, attempts=3, longest=5)]


def of_announcements() -> list[dict[str, Any]]:
    """Return the Retry list of a task that announces an end: every error is retried for a while."""
    return [*of_functions(), retry(["States.ALL"], seconds=5, attempts=8, longest=300)]


def of_registry() -> list[dict[str, Any]]:
    """Return the Retry list of a repeatable SDK call, for throttling and service faults.

    They share a name with requests that the service refuses: retrying those is useless but free.
    """
    return [retry(["SageMaker.SageMakerException"], seconds=2, attempts=4, longest=60)]


def of_training() -> list[dict[str, Any]]:
    """Return the Retry list of a task that creates a job or a model.

    Throttling and service faults share a name with requests that the service refuses: those are also retried
    for some minutes, which is useless but free. A call that was obeyed and not answered is repeated too: the
    name is the same, so nothing is made twice.
    """
    return [retry(["SageMaker.AmazonSageMakerException", NO_ANSWER], seconds=2, attempts=6, longest=60)]


def of_adoptions() -> list[dict[str, Any]]:
    """Return the Retry list of a look at a job that was created a moment ago, and may not be seen yet."""
    errors = ["SageMaker.SageMakerException", "SageMaker.ResourceNotFoundException", NO_ANSWER]
    return [retry(errors, seconds=2, attempts=8, longest=60)]
