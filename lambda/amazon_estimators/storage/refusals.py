"""The reasons why S3 refuses to return an input object, each with its remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amazon_estimators.errors import AmazonEstimatorsError, InputError, ObjectChangedError


@dataclass(frozen=True)
class Refusal:
    """One reason: the beginning of S3's error codes, and a part of the message if the code has several
    causes.

    ``problem`` follows the object's URI. ``remedy`` is None if the error's own remedy fits.
    """

    codes: tuple[str, ...]
    error: type[AmazonEstimatorsError]
    problem: str
    remedy: str | None
    message: str = ""


REFUSALS = (
    Refusal(
        ("NoSuchKey", "NoSuchVersion", "404", "412", "PreconditionFailed"),
        ObjectChangedError,
        " was replaced or deleted after Plan saw it",
        None,
    ),
    Refusal(("MethodNotAllowed", "405"), ObjectChangedError, " was deleted: it is a delete marker now", None),
    # S3 also answers this for a missing object if the reader may not list the bucket.
    Refusal(
        ("AccessDenied", "403"),
        InputError,
        ": S3 answers {code}. What Plan saw was deleted since, or the role may not read it: {error}",
        "Start a new execution, which plans from the current objects; if it fails in the same way, let the "
        "function's role read the object and use its key.",
    ),
    Refusal(("InvalidObjectState",), InputError, " is archived", "Restore it, then start again."),
    Refusal(
        ("InvalidRequest",),
        InputError,
        " is encrypted with a key that only its owner has (SSE-C), and no function can read it",
        "Upload it again with SSE-S3 or SSE-KMS, then start again.",
        message="Server Side Encryption",
    ),
    Refusal(
        ("KMS.Disabled", "KMS.KMSInvalidState"),
        InputError,
        ": its KMS key is disabled or about to be deleted: {error}",
        "Enable the key, or cancel its deletion, then redrive the execution; or upload the object again with "
        "another key, then start again.",
    ),
    Refusal(
        ("KMS.NotFound",),
        InputError,
        ": its KMS key no longer exists: {error}",
        "Upload the object again with another key, then start again.",
    ),
)


def raise_refusal(uri: str, error: Any) -> None:
    """Raise a typed error for a botocore ClientError on the input object at ``uri`` if a user can fix it;
    else return."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    for refusal in REFUSALS:
        if code.startswith(refusal.codes) and refusal.message in message:
            problem = refusal.problem.format(code=code, error=error)
            raise refusal.error(f"{uri}{problem}", remedy=refusal.remedy) from error
