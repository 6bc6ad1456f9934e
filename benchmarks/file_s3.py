"""Replace S3 by a directory, for measurements of Encode alone."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amazon_estimators.record_sets.keys import SHARDS


class FileS3:
    """Replaces S3 for Encode: reads the objects of one directory, discards uploads."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)
        self.written = 0

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        if any(f"/{stem}" in Key for stem, _ in SHARDS.values()):
            self.written += len(Body)
        else:
            path = self._directory / Key
            if len(path.name) < 255:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(Body)
        return {"ETag": '"etag"'}

    def get_object(self, *, Key: str, Range: str | None = None, **_: Any) -> dict[str, Any]:  # noqa: N803
        path = self._directory / Key
        first, last = 0, path.stat().st_size - 1
        if Range:
            first, last = (int(cut) for cut in Range.removeprefix("bytes=").split("-"))
        with path.open("rb") as file:
            file.seek(first)
            return {"Body": io.BytesIO(file.read(last - first + 1))}

    def create_multipart_upload(self, **_: Any) -> dict[str, str]:
        return {"UploadId": "1"}

    def upload_part(self, *, Body: bytes, **_: Any) -> dict[str, str]:  # noqa: N803
        self.written += len(Body)
        return {"ETag": '"etag"'}

    def complete_multipart_upload(self, **_: Any) -> dict[str, str]:
        return {"ETag": '"etag"'}

    def get_paginator(self, operation: str) -> FileS3:
        self._operation = operation
        return self

    def paginate(self, *, Prefix: str, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        paths = sorted(path for path in self._directory.rglob("*") if path.is_file())
        keys = [path.relative_to(self._directory).as_posix() for path in paths]
        found = [
            {
                "Key": key,
                "Size": path.stat().st_size,
                "ETag": '"etag"',
                "VersionId": "1",
                "IsLatest": True,
                "LastModified": datetime.now(UTC),
            }
            for key, path in zip(keys, paths, strict=True)
            if key.startswith(Prefix)
        ]
        yield {"Versions" if self._operation == "list_object_versions" else "Contents": found}

    def list_objects_v2(self, **request: Any) -> dict[str, Any]:
        self._operation = "list_objects_v2"
        return next(self.paginate(**request))
