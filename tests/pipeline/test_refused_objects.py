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


@dataclass(frozen=True, kw_only=True)
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
    "deleted": Case(
        status=404,
        code="NoSuchKey",
        message="The specified key does not exist.",
        error=CHANGED,
        problem="replaced",
        remedy=AGAIN,
    ),
    "version deleted": Case(
        status=404,
        code="NoSuchVersion",
        message="The specified version does not exist.",
        error=CHANGED,
        problem="replaced",
        remedy=AGAIN,
    ),
    "replaced": Case(
        status=412,
        code="PreconditionFailed",
        message="At least one of the pre-conditions you specified did not hold",
        error=CHANGED,
        problem="replaced",
        remedy=AGAIN,
    ),
    "delete marker": Case(
        status=405,
        code="MethodNotAllowed",
        message="The specified method is not allowed against this resource.",
        error=CHANGED,
        problem="delete marker",
        remedy=AGAIN,
    ),
    "not allowed": Case(
        status=403,
        code="AccessDenied",
        message="Access Denied",
        error=InputError,
        problem="may not read",
        remedy=AGAIN,
    ),
    "archived": Case(
        status=403,
        code="InvalidObjectState",
        message="The operation is not valid for the object's storage class",
        error=InputError,
        problem="archived",
        remedy="Restore it",
    ),
    "SSE-C": Case(
        status=400,
        code="InvalidRequest",
        message=SSE_C,
        error=InputError,
        problem="SSE-C",
        remedy="Upload it again",
    ),
    "key disabled": Case(
        status=400,
        code="KMS.DisabledException",
        message=f"{KEY} is disabled.",
        error=InputError,
        problem=KEY,
        remedy="Enable",
    ),
    "key about to be deleted": Case(
        status=400,
        code="KMS.KMSInvalidStateException",
        message=f"{KEY} is pending deletion.",
        error=InputError,
        problem=KEY,
        remedy="cancel its deletion",
    ),
    "key deleted": Case(
        status=400,
        code="KMS.NotFoundException",
        message=f"Key '{KEY}' does not exist",
        error=InputError,
        problem=KEY,
        remedy="with another key",
    ),
    "timeout": Case(
        status=400,
        code="RequestTimeout",
        message="Your socket connection to the server was not read from or written to within the timeout "
        "period.",
        error=ServiceError,
        problem="RequestTimeout",
        remedy="Redrive the execution",
    ),
    "another invalid request": Case(
        status=400,
        code="InvalidRequest",
        message="No.",
        error=ServiceError,
        problem="InvalidRequest",
        remedy="Redrive",
    ),
    "unknown": Case(
        status=500,
        code="Whatever",
        message="Who knows",
        error=ServiceError,
        problem="Whatever",
        remedy="Redrive",
    ),
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
