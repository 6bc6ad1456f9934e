"""Tell AWS's errors as ours: what does not exist, is taken or is not allowed, with the way out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from amazon_estimators.errors import AmazonEstimatorsError, InputError, RequestError, ServiceError

CREDENTIALS = "Sign in (aws sso login, aws configure), or name a --profile that may."
REGION = "Name the --region, or set AWS_DEFAULT_REGION."
GONE = frozenset({"404", "NoSuchKey", "NoSuchBucket"})

BY_CLASS: Mapping[str, tuple[type[AmazonEstimatorsError], str]] = MappingProxyType(
    {
        "NoCredentialsError": (RequestError, CREDENTIALS),
        "PartialCredentialsError": (RequestError, CREDENTIALS),
        "CredentialRetrievalError": (RequestError, CREDENTIALS),
        "TokenRetrievalError": (RequestError, CREDENTIALS),
        "SSOTokenLoadError": (RequestError, CREDENTIALS),
        "UnauthorizedSSOTokenError": (RequestError, CREDENTIALS),
        "ProfileNotFound": (RequestError, "aws configure list-profiles shows the profiles there are."),
        "NoRegionError": (RequestError, REGION),
        "EndpointConnectionError": (ServiceError, "Check the network, and that the region exists."),
        "ConnectTimeoutError": (ServiceError, "Check the network, and that the region exists."),
        "ReadTimeoutError": (ServiceError, "Try again."),
    }
)
"""What botocore raises itself, by class, with the way out."""

BY_CODE: Mapping[str, tuple[type[AmazonEstimatorsError], str]] = MappingProxyType(
    {
        "ExecutionDoesNotExist": (
            RequestError,
            "Leave --execution out for the newest; amazon-estimators status lists the pipelines.",
        ),
        "ExecutionAlreadyExists": (
            RequestError,
            "The name is taken by an execution of the last 90 days: choose another --name.",
        ),
        "StateMachineDoesNotExist": (
            RequestError,
            "amazon-estimators status lists the pipelines of this account and region.",
        ),
        "InvalidArn": (
            RequestError,
            "Give the whole ARN: arn:aws:states:<region>:<account>:stateMachine:<name>.",
        ),
        "ExecutionNotRedrivable": (RequestError, "Start another execution."),
        "NoSuchBucket": (RequestError, "Check the bucket's name and the region."),
        "NoSuchKey": (InputError, "Check the URI."),
        "NoSuchEntity": (
            RequestError,
            "Check the role's name; aws iam list-roles shows the roles.",
        ),
        "ResourceNotFound": (RequestError, "Check the name and the region."),
        "ResourceNotFoundException": (RequestError, "Check the name and the region."),
        "ResourceInUse": (RequestError, "The name is taken: choose another."),
        "ResourceLimitExceeded": (
            ServiceError,
            "amazon-estimators doctor compares the account's quotas with what pipelines need.",
        ),
        "QueueDoesNotExist": (RequestError, "Deploy the stack again."),
        "ExpiredToken": (RequestError, CREDENTIALS),
        "ExpiredTokenException": (RequestError, CREDENTIALS),
        "InvalidClientTokenId": (RequestError, CREDENTIALS),
        "UnrecognizedClientException": (RequestError, CREDENTIALS),
        "RequestTimeTooSkewed": (RequestError, "Set the clock of this machine by NTP."),
        "SignatureDoesNotMatch": (RequestError, f"Set the clock of this machine by NTP. {CREDENTIALS}"),
        "AccessDenied": (RequestError, f"Ask for the permission it names. {CREDENTIALS}"),
        "AccessDeniedException": (RequestError, f"Ask for the permission it names. {CREDENTIALS}"),
        "Throttling": (ServiceError, "Try again in a minute."),
        "ThrottlingException": (ServiceError, "Try again in a minute."),
        "TooManyRequestsException": (ServiceError, "Try again in a minute."),
    }
)
"""What services answer, by error code, with the way out."""

BY_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"Stack (with id )?\S+ does not exist"),
        "Check the stack's name and the region; amazon-estimators status lists the pipelines there are.",
    ),
    (
        re.compile(r"Requested resource not found|Could not find requested job"),
        "Check the job's name and the region; aws sagemaker list-training-jobs shows the jobs there are.",
    ),
)
"""Texts of the codes ValidationError and ValidationException, which services use for many things."""


def as_ours(error: Exception) -> AmazonEstimatorsError | None:
    """Return an error of ours that says what an error of boto3 says, with the way out; None for any other."""
    kinds = {kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "botocore.exceptions"}
    if not kinds:
        return None
    answer = getattr(error, "response", None)
    if answer is None:
        kind, remedy = next(
            (BY_CLASS[name] for name in sorted(kinds) if name in BY_CLASS), (ServiceError, "")
        )
        return kind(str(error), remedy=remedy)
    about = answer.get("Error", {})
    code, text = about.get("Code", ""), about.get("Message", "")
    operation = getattr(error, "operation_name", "")
    message = f"{operation}: {text or code} ({code})"
    if code in BY_CODE:
        kind, remedy = BY_CODE[code]
        return kind(message, remedy=remedy)
    for pattern, remedy in BY_TEXT:
        if pattern.search(text):
            return RequestError(message, remedy=remedy)
    return ServiceError(message, remedy="")


@contextmanager
def told(missing: str) -> Iterator[None]:
    """Say ``missing`` where S3 answers a request of the block with no more than 404.

    Raises:
        InputError: It does.
    """
    try:
        yield
    except Exception as error:
        answer: Any = getattr(error, "response", None) or {}
        if answer.get("Error", {}).get("Code") not in GONE:
            raise
        raise InputError(missing, remedy="Check the URI and the region.") from error
