"""Faults of S3 and of the network: reads are repeated, a failed upload leaves nothing."""

from __future__ import annotations

import hashlib
import time
from threading import Thread, current_thread
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    IncompleteReadError,
    ResponseStreamingError,
)

from amazon_estimators.errors import InputError, ServiceError
from amazon_estimators.prefetch import ahead
from amazon_estimators.storage.faults import BODY_ATTEMPTS
from amazon_estimators.storage.multipart_upload import ObjectWriter, Uploaded, Uploads
from amazon_estimators.storage.s3 import InputObject, read_ahead, read_range
from amazon_estimators.storage.versions import list_objects

PART = 5 * 2**20


class Faulty:
    """A client some of whose answers break off while they are read."""

    def __init__(self, s3: Any, faults: list[Exception]) -> None:
        self._s3 = s3
        self.faults = faults
        self.exceptions = s3.exceptions

    def get_object(self, **request: Any) -> Any:
        answer = self._s3.get_object(**request)
        if self.faults:
            fault = self.faults.pop()

            class Broken:
                def read(self) -> bytes:
                    raise fault

            answer["Body"] = Broken()
        return answer


FAULTS = [
    IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ResponseStreamingError(error="reset"),
    ConnectionClosedError(endpoint_url="https://s3"),
]


@pytest.fixture
def stored(s3: Any, bucket: str) -> InputObject:
    s3.put_object(Bucket=bucket, Key="in/a", Body=bytes(range(256)) * 100)
    return list_objects(s3, bucket, "in/")[0]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr("amazon_estimators.storage.faults.time.sleep", waited.append)
    return waited


def test_a_body_that_breaks_off_is_read_again(s3: Any, stored: InputObject, pauses: list[float]) -> None:
    faulty = Faulty(s3, list(FAULTS))
    assert read_range(faulty, stored, 10, 300) == (bytes(range(256)) * 2)[10:300]
    assert len(pauses) == len(FAULTS)
    assert all(0 <= pause <= 20 for pause in pauses)


def test_it_is_not_tried_for_ever(s3: Any, stored: InputObject, pauses: list[float]) -> None:
    with pytest.raises(ServiceError, match=r"GetObject of s3://.*/in/a: IncompleteReadError"):
        read_range(Faulty(s3, FAULTS[:1] * BODY_ATTEMPTS), stored, 0, 10)
    assert len(pauses) == BODY_ATTEMPTS - 1


def test_a_refusal_is_not_repeated(s3: Any, stored: InputObject, pauses: list[float]) -> None:
    with pytest.raises(ServiceError, match="GetObject of s3://no-such-bucket/a"):
        read_range(s3, InputObject("no-such-bucket", "a", 10, "e", None), 0, 10)
    assert not pauses


def test_an_answer_of_another_length_is_refused(s3: Any, stored: InputObject) -> None:
    longer = InputObject(stored.bucket, stored.key, stored.size + 5, stored.etag, stored.version_id)
    with pytest.raises(InputError, match="got 25600 bytes"):
        read_range(s3, longer, 0, longer.size)


@pytest.mark.parametrize("chunk", [1, 255, 256, 25_600, 99_999])
def test_reading_ahead_keeps_the_order(s3: Any, stored: InputObject, chunk: int) -> None:
    stop = stored.size if chunk > 1 else 40
    whole = bytes(range(256)) * 100
    assert b"".join(read_ahead(s3, stored, 7, stop, chunk=chunk)) == whole[7:stop]


def test_ahead_runs_at_most_so_many_and_keeps_order() -> None:
    running: list[int] = []
    most = 0

    def work(number: int) -> int:
        nonlocal most
        running.append(number)
        most = max(most, len(running))
        time.sleep(0.002)
        running.remove(number)
        return number

    assert list(ahead(work, range(30), width=4)) == list(range(30))
    assert 2 <= most <= 4


def test_ahead_takes_no_thread_for_a_single_item() -> None:
    def thread(_: int) -> Thread:
        return current_thread()

    assert list(ahead(thread, [0], width=4)) == [current_thread()]
    assert current_thread() not in ahead(thread, [0, 1], width=4)


def test_ahead_stops_with_its_reader() -> None:
    done: list[int] = []
    results = ahead(done.append, range(1000), width=2)
    next(results)
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert len(done) < 10


@pytest.fixture
def uploads(s3: Any, bucket: str) -> Uploads:
    return Uploads(s3, bucket, part_bytes=PART, threads=2)


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 17])
def test_an_upload_is_what_was_written(s3: Any, bucket: str, uploads: Uploads, size: int) -> None:
    data = memoryview(bytes(range(251)) * (size // 251 + 1))[:size]
    with uploads:
        out = uploads.open("out", "text/csv")
        for start in range(0, size, 999_983):
            out.write(data[start : start + 999_983])
    answer = s3.get_object(Bucket=bucket, Key="out")
    assert answer["Body"].read() == data
    assert answer["ContentType"] == "text/csv"
    digest = hashlib.sha256(data).hexdigest()
    assert out.result() == Uploaded("out", size, digest, answer["ETag"].strip('"'))


@pytest.mark.parametrize("parts", [0, 2])
def test_an_error_leaves_neither_object_nor_parts(s3: Any, bucket: str, uploads: Uploads, parts: int) -> None:
    with pytest.raises(ZeroDivisionError), uploads:
        uploads.open("out", "text/csv").write(bytes(parts * PART + 1))
        raise ZeroDivisionError
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert not s3.list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_a_part_that_fails_fails_the_upload(
    s3: Any, bucket: str, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: ObjectWriter, body: bytes, number: int) -> dict[str, Any]:
        raise ConnectionError(f"part {number}")

    monkeypatch.setattr(ObjectWriter, "_upload_part", fail)
    with pytest.raises(ConnectionError, match="part 1"), uploads:
        uploads.open("out", "text/csv").write(bytes(2 * PART + 1))
    assert not s3.list_multipart_uploads(Bucket=bucket).get("Uploads")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
