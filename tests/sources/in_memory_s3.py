"""A test double of S3: objects in memory, with Range, VersionId and IfMatch as S3 answers them."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from botocore.exceptions import ClientError

from amazon_estimators.storage.s3 import InputObject


class _Exceptions:
    ClientError = ClientError


class InMemoryS3:
    """``largest`` is the longest answer given, ``calls`` how many, ``served`` their bytes."""

    exceptions = _Exceptions

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.calls = self.largest = self.served = 0

    def put(self, key: str, body: bytes, *, versioned: bool = False) -> InputObject:
        self.objects[key] = body
        etag = hashlib.md5(body).hexdigest()
        return InputObject("bucket", key, len(body), etag, etag[::-1] if versioned else None)

    def get_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Range: str | None = None,
        VersionId: str | None = None,
        IfMatch: str = "",
    ) -> dict[str, Any]:
        body = self.objects.get(Key)
        if body is None:
            raise _refusal("NoSuchKey")
        etag = hashlib.md5(body).hexdigest()
        if VersionId is not None and VersionId != etag[::-1]:
            raise _refusal("NoSuchVersion")
        if IfMatch and IfMatch.strip('"') != etag:
            raise _refusal("PreconditionFailed")
        if Range is not None:
            first, last = map(int, Range.removeprefix("bytes=").split("-"))
            if first >= len(body):
                raise _refusal("InvalidRange")
            body = body[first : last + 1]
        self.calls += 1
        self.served += len(body)
        self.largest = max(self.largest, len(body))
        return {"Body": io.BytesIO(body)}


def _refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "GetObject")
