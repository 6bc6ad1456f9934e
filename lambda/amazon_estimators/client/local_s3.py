# ruff: noqa: N803 - the parameters are named as those of S3
"""Let a directory play S3, so that Plan, Encode and Seal run on local files as on a bucket."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError

from amazon_estimators.storage.multipart_upload import PART_BYTES
from amazon_estimators.storage.object_list import ObjectList
from amazon_estimators.storage.s3 import InputObject


class _Exceptions:
    ClientError = ClientError


class Directory:
    """Answers the calls that the data plane makes to an S3 client. There is one bucket, whatever its name.

    ``inputs`` are files that are read in place, by key; all other keys are files under ``root``.
    """

    exceptions = _Exceptions

    def __init__(self, root: Path, inputs: Mapping[str, Path]) -> None:
        self._root, self._inputs = root, inputs
        self._empty: set[str] = set()
        """Objects without content. Receipts are such, and their names are too long for a file's."""
        self._lock = Lock()

    def input_objects(self, bucket: str, channel: str) -> ObjectList:
        """Return the inputs as objects of a channel. Size and modification time identify the content."""
        entries = (
            InputObject(bucket, key, path.stat().st_size, self._etag(path))
            for key, path in self._inputs.items()
        )
        return ObjectList.of(bucket, channel, entries)

    def path(self, key: str) -> Path:
        """Return the path of a key, never outside the directory."""
        path = self._inputs.get(key) or self._root / key
        if key not in self._inputs and self._root.resolve() not in path.resolve().parents:
            raise _refusal("NoSuchKey")
        return path

    def get_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Range: str | None = None,
        IfMatch: str = "",
    ) -> dict[str, Any]:
        path = self.path(Key)
        if not path.is_file():
            raise _refusal("NoSuchKey")
        if IfMatch and IfMatch.strip('"') != self._etag(path):
            raise _refusal("PreconditionFailed")
        with path.open("rb") as file:
            if Range is None:
                return {"Body": io.BytesIO(file.read())}
            first, last = map(int, Range.removeprefix("bytes=").split("-"))
            file.seek(first)
            return {"Body": io.BytesIO(file.read(last - first + 1))}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> dict[str, Any]:
        if not Body:
            self._empty.add(Key)
            return {"ETag": "empty"}
        path = self._new(Key)
        path.write_bytes(Body)
        return {"ETag": self._etag(path)}

    def create_multipart_upload(self, *, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:
        path = self._new(Key)
        path.write_bytes(b"")
        return {"UploadId": Key}

    def upload_part(
        self,
        *,
        Bucket: str,
        Key: str,
        UploadId: str,
        PartNumber: int,
        Body: Any,
        **_: Any,
    ) -> dict[str, Any]:
        # Parts come from several threads in any order; all but the last have the same size.
        with self._lock, self.path(Key).open("r+b") as file:
            file.seek((PartNumber - 1) * PART_BYTES)
            file.write(Body)
        return {"ETag": f'"{PartNumber}"'}

    def complete_multipart_upload(self, *, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:
        return {"ETag": self._etag(self.path(Key))}

    def abort_multipart_upload(self, *, Bucket: str, Key: str, **_: Any) -> None:
        self.path(Key).unlink(missing_ok=True)

    def list_objects_v2(self, *, Bucket: str, Prefix: str, **_: Any) -> dict[str, Any]:
        return {"Contents": list(self._listed(Prefix))}

    def get_paginator(self, operation: str) -> Any:
        if operation != "list_objects_v2":
            raise NotImplementedError(operation)
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        yield self.list_objects_v2(Bucket=Bucket, Prefix=Prefix)

    def _listed(self, prefix: str) -> Iterator[dict[str, Any]]:
        for key in sorted(key for key in self._empty if key.startswith(prefix)):
            yield {"Key": key, "Size": 0, "ETag": "empty"}
        for path in sorted((self._root / prefix.rpartition("/")[0]).rglob("*")):
            key = path.relative_to(self._root).as_posix()
            if path.is_file() and key.startswith(prefix):
                yield {"Key": key, "Size": path.stat().st_size, "ETag": self._etag(path)}

    def _new(self, key: str) -> Path:
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @staticmethod
    def _etag(path: Path) -> str:
        """Return an ETag from size and modification time."""
        stat = path.stat()
        return f"{stat.st_size:x}-{stat.st_mtime_ns:x}"


def _refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "GetObject")
