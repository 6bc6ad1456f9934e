"""Define the Retry lists of the state machine's tasks."""

from __future__ import annotations

from typing import Any

AS_LONG_AS_THE_EXECUTION = 99_999_999
"""Step Functions' highest MaxAttempts: the execution's own timeout ends the waiting."""

LAMBDA_THROTTLED = ["Lambda.TooManyRequestsException"]
"""Every slot of the account's Lambda concurrency is taken. That is no failure: one will be free."""

LAMBDA_FAULTS = [
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
]
"""Faults of the service. What the library raises is a user's to mend, and never retried."""

NOT_RUN = [*LAMBDA_FAULTS, *LAMBDA_THROTTLED]
"""Lambda did not run the function."""


def retry(errors: list[str], *, seconds: int, attempts: int, longest: int) -> dict[str, Any]:
    """Return one retrier: pauses double from ``seconds`` up to ``longest``, each random up to that."""
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


def of_announcements() -> list[dict[str, Any]]:
    """Return the Retry list of a task that tells of an end: whatever fails is tried again for a while."""
    return [*of_functions(), retry(["States.ALL"], seconds=5, attempts=8, longest=300)]


def of_registry() -> list[dict[str, Any]]:
    """Return the Retry list of a call of the SDK that may be repeated: throttling and faults of the service.

    They share a name with requests that the service refuses: those are repeated in vain, and for free.
    """
    return [retry(["SageMaker.SageMakerException"], seconds=2, attempts=4, longest=60)]


def of_training() -> list[dict[str, Any]]:
    """Return the Retry list of the training job's task.

    A job name that is taken is met under the next name, which ends with the retry's number. Throttling and
    service faults share a name with requests that the service refuses: those are repeated for some minutes
    too, in vain and for free.
    """
    return [
        retry(["SageMaker.ResourceInUseException"], seconds=1, attempts=3, longest=10),
        retry(["SageMaker.AmazonSageMakerException"], seconds=2, attempts=6, longest=60),
    ]
