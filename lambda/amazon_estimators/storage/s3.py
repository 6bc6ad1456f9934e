"""S3 as the pipeline uses it: list the newest versions, read ranges of exactly those, small JSON objects."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from amazon_estimators.errors import InputError, ObjectChangedError
from amazon_estimators.logs import retrying
from amazon_estimators.prefetch import ahead
from amazon_estimators.storage.encryption_headers import add_encryption_headers
from amazon_estimators.storage.input_files import InputFiles
from amazon_estimators.storage.retries import log_retries

NO_VERSION = "null"
"""The version id S3 gives to objects of a bucket without versioning."""
GONE = {"NoSuchKey", "NoSuchVersion", "404", "412", "PreconditionFailed"}
REFUSED = {"AccessDenied", "403"}
"""What S3 answers for what is gone, too, where the reader may not list the bucket."""

READS_AHEAD = 4
"""Ranges of one object fetched at a time: one connection to S3 carries less than one core decodes."""
BODY_ATTEMPTS = 6
LONGEST_PAUSE = 20.0
"""Seconds. Pauses between attempts are random up to a limit that doubles from half a second."""


def client() -> Any:
    """Return an S3 client that retries throttling and service faults with backoff and jitter."""
    import boto3  # noqa: PLC0415 - the library is imported where there is no AWS, too
    from botocore.config import Config  # noqa: PLC0415

    retries = {"mode": "standard", "max_attempts": 8}
    made = boto3.client(
        "s3", config=Config(retries=retries, max_pool_connections=64, connect_timeout=10, read_timeout=60)
    )
    log_retries(made)
    add_encryption_headers(made)
    return made


@dataclass(frozen=True)
class InputObject:
    """One version of an object. Without versioning ``version_id`` is None and ``etag`` pins it."""

    bucket: str
    key: str
    size: int
    etag: str
    version_id: str | None = None

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def identity(self) -> list[str | int]:
        """Return what identifies the content: part of a RecordSet's fingerprint."""
        return [self.key, self.version_id or self.etag, self.size]


class Listing(NamedTuple):
    """What lay under a prefix, by key; when, by S3's clock, it changed last; True if nothing changed
    since."""

    objects: list[InputObject]
    changed: datetime | None
    is_present: bool


def list_objects(s3: Any, bucket: str, prefix: str) -> list[InputObject]:
    """Return the newest version of every object under ``prefix`` that is input, by key."""
    objects = {found.key: found for found in list_as_of(s3, bucket, prefix).objects}
    return [objects[key] for key in InputFiles(prefix).choose(objects)[0]]


def list_as_of(s3: Any, bucket: str, prefix: str, moment: datetime | None = None) -> Listing:
    """List all that lay under ``prefix`` at the end of the second ``moment``; default: what lies there now.

    A change is an upload or a deletion, of hidden objects too. A bucket without versioning has no past: its
    objects are taken as they are now, whatever ``moment`` says.
    """
    newest: dict[str, tuple[tuple[bool, datetime], InputObject | None]] = {}
    unclear: dict[str, Mapping[str, Any]] = {}
    changed: datetime | None = None
    is_present = True
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for entry in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            key, version_id, made = entry["Key"], entry.get("VersionId", NO_VERSION), entry["LastModified"]
            timeless = version_id == NO_VERSION and entry["IsLatest"]
            if moment is not None and not timeless and made.replace(microsecond=0) > moment:
                is_present = False
                continue
            if changed is None or made > changed:
                changed = made
            if not (moment or entry["IsLatest"]):
                continue
            rank = (entry["IsLatest"], made)
            if key not in newest or rank > newest[key][0]:
                newest[key] = (rank, _input_object(bucket, entry) if "ETag" in entry else None)
                unclear.pop(key, None)
            elif rank == newest[key][0] and "ETag" not in entry and newest[key][1] and key not in unclear:
                unclear[key] = entry
    for key, deletion in unclear.items():
        rank, version = newest[key]
        if version is not None and not _is_older(s3, deletion, version):
            newest[key] = (rank, None)
    objects = [found for _, (_, found) in sorted(newest.items()) if found is not None]
    return Listing(objects, changed, is_present)


