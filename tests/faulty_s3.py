"""A versioned S3 in memory, every call of which can fail as AWS does: before it takes effect, after, or
in its body."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from math import inf
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    IncompleteReadError,
    ReadTimeoutError,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://s3"


class Crash(BaseException):
    """The process ends here."""


class CutBody:
    """A body whose connection breaks."""

    def read(self, *_: Any) -> bytes:
        raise IncompleteReadError(actual_bytes=1, expected_bytes=2)

    def iter_chunks(self, *_: Any) -> Iterator[bytes]:
        yield b"x"
        yield self.read()


class CutS3:
    """``s3``, of which the body of one object breaks off ``times`` times."""

    def __init__(self, s3: Any, key: str, times: float = inf) -> None:
        self._s3, self._key, self._left = s3, key, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def get_object(self, *, Key: str, **given: Any) -> Any:
        answer = self._s3.get_object(Key=Key, **given)
        if Key != self._key or not self._left:
            return answer
        self._left -= 1
        return {**answer, "Body": CutBody()}


def refused(code: str, status: int) -> Callable[[str], Exception]:
    answer = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return lambda operation: ClientError(answer, operation)


BEFORE: dict[str, Callable[[str], BaseException]] = {
    "throttle": refused("SlowDown", 503),
    "500": refused("InternalError", 500),
    "503": refused("ServiceUnavailable", 503),
    "timeout": lambda _: ReadTimeoutError(endpoint_url=URL),
    "cut before the body": lambda _: EndpointConnectionError(endpoint_url=URL),
    "403": refused("AccessDenied", 403),
    "404": refused("NoSuchKey", 404),
    "412": refused("PreconditionFailed", 412),
}
FAULTS = (*BEFORE, "cut in the body", "lost answer", "wrong ETag", "slow")
CRASHES = ("crash before", "crash after")


class FaultyS3:
    """``calls`` are (operation, key) of all calls so far. From call ``at`` on, calls like that one fail
    by ``fault``."""

    class exceptions:
        ClientError = ClientError

    def __init__(self, objects: dict[str, list[tuple[str, bytes]]] | None = None) -> None:
        self.objects = {key: list(versions) for key, versions in (objects or {}).items()}
        self.calls: list[tuple[str, str]] = []
        self.at = -1
        self.fault = ""
        self.uploads: dict[str, tuple[str, dict[int, bytes]]] = {}

    def put(self, key: str, body: bytes) -> str:
        version = f"v{sum(map(len, self.objects.values()))}"
        self.objects.setdefault(key, []).insert(0, (version, body))
        return version

    def _call(self, operation: str, key: str, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        self.calls.append((operation, key))
        number = len(self.calls) - 1
        if self.at < 0 or number < self.at or self.calls[self.at] != (operation, key):
            return act()
        if self.fault in BEFORE:
            raise BEFORE[self.fault](operation)
        if self.fault == "crash before":
            raise Crash
        answer = act()
        if self.fault == "crash after":
            raise Crash
        if self.fault == "lost answer":
            raise ConnectionClosedError(endpoint_url=URL)
        if self.fault == "cut in the body":
            if "Body" not in answer:
                raise ConnectionClosedError(endpoint_url=URL)
            answer["Body"] = CutBody()
        if self.fault == "wrong ETag" and "ETag" in answer:
            answer["ETag"] = '"0123"'
        return answer

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            self.put(Key, bytes(Body))
            return {"ETag": _etag(bytes(Body))}

        return self._call("PutObject", Key, act)

    def delete_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            self.objects.pop(Key, None)
            return {}

        return self._call("DeleteObject", Key, act)

    def get_object(
        self, *, Bucket: str, Key: str, Range: str = "", VersionId: str = "", IfMatch: str = ""
    ) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            versions = self.objects.get(Key, [])
            found = [body for version, body in versions if VersionId in ("", version)]
            if not found:
                raise refused("NoSuchKey", 404)("GetObject")
            body = found[0]
            if Range:
                first, last = map(int, Range.removeprefix("bytes=").split("-"))
                body = body[first : last + 1]
            return {"Body": io.BytesIO(body), "ETag": _etag(found[0])}

        return self._call("GetObject", Key, act)

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            if Key not in self.objects:
                raise refused("404", 404)("HeadObject")
            body = self.objects[Key][0][1]
            return {"ContentLength": len(body), "ETag": _etag(body)}

        return self._call("HeadObject", Key, act)

    def create_multipart_upload(self, *, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            upload = f"u{len(self.uploads)}"
            self.uploads[upload] = (Key, {})
            return {"UploadId": upload}

        return self._call("CreateMultipartUpload", Key, act)

    def upload_part(
        self, *, Bucket: str, Key: str, UploadId: str, PartNumber: int, Body: bytes
    ) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            self.uploads[UploadId][1][PartNumber] = bytes(Body)
            return {"ETag": _etag(bytes(Body))}

        return self._call(f"UploadPart {PartNumber}", Key, act)

    def complete_multipart_upload(
        self, *, Bucket: str, Key: str, UploadId: str, MultipartUpload: Any
    ) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            if UploadId not in self.uploads:
                raise refused("NoSuchUpload", 404)("CompleteMultipartUpload")
            body = b"".join(part for _, part in sorted(self.uploads.pop(UploadId)[1].items()))
            self.put(Key, body)
            return {"ETag": _etag(body)}

        return self._call("CompleteMultipartUpload", Key, act)

    def abort_multipart_upload(self, *, Bucket: str, Key: str, UploadId: str) -> dict[str, Any]:
        return self._call("AbortMultipartUpload", Key, lambda: {})

    def list_objects_v2(self, *, Bucket: str, Prefix: str, **_: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            listed = [
                {"Key": key, "ETag": _etag(versions[0][1]), "Size": len(versions[0][1])}
                for key, versions in sorted(self.objects.items())
                if key.startswith(Prefix)
            ]
            return {"Contents": listed}

        return self._call("ListObjectsV2", Prefix, act)

    def list_object_versions(self, *, Bucket: str, Prefix: str, **_: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            listed = [
                {
                    "Key": key,
                    "VersionId": version,
                    "IsLatest": number == 0,
                    "LastModified": NOON,
                    "ETag": _etag(body),
                    "Size": len(body),
                }
                for key, versions in sorted(self.objects.items())
                if key.startswith(Prefix)
                for number, (version, body) in enumerate(versions)
            ]
            return {"Versions": listed}

        return self._call("ListObjectVersions", Prefix, act)

    def get_paginator(self, operation: str) -> Any:
        call = getattr(self, operation)

        class Paginator:
            def paginate(self, **given: Any) -> Iterator[dict[str, Any]]:
                yield call(**given)

        return Paginator()


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'
