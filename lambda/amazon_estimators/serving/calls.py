"""Call SageMaker, with errors that name the call, what it was about and who may not make it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amazon_estimators.errors import InvalidRequestError, ServiceError

REMEDIES = {
    "AccessDenied": "Let the role that the message names do this, then redrive the execution.",
    "ResourceLimitExceeded": "Ask for a higher quota in Service Quotas, or choose another instance type or "
    "fewer instances.",
}
"""What to do, by the beginning of the error's code; otherwise the execution is redriven."""
INVALID = "ValidationException"


def call(method: Callable[..., Any], about: str, **request: Any) -> Any:
    """Return a call's answer.

    Args:
        method: A client's method.
        about: What the call is about, for the error, such as the name of a model.
        request: Its parameters.

    Raises:
        InvalidRequestError: SageMaker did not accept the request: the state of something is another one.
        ServiceError: It failed in another way, beyond the client's retries.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - not needed without AWS

    operation = method.__name__
    try:
        return method(**request)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        remedy = next((remedy for start, remedy in REMEDIES.items() if code.startswith(start)), None)
        kind = InvalidRequestError if code == INVALID else ServiceError
        raise kind(f"{operation} of {about}: {error}", remedy=remedy) from error
    except BotoCoreError as error:
        raise ServiceError(f"{operation} of {about}: {type(error).__name__}: {error}") from error


def create_once(create: Callable[[], Any], exists: Callable[[], Any]) -> None:
    """Create a resource unless there is one of its name, which is then the same: its name says what it is.

    Raises:
        ServiceError: It could neither be created nor found.
    """
    try:
        create()
    except InvalidRequestError as refused:
        try:
            exists()
        except InvalidRequestError:
            raise refused from None