def _is_older(s3: Any, deletion: Mapping[str, Any], version: InputObject) -> bool:
    """Return True if ``deletion``, made in the same second as ``version``, came before it.

    S3 lists the entries of a key newest first, but its answer keeps versions and delete markers apart. A
    listing that starts behind the version holds the deletion only if that is older.
    """
    answer = s3.list_object_versions(
        Bucket=version.bucket,
        Prefix=version.key,
        KeyMarker=version.key,
        VersionIdMarker=version.version_id or NO_VERSION,
    )
    behind = {(entry["Key"], entry["VersionId"]) for entry in answer.get("DeleteMarkers", ())}
    return (deletion["Key"], deletion["VersionId"]) in behind


def _input_object(bucket: str, entry: Mapping[str, Any]) -> InputObject:
    version_id = entry.get("VersionId", NO_VERSION)
    return InputObject(
        bucket=bucket,
        key=entry["Key"],
        size=entry["Size"],
        etag=entry["ETag"].strip('"'),
        version_id=None if version_id == NO_VERSION else version_id,
    )


def read_range(s3: Any, source: InputObject, start: int, stop: int) -> bytes:
    """Read bytes ``[start, stop)`` of exactly this version.

    A connection that breaks while the bytes arrive is retried; the client itself retries the rest.
    Raises ObjectChangedError if this version is no longer there, InputError if S3 does not hand it out.
    """
    if start >= stop:
        return b""
    from botocore.exceptions import (  # noqa: PLC0415
        ClientError,
        HTTPClientError,
        IncompleteReadError,
        ResponseStreamingError,
    )

    pinned = {"VersionId": source.version_id} if source.version_id else {"IfMatch": f'"{source.etag}"'}
    expected = min(stop, source.size) - start
    for attempt in range(1, BODY_ATTEMPTS + 1):
        try:
            answer = s3.get_object(
                Bucket=source.bucket, Key=source.key, Range=f"bytes={start}-{stop - 1}", **pinned
            )
            body: bytes = answer["Body"].read()
            break
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in GONE:
                raise ObjectChangedError(f"{source.uri} was replaced or deleted after Plan saw it") from error
            if code in REFUSED:
                raise InputError(
                    f"{source.uri}: S3 answers {code}. What Plan saw was deleted since, or the role "
                    f"may not read it: {error}",
                    remedy="Start a new execution, which plans from the objects as they are now; if it fails "
                    "alike, let the function's role read the object and use its key.",
                ) from error
            if code == "InvalidObjectState":
                raise InputError(
                    f"{source.uri} is archived", remedy="Restore it, then start again."
                ) from error
            raise
        except (HTTPClientError, IncompleteReadError, ResponseStreamingError) as error:
            if attempt == BODY_ATTEMPTS:
                raise
            retrying("GetObject", attempt + 1, type(error).__name__, url=source.uri, bytes=[start, stop])
            time.sleep(random.uniform(0, min(LONGEST_PAUSE, 0.5 * 2**attempt)))  # noqa: S311 - jitter, no secret
    if len(body) != expected:
        raise InputError(
            f"{source.uri}: asked for bytes {start} to {stop - 1} of {source.size}, got {len(body)} bytes"
        )
    return body


def read_ahead(s3: Any, source: InputObject, start: int, stop: int, *, chunk: int) -> Iterator[bytes]:
    """Yield bytes ``[start, stop)`` in chunks, in order; fetch READS_AHEAD while the caller works on one."""
    if stop - start <= chunk:
        yield from (read_range(s3, source, start, stop),) if start < stop else ()
        return

    def read(cut: int) -> bytes:
        return read_range(s3, source, cut, min(cut + chunk, stop))

    yield from ahead(read, range(start, stop, chunk), width=READS_AHEAD)


def list_stored(s3: Any, bucket: str, prefix: str) -> Iterator[tuple[str, str, int]]:
    """Yield (key, ETag, size) of every object under ``prefix``."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for one in page.get("Contents", ()):
            yield one["Key"], one["ETag"].strip('"'), one["Size"]


def get_json(s3: Any, bucket: str, key: str) -> Any:
    return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def is_there(s3: Any, bucket: str, key: str) -> bool:
    """Return True if there is an object at ``key``. Lists, as a GET of nothing may be answered with 403."""
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    return any(one["Key"] == key for one in listed.get("Contents", ()))


def put_json(s3: Any, bucket: str, key: str, value: Any) -> None:
    put_text(s3, bucket, key, json.dumps(value), "application/json")


def put_text(s3: Any, bucket: str, key: str, text: str, content_type: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType=content_type)
