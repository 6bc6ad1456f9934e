"""List the objects under a prefix, now or at a past moment, one page of S3's answer at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from amazon_estimators.errors import ServiceError
from amazon_estimators.storage.faults import naming
from amazon_estimators.storage.input_files import InputFiles
from amazon_estimators.storage.s3 import InputObject

NO_VERSION = "null"
"""The version ID that S3 gives to objects in a bucket without versioning."""

Newest = tuple[tuple[bool, datetime], InputObject | None]


class VersionListing:
    """The objects under ``prefix`` at the end of the second ``moment``; default: now.

    Iterate over it once, for the objects in key order; only a page of S3's answer is in memory. A change is
    an upload or a deletion, also of hidden objects. A bucket without versioning has no past: its objects are
    listed as they are now, whatever ``moment`` is.

    Attributes:
        changed: The time of the last change under the prefix until then, by S3's clock; None if there was
            none.
        is_present: True if nothing has changed since. Both are set when the iteration has ended.
    """

    def __init__(self, s3: Any, bucket: str, prefix: str, moment: datetime | None = None) -> None:
        self.changed: datetime | None = None
        self.is_present = True
        self._s3, self._bucket, self._prefix, self._moment = s3, bucket, prefix, moment
        self._newest: dict[str, Newest] = {}
        self._unclear: dict[str, Mapping[str, Any]] = {}
        self._done = ""

    def __iter__(self) -> Iterator[InputObject]:
        """Yield the objects.

        Raises:
            ServiceError: S3 fails to list them, or lists them out of key order.
        """
        for page in _pages(self._s3, self._bucket, self._prefix):
            for entry in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                self._note(entry)
            # More versions of the last key may follow on the next page.
            yield from self._finished(sorted(self._newest)[:-1])
        yield from self._finished(sorted(self._newest))

    def _note(self, entry: Mapping[str, Any]) -> None:
        key, version_id, made = entry["Key"], entry.get("VersionId", NO_VERSION), entry["LastModified"]
        timeless = version_id == NO_VERSION and entry["IsLatest"]
        if self._moment is not None and not timeless and made.replace(microsecond=0) > self._moment:
            self.is_present = False
            return
        if self.changed is None or made > self.changed:
            self.changed = made
        if not (self._moment or entry["IsLatest"]):
            return
        rank, known = (entry["IsLatest"], made), self._newest.get(key)
        if known is None or rank > known[0]:
            self._newest[key] = (rank, _input_object(self._bucket, entry) if "ETag" in entry else None)
            self._unclear.pop(key, None)
        elif rank == known[0] and "ETag" not in entry and known[1] and key not in self._unclear:
            self._unclear[key] = entry

    def _finished(self, keys: list[str]) -> Iterator[InputObject]:
        """Yield the objects at ``keys``, whose versions are complete."""
        if keys and keys[0] <= self._done:
            raise ServiceError(
                f"ListObjectVersions of s3://{self._bucket}/{self._prefix}: {keys[0]!r} comes after "
                f"{self._done!r}; keys must be listed in order"
            )
        for key in keys:
            (_, found), deletion = self._newest.pop(key), self._unclear.pop(key, None)
            if found is not None and not (deletion and not _is_older(self._s3, deletion, found)):
                yield found
        self._done = keys[-1] if keys else self._done


def newest_upload(
    s3: Any, bucket: str, prefix: str, counts: Callable[[str], bool] = lambda path: True
) -> datetime | None:
    """Return the time of the newest upload under ``prefix``; None if there are no objects.

    ``counts`` says whether an object counts, by its path below the prefix.
    """
    newest: datetime | None = None
    for page in _pages(s3, bucket, prefix):
        for entry in page.get("Versions", ()):
            made: datetime = entry["LastModified"]
            if entry["IsLatest"] and counts(entry["Key"].removeprefix(prefix)):
                newest = made if newest is None else max(newest, made)
    return newest


def has_lain(s3: Any, bucket: str, key: str) -> bool:
    """Return True if an object lies at ``key``, or did and left a version or a delete marker."""
    page = next(_pages(s3, bucket, key), {})
    return any(entry["Key"] == key for kind in ("Versions", "DeleteMarkers") for entry in page.get(kind, ()))


def list_objects(s3: Any, bucket: str, prefix: str) -> list[InputObject]:
    """Return the newest version of every object under ``prefix`` that is input, by key."""
    rule = InputFiles(prefix)
    return [version for version in VersionListing(s3, bucket, prefix) if not rule.why_left_out(version.key)]


def _pages(s3: Any, bucket: str, prefix: str) -> Iterator[Mapping[str, Any]]:
    pages = iter(s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix))
    while True:
        with naming("ListObjectVersions", f"s3://{bucket}/{prefix}"):
            page = next(pages, None)
        if page is None:
            return
        yield page


def _is_older(s3: Any, deletion: Mapping[str, Any], version: InputObject) -> bool:
    """Return True if ``deletion``, made in the same second as ``version``, came before it.

    S3 lists the entries of a key newest first, but its answer separates versions from delete markers. A
    listing that starts after the version holds the deletion only if the deletion is older.
    """
    with naming("ListObjectVersions", version.uri):
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
