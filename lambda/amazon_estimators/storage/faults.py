"""Handle S3's faults: retry the passing ones, and raise a typed error that names call and object for the
rest."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from amazon_estimators.errors import ServiceError
from amazon_estimators.logs import retrying

T = TypeVar("T")

BODY_ATTEMPTS = 6
LONGEST_PAUSE = 20.0
"""Seconds. Pauses between attempts are random, up to a limit that doubles from half a second."""

REMEDIES = {
    "AccessDenied": "Let the function's role do this on the object; the bucket's policy, its key and "
    "the network's endpoint must allow it too.",
    "403": "Let the function's role do this on the object, and use its key.",
    "KMS.": "Enable the object's KMS key and let the function's role use it.",
    "NoSuchBucket": "Deploy the pipeline again: its bucket was deleted.",
    "NoSuchKey": "Start a new execution: it writes the object again.",
    "404": "Start a new execution: it writes the object again.",
    "InvalidObjectState": "Restore the archived object, then redrive the execution.",
    "MethodNotAllowed": "Start a new execution: the version is a delete marker now.",
}
"""What to do, by the beginning of S3's error code; for other codes, redrive the execution."""


@contextmanager
def naming(operation: str, uri: str) -> Iterator[None]:
    """Turn errors of S3 and of the connection into a ServiceError that names ``operation`` and ``uri``."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - not needed without AWS

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        remedy = next((remedy for start, remedy in REMEDIES.items() if code.startswith(start)), None)
        raise ServiceError(f"{operation} of {uri}: {error}", remedy=remedy) from error
    except BotoCoreError as error:  # includes timeouts and broken connections
        raise ServiceError(f"{operation} of {uri}: {type(error).__name__}: {error}") from error


def whole_body(read: Callable[[], T], uri: str, *, operation: str = "GetObject") -> T:
    """Call ``read`` again if the connection breaks while a body arrives; the client itself retries other
    faults."""
    from botocore.exceptions import (  # noqa: PLC0415
        HTTPClientError,
        IncompleteReadError,
        ResponseStreamingError,
    )

    for attempt in range(1, BODY_ATTEMPTS):
        try:
            return read()
        except (HTTPClientError, IncompleteReadError, ResponseStreamingError) as error:
            retrying(operation, attempt + 1, type(error).__name__, url=uri)
            time.sleep(random.uniform(0, min(LONGEST_PAUSE, 0.5 * 2**attempt)))  # noqa: S311 - jitter, not a secret
    return read()
