"""Each way in which S3 refuses an input object is an error of errors.py that names it, with its way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amazon_estimators import errors
from amazon_estimators.errors import InputError, ObjectChangedError, ServiceError
from amazon_estimators.storage.refusals import REFUSALS
from amazon_estimators.storage.s3 import InputObject, read_range

OBJECT = InputObject("data", "input/train/a.csv", 10, "etag", "version")
SSE_C = (
    "The object was stored using a form of Server Side Encryption. The correct parameters must be provided "
    "to retrieve the object."
)
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@dataclass(frozen=True)
class Case:
    """S3's answer, and what a user is told."""

    status: int
    code: str
    message: str
    error: type[errors.AmazonEstimatorsError]
    problem: str
    remedy: str


AGAIN = "Start a new execution"
CHANGED = ObjectChangedError

CASES = {
    "deleted": Case(404, "NoSuchKey", "The specified key does not exist.", CHANGED, "replaced", AGAIN),
    "version deleted": Case(
        404,
        "NoSuchVersion",
        "The specified version does not exist.",
        CHANGED,
        "replaced",
        AGAIN,
    ),
    "replaced": Case(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        CHANGED,
        "replaced",
        AGAIN,
    ),
    "delete marker": Case(
        405,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        CHANGED,
        "delete marker",
        AGAIN,
    ),
    "not allowed": Case(403, "AccessDenied", "Access Denied", InputError, "may not read", AGAIN),
    "archived": Case(
        403,
        "InvalidObjectState",
        "The operation is not valid for the object's storage class",
        InputError,
        "archived",
        "Restore it",
    ),
    "SSE-C": Case(400, "InvalidRequest", SSE_C, InputError, "SSE-C", "Upload it again"),
    "key disabled": Case(400, "KMS.DisabledException", f"{KEY} is disabled.", InputError, KEY, "Enable"),
    "key about to be deleted": Case(
        400,
        "KMS.KMSInvalidStateException",
        f"{KEY} is pending deletion.",
        InputError,
        KEY,
        "cancel its deletion",
    ),
    "key deleted": Case(
        400, "KMS.NotFoundException", f"Key '{KEY}' does not exist", InputError, KEY, "with another key"
    ),
    "timeout": Case(
        400,
        "RequestTimeout",
        "Your socket connection to the server was not read from or written to within the timeout period.",
        ServiceError,
        "RequestTimeout",
        "Redrive the execution",
    ),
    "another invalid request": Case(400, "InvalidRequest", "No.", ServiceError, "InvalidRequest", "Redrive"),
    "unknown": Case(500, "Whatever", "Who knows", ServiceError, "Whatever", "Redrive"),
}


class Refusing:
    """S3 that gives one answer to every GET."""

    def __init__(self, case: Case) -> None:
        self._answer = {
            "Error": {"Code": case.code, "Message": case.message},
            "ResponseMetadata": {"HTTPStatusCode": case.status},
        }

    def get_object(self, **_: Any) -> None:
        raise ClientError(self._answer, "GetObject")


@pytest.mark.parametrize("name", CASES)
def test_the_object_is_named_with_the_way_out(name: str) -> None:
    case = CASES[name]
    with pytest.raises(errors.AmazonEstimatorsError) as caught:
        read_range(Refusing(case), OBJECT, 0, 10)
    assert type(caught.value) is case.error
    assert OBJECT.uri in caught.value.message
    assert case.problem in caught.value.message
    assert case.remedy in caught.value.remedy


def test_every_refusal_of_the_table_has_a_case() -> None:
    codes = {case.code for case in CASES.values()}
    for refusal in REFUSALS:
        assert any(code.startswith(refusal.codes) for code in codes), refusal
