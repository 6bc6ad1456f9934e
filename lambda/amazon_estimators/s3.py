"""S3 as the pipeline uses it: list, read a range of one exact version, stream out through a multipart upload."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from amazon_estimators.errors import InputError, ObjectChangedError

if TYPE_CHECKING:
    from collections.abc import Buffer

PART_SIZE = 16 * 2**20
"""Bytes of one part of a multipart upload; 10,000 parts make 160 GB, far above any shard."""

MANIFEST_VERSIONLESS = "null"
GONE = {"NoSuchKey", "NoSuchVersion", "404", "412", "PreconditionFailed"}


def client() -> Any:
    """An S3 client that retries throttling and service faults with backoff and jitter."""
    import boto3
    from botocore.config import Config

    return boto3.client("s3", config=Config(retries={"mode": "standard", "max_attempts": 8}, max_pool_connections=32))


@dataclass(frozen=True)
class InputObject:
    """One version of one object. ``version_id`` is None in a bucket without versioning; ``etag`` pins it there."""

    bucket: str
    key: str
    size: int
    etag: str
    version_id: str | None = None

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def identity(self) -> list[str | int]:
        """What makes this content this content: part of a RecordSet's fingerprint."""
        return [self.key, self.version_id or self.etag, self.size]


def list_objects(s3: Any, bucket: str, prefix: str) -> list[InputObject]:
    """The newest version of every object under ``prefix``, by key. Folder markers and hidden files are left out."""
    found = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for version in page.get("Versions", ()):
            name = version["Key"].rpartition("/")[2]
            if not version["IsLatest"] or not name or name.startswith((".", "_")):
                continue
            version_id = version.get("VersionId", MANIFEST_VERSIONLESS)
            found.append(
                InputObject(
                    bucket=bucket,
                    key=version["Key"],
                    size=version["Size"],
                    etag=version["ETag"].strip('"'),
                    version_id=None if version_id == MANIFEST_VERSIONLESS else version_id,
                )
            )
    return sorted(found, key=lambda found_object: found_object.key)


def read_range(s3: Any, source: InputObject, start: int, stop: int) -> bytes:
    """Bytes ``[start, stop)`` of exactly this version. Raises ObjectChangedError if it is no longer there."""
    if start >= stop:
        return b""
    pinned = {"VersionId": source.version_id} if source.version_id else {"IfMatch": f'"{source.etag}"'}
    try:
        answer = s3.get_object(Bucket=source.bucket, Key=source.key, Range=f"bytes={start}-{stop - 1}", **pinned)
        body: bytes = answer["Body"].read()
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            raise ObjectChangedError(f"{source.uri} was replaced or deleted after Plan saw it") from error
        raise
    if len(body) != min(stop, source.size) - start:
        raise InputError(f"{source.uri}: asked for bytes {start} to {stop - 1} of {source.size}, got {len(body)}")
    return body


def read_ahead(s3: Any, source: InputObject, start: int, stop: int, *, chunk: int) -> Iterator[bytes]:
    """Bytes ``[start, stop)`` in chunks, the next one fetched while the caller works on this one."""
    cuts = range(start, stop, chunk)
    with ThreadPoolExecutor(1) as pool:
        following: Future[bytes] | None = None
        for cut in cuts:
            current = following or pool.submit(read_range, s3, source, cut, min(cut + chunk, stop))
            after = cut + chunk
            following = (
                pool.submit(read_range, s3, source, after, min(after + chunk, stop)) if after < stop else None
            )
            yield current.result()


def get_json(s3: Any, bucket: str, key: str) -> Any:
    return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def put_json(s3: Any, bucket: str, key: str, value: Any) -> None:
    put_text(s3, bucket, key, json.dumps(value), "application/json")


def put_text(s3: Any, bucket: str, key: str, text: str, content_type: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType=content_type)


class Upload:
    """A binary file object whose bytes become one S3 object when it is closed without an error.

    Memory is bounded: one part being filled and one being sent. Leaving the ``with`` block with an error aborts
    the upload, so no object and no part stays behind.
    """

    def __init__(self, s3: Any, bucket: str, key: str, content_type: str) -> None:
        self._s3 = s3
        self._target = {"Bucket": bucket, "Key": key}
        self._content_type = content_type
        self._filling = bytearray()
        self._upload_id: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._sending: Future[None] | None = None
        self._pool = ThreadPoolExecutor(1)
        self._digest = hashlib.sha256()
        self.size = 0
        self.etag = ""

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: Buffer) -> int:
        view = memoryview(data).cast("B")
        self._digest.update(view)
        self.size += len(view)
        taken = 0
        while taken < len(view):
            room = PART_SIZE - len(self._filling)
            self._filling += view[taken : taken + room]
            taken += room
            if len(self._filling) == PART_SIZE:
                self._send()
        return len(view)

    def _send(self) -> None:
        if self._upload_id is None:
            started = self._s3.create_multipart_upload(**self._target, ContentType=self._content_type)
            self._upload_id = started["UploadId"]
        self._wait()
        body, self._filling = self._filling, bytearray()
        self._sending = self._pool.submit(self._send_part, body, len(self._parts) + 1)

    def _send_part(self, body: bytearray, number: int) -> None:
        sent = self._s3.upload_part(**self._target, UploadId=self._upload_id, PartNumber=number, Body=body)
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})

    def _wait(self) -> None:
        if self._sending:
            self._sending.result()
            self._sending = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._complete()
        except BaseException:
            self._abort()
            raise
        else:
            if kind is not None:
                self._abort()
        finally:
            self._pool.shutdown()

    def _complete(self) -> None:
        if self._upload_id is None:
            done = self._s3.put_object(
                **self._target, Body=bytes(self._filling), ContentType=self._content_type
            )
        else:
            if self._filling:
                self._send()
            self._wait()
            done = self._s3.complete_multipart_upload(
                **self._target, UploadId=self._upload_id, MultipartUpload={"Parts": self._parts}
            )
        self.etag = done["ETag"].strip('"')

    def _abort(self) -> None:
        if self._upload_id is not None:
            if self._sending:
                self._sending.cancel()
                self._sending.exception() if not self._sending.cancelled() else None
            self._s3.abort_multipart_upload(**self._target, UploadId=self._upload_id)
