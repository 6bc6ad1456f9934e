"""Bytes of any number to one S3 object, in constant memory and all or nothing."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

PART_SIZE = 16 * 2**20
"""Bytes of one part; 10,000 parts make 160 GB, far above any shard. The ETag of a shard depends on it."""
SENDS_AT_ONCE = 3


class Upload:
    """A binary file object whose bytes become one S3 object when it is closed without an error.

    Memory is bounded: one part being filled and SENDS_AT_ONCE being sent. Leaving the ``with`` block with an
    error aborts the upload: no object and no part stays. A lifecycle rule ends what a killed process leaves.
    """

    def __init__(self, s3: Any, bucket: str, key: str, content_type: str) -> None:
        self._s3 = s3
        self._target = {"Bucket": bucket, "Key": key}
        self._content_type = content_type
        self._filling = io.BytesIO()
        self._upload_id: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._sending: deque[Future[dict[str, Any]]] = deque()
        self._number = 0
        self._pool = ThreadPoolExecutor(SENDS_AT_ONCE)
        self._digest = hashlib.sha256()
        self.size = 0
        self.etag = ""

    @property
    def sha256(self) -> str:
        """Of all bytes, in hexadecimal; good once the upload is closed."""
        return self._digest.hexdigest()

    def write(self, data: bytes | bytearray | memoryview) -> int:
        view = memoryview(data).cast("B")
        self.size += len(view)
        taken = 0
        while taken < len(view):
            taken += self._filling.write(view[taken : taken + PART_SIZE - self._filling.tell()])
            if self._filling.tell() == PART_SIZE:
                self._send()
        return len(view)

    def _send(self) -> None:
        if self._upload_id is None:
            started = self._s3.create_multipart_upload(**self._target, ContentType=self._content_type)
            self._upload_id = started["UploadId"]
        while len(self._sending) >= SENDS_AT_ONCE:
            self._parts.append(self._sending.popleft().result())
        self._number += 1
        self._sending.append(self._pool.submit(self._send_part, self._filled(), self._number))

    def _filled(self) -> bytes:
        """The part, and room for the next one. As bytes neither BytesIO nor boto3 copies it."""
        body, self._filling = self._filling.getvalue(), io.BytesIO()
        self._digest.update(body)
        return body

    def _send_part(self, body: bytes, number: int) -> dict[str, Any]:
        sent = self._s3.upload_part(**self._target, UploadId=self._upload_id, PartNumber=number, Body=body)
        # boto3 sends a CRC32 with each part by default, and S3 then wants it named again on completion.
        checks = {name: sent[name] for name in ("ETag", "ChecksumCRC32") if name in sent}
        return {"PartNumber": number, **checks}

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
            done = self._s3.put_object(**self._target, Body=self._filled(), ContentType=self._content_type)
        else:
            if self._filling.tell():
                self._send()
            self._parts += [sending.result() for sending in self._sending]
            done = self._s3.complete_multipart_upload(
                **self._target, UploadId=self._upload_id, MultipartUpload={"Parts": self._parts}
            )
        self.etag = done["ETag"].strip('"')

    def _abort(self) -> None:
        if self._upload_id is None:
            return
        for sending in self._sending:
            sending.cancel()
        self._pool.shutdown()
        # What the caller has to learn is why the shard failed, not that tidying up after it failed too.
        with contextlib.suppress(Exception):
            self._s3.abort_multipart_upload(**self._target, UploadId=self._upload_id)
