"""Read ranges of exact object versions on S3; list, read and write small objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from amazon_estimators.errors import DamagedFileError, InputError, ServiceError
from amazon_estimators.prefetch import ahead
from amazon_estimators.storage.checksums import add_checksums
from amazon_estimators.storage.encryption_headers import add_encryption_headers
from amazon_estimators.storage.faults import naming, whole_body
from amazon_estimators.storage.refusals import raise_refusal
from amazon_estimators.storage.retries import log_retries

READS_AHEAD = 4
"""Ranges of one object fetched at a time: one connection to S3 is slower than one core decodes."""


@cache
def client() -> Any:
    """Return an S3 client that retries throttling and service faults with backoff and jitter.

    A process has one: making it takes a tenth of a second, which each invocation of a function would pay.
    """
    import boto3  # noqa: PLC0415 - not needed without AWS
    from botocore.config import Config  # noqa: PLC0415
    from botocore.session import get_session  # noqa: PLC0415

    session = get_session()
    # Otherwise a long listing spends a third of its time parsing dates.
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_time_of)
    retries = {"mode": "standard", "max_attempts": 8}
    made = boto3.Session(botocore_session=session).client(
        "s3", config=Config(retries=retries, max_pool_connections=64, connect_timeout=10, read_timeout=60)
    )
    log_retries(made)
    add_checksums(made)
    add_encryption_headers(made)
    return made


def _time_of(value: Any) -> datetime:
    """Parse a time in S3's format; any other format as botocore does."""
    from botocore.utils import parse_timestamp  # noqa: PLC0415

    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        parsed: datetime = parse_timestamp(value)
        return parsed


@dataclass(frozen=True)
class InputObject:
    """One version of an object. Without versioning, ``version_id`` is None and ``etag`` pins the content."""

    bucket: str
    key: str
    size: int
    etag: str
    version_id: str | None = None

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def identity(self) -> list[str | int]:
        """Return the values that identify the content, for a RecordSet's fingerprint."""
        return [self.key, self.version_id or self.etag, self.size]


def read_range(s3: Any, source: InputObject, start: int, stop: int) -> bytes:
    """Read bytes ``[start, stop)`` of exactly this version.

    Retries if the connection breaks while the bytes arrive; the client itself retries other faults. Raises
    ObjectChangedError if this version no longer exists, InputError if S3 refuses to return it.
    """
    if start >= stop:
        return b""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    pinned = {"VersionId": source.version_id} if source.version_id else {"IfMatch": f'"{source.etag}"'}
    expected = min(stop, source.size) - start
    span = f"bytes={start}-{stop - 1}"

    def read() -> bytes:
        answer = s3.get_object(Bucket=source.bucket, Key=source.key, Range=span, **pinned)
        return bytes(answer["Body"].read())

    with naming("GetObject", source.uri):
        try:
            body = whole_body(read, source.uri)
        except ClientError as error:
            raise_refusal(source.uri, error)
            raise
    if len(body) != expected:
        raise InputError(
            f"{source.uri}: asked for bytes {start} to {stop - 1} of {source.size}, got {len(body)} bytes"
        )
    return body


def read_ahead(s3: Any, source: InputObject, start: int, stop: int, *, chunk: int) -> Iterator[bytes]:
    """Yield bytes ``[start, stop)`` in chunks, in order; fetch READS_AHEAD chunks while the caller works on
    one."""
    if stop - start <= chunk:
        yield from (read_range(s3, source, start, stop),) if start < stop else ()
        return

    def read(cut: int) -> bytes:
        return read_range(s3, source, cut, min(cut + chunk, stop))

    yield from ahead(read, range(start, stop, chunk), width=READS_AHEAD)


def list_stored(s3: Any, bucket: str, prefix: str) -> Iterator[tuple[str, str, int]]:
    """Yield (key, ETag, size) of every object under ``prefix``."""
    pages = iter(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
    while True:
        with naming("ListObjectsV2", f"s3://{bucket}/{prefix}"):
            page = next(pages, None)
        if page is None:
            return
        for entry in page.get("Contents", ()):
            yield entry["Key"], entry["ETag"].strip('"'), entry["Size"]


def read_object(s3: Any, bucket: str, key: str, *, start: int = 0, length: int | None = None) -> bytes:
    """Return the newest bytes of one of the library's own objects, or ``length`` of them from ``start``.

    Raises:
        ServiceError: After all retries, S3 returns no bytes or too few.
    """
    uri = f"s3://{bucket}/{key}"
    span = {} if length is None else {"Range": f"bytes={start}-{start + length - 1}"}

    def read() -> bytes:
        return bytes(s3.get_object(Bucket=bucket, Key=key, **span)["Body"].read())

    with naming("GetObject", uri):
        body = whole_body(read, uri)
    if length is not None and len(body) != length:
        raise ServiceError(f"GetObject of {uri}: asked for {length} bytes from {start}, got {len(body)}")
    return body


def get_json(s3: Any, bucket: str, key: str) -> Any:
    """Return the value of one of the library's own JSON objects. Raises DamagedFileError if it is not
    JSON."""
    try:
        return json.loads(read_object(s3, bucket, key))
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"s3://{bucket}/{key} is not JSON: {str(error)[:200]}") from None


def is_there(s3: Any, bucket: str, key: str) -> bool:
    """Return True if an object exists at ``key``. Lists, because S3 may answer a GET of a missing object with
    403."""
    return stored_size(s3, bucket, key) is not None


def stored_size(s3: Any, bucket: str, key: str) -> int | None:
    """Return the bytes of the object at ``key``, None if there is none."""
    with naming("ListObjectsV2", f"s3://{bucket}/{key}"):
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    return next((int(entry["Size"]) for entry in listed.get("Contents", ()) if entry["Key"] == key), None)


def put_json(s3: Any, bucket: str, key: str, value: Any) -> None:
    """Write one of the library's own objects as JSON. Raises ServiceError."""
    put_text(s3, bucket, key, json.dumps(value), "application/json")


def put_text(s3: Any, bucket: str, key: str, text: str, content_type: str) -> None:
    """Write one of the library's own objects. Raises ServiceError."""
    with naming("PutObject", f"s3://{bucket}/{key}"):
        s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType=content_type)
