"""Upload objects to S3 in parts on a few threads, while the caller encodes the next bytes.

Memory is bounded by ``threads`` parts in flight and one being filled for every open object. If the ``with``
block ends with an error, everything is undone: unfinished uploads are aborted, finished objects deleted. A
lifecycle rule aborts the uploads of a killed process.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Semaphore
from types import TracebackType
from typing import Any, Self

from amazon_estimators.storage.faults import naming

PART_BYTES = 16 * 2**20
"""The part size of a pipeline. 10,000 parts hold 160 GB, far more than any shard. A shard's ETag depends on
it."""


@dataclass(frozen=True)
class Uploaded:
    """An uploaded object: ``size`` in bytes, ``sha256`` in hexadecimal, ``etag`` as S3 returned it."""

    key: str
    size: int
    sha256: str
    etag: str


def upload(s3: Any, bucket: str, key: str, parts: Iterable[bytes], content_type: str) -> Uploaded:
    """Upload an object while its bytes are produced, with at most three times PART_BYTES in memory."""
    with Uploads(s3, bucket, part_bytes=PART_BYTES, threads=1) as uploads:
        writer = uploads.open(key, content_type)
        for part in parts:
            writer.write(part)
        return writer.result()


class Uploads:
    """Objects that are written together.

    Args:
        part_bytes: Bytes per part, at least 5 MiB. S3 accepts 10,000 parts per object. The ETag depends on
            the part size.
        threads: Parts sent at a time.
        extra: Parameters for every request that creates an object. Default: none.
        sent: Called with the bytes of every part that S3 has accepted, from several threads. Default: none.
    """

    def __init__(
        self,
        s3: Any,
        bucket: str,
        *,
        part_bytes: int,
        threads: int,
        extra: Mapping[str, Any] | None = None,
        sent: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.s3, self.bucket, self.extra, self.sent = s3, bucket, dict(extra or {}), sent
        self.part_bytes = part_bytes
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="upload")
        self._slots = Semaphore(threads)
        self._objects: list[ObjectWriter] = []

    def open(self, key: str, content_type: str) -> ObjectWriter:
        """Open a binary file whose bytes become the object ``key`` once it is closed."""
        writer = ObjectWriter(self, key, content_type)
        self._objects.append(writer)
        return writer

    def put(self, key: str, body: bytes, content_type: str) -> None:
        """Write a small object at once."""
        writer = self.open(key, content_type)
        writer.write(body)
        writer.result()

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        """Run ``work`` on a thread; wait while all threads are busy."""
        self._slots.acquire()
        future = self._pool.submit(work)
        future.add_done_callback(lambda _: self._slots.release())
        return future

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for writer in self._objects:
                    writer.result()
        except BaseException:
            self._take_back()
            raise
        else:
            if kind is not None:
                self._take_back()
        finally:
            self._pool.shutdown()

    def _take_back(self) -> None:
        for writer in self._objects:
            writer.discard()


class ObjectWriter:
    """One object being written. Its bytes are sent in parts; ``close`` makes S3 assemble them."""

    def __init__(self, uploads: Uploads, key: str, content_type: str) -> None:
        self._uploads = uploads
        self._target = {"Bucket": uploads.bucket, "Key": key}
        self._creation = {**self._target, "ContentType": content_type, **uploads.extra}
        self._filling = io.BytesIO()
        self._digest = hashlib.sha256()
        self._upload_id: str | None = None
        self._parts: list[Future[dict[str, Any]]] = []
        self._done: Future[Uploaded] | None = None
        self.key = key
        self.size = 0

    def write(self, data: bytes | bytearray | memoryview) -> int:
        view = memoryview(data).cast("B")
        self.size += len(view)
        taken, part_bytes = 0, self._uploads.part_bytes
        while taken < len(view):
            taken += self._filling.write(view[taken : taken + part_bytes - self._filling.tell()])
            if self._filling.tell() == part_bytes:
                self._send_part()
                self._filling = _file_of(part_bytes)
        return len(view)

    def _send_part(self) -> None:
        self._raise_failed()
        if self._upload_id is None:
            with naming("CreateMultipartUpload", self.uri):
                started = self._uploads.s3.create_multipart_upload(**self._creation)
            self._upload_id = started["UploadId"]
        body, number = self._filled(), len(self._parts) + 1
        self._parts.append(self._uploads.submit(lambda: self._upload_part(body, number)))

    def _filled(self) -> bytes:
        """Return the bytes written since the last part. Neither BytesIO nor boto3 copies them."""
        self._filling.truncate()
        body, self._filling = self._filling.getvalue(), io.BytesIO()
        self._digest.update(body)
        return body

    def _upload_part(self, body: bytes, number: int) -> dict[str, Any]:
        with naming(f"UploadPart {number}", self.uri):
            sent = self._uploads.s3.upload_part(
                **self._target, UploadId=self._upload_id, PartNumber=number, Body=body
            )
        self._uploads.sent(len(body))
        # By default boto3 sends a CRC32 with each part, and S3 then requires it on completion.
        checks = {name: sent[name] for name in ("ETag", "ChecksumCRC32") if name in sent}
        return {"PartNumber": number, **checks}

    def _raise_failed(self) -> None:
        """Raise the error of a failed part before more is encoded."""
        for part in self._parts:
            if part.done() and part.exception():
                part.result()

    def close(self) -> None:
        """Finish the object. Does not wait for S3: see :meth:`result`."""
        if self._done is None:
            if self._upload_id is not None and self._filling.tell():
                self._send_part()
            self._done = self._uploads.submit(self._complete)

    def _complete(self) -> Uploaded:
        if self._upload_id is None:
            body = self._filled()
            with naming("PutObject", self.uri):
                done = self._uploads.s3.put_object(**self._creation, Body=body)
            self._uploads.sent(len(body))
        else:
            # The parts were queued before this, so every one of them is on a thread already.
            parts = [part.result() for part in self._parts]
            with naming("CompleteMultipartUpload", self.uri):
                done = self._put_together(parts)
        return Uploaded(self.key, self.size, self._digest.hexdigest(), done["ETag"].strip('"'))

    def _put_together(self, parts: list[dict[str, Any]]) -> Any:
        """Complete the upload. If its answer was lost after it took effect, S3 tells what lies there.

        S3 knows no upload that it has completed. As long as it knows this one, what lies there is older.
        """
        from botocore.exceptions import ClientError, HTTPClientError  # noqa: PLC0415 - there may be no AWS

        s3 = self._uploads.s3

        def complete() -> Any:
            return s3.complete_multipart_upload(
                **self._target, UploadId=self._upload_id, MultipartUpload={"Parts": parts}
            )

        try:
            try:
                return complete()
            except HTTPClientError:
                return complete()
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchUpload":
                raise
            try:
                there = s3.head_object(**self._target)
            except ClientError:
                raise error from None
            if there["ContentLength"] != self.size:
                raise
            return there

    @property
    def uri(self) -> str:
        """The URI of the object."""
        return f"s3://{self._uploads.bucket}/{self.key}"

    def result(self) -> Uploaded:
        """Wait until the object is on S3. Raises the upload's error."""
        if self._done is None and not self._parts:
            self._done = _at_once(self._complete)
        self.close()
        assert self._done is not None
        return self._done.result()

    def discard(self) -> None:
        """Remove the object and all parts of it."""
        for part in self._parts:
            part.cancel()
            if not part.cancelled():
                part.exception()
        stored = self._done is not None and not self._done.cancel() and self._done.exception() is None
        # The caller needs the first error, not that of the cleanup.
        with contextlib.suppress(Exception):
            if stored:
                self._uploads.s3.delete_object(**self._target)
            elif self._upload_id is not None:
                self._uploads.s3.abort_multipart_upload(**self._target, UploadId=self._upload_id)


def _file_of(size: int) -> io.BytesIO:
    """Return a file that has room for ``size`` bytes: one that grows moves those it has time and again."""
    file = io.BytesIO()
    file.seek(size - 1)
    file.write(b"\0")
    file.seek(0)
    return file


def _at_once(work: Callable[[], Uploaded]) -> Future[Uploaded]:
    """Do work on this thread. The caller waits for its one request anyway."""
    done: Future[Uploaded] = Future()
    try:
        done.set_result(work())
    except BaseException as error:
        done.set_exception(error)
    return done
