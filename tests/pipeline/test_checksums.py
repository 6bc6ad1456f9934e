"""An upload has the CRC32 of its bytes in a header, and its bytes are sent as they are."""

from __future__ import annotations

import base64
import io
import zlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3 import HTTPResponse

from amazon_estimators.storage import s3
from amazon_estimators.storage.checksums import add_checksums
from amazon_estimators.storage.sessions import client_of

BODY = b"a few bytes of a part" * 1000
CALLS: dict[str, dict[str, Any]] = {
    "put_object": {"Bucket": "b", "Key": "k"},
    "upload_part": {"Bucket": "b", "Key": "k", "UploadId": "u", "PartNumber": 1},
}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def own_client(**options: Any) -> Any:
    made = boto3.client("s3", region_name="eu-west-1", **options)
    add_checksums(made)
    return made


def sent(client: Any, call: str, **params: Any) -> AWSPreparedRequest:
    """What goes over the wire."""
    seen: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        seen.append(request)
        raw = HTTPResponse(body=io.BytesIO(), preload_content=False)
        return AWSResponse(request.url, 200, {}, raw)

    client.meta.events.register("before-send.s3", answer)
    getattr(client, call)(**CALLS[call], **params)
    return seen[0]


def text(request: AWSPreparedRequest, header: str) -> str | None:
    value = request.headers.get(header)
    return value.decode() if isinstance(value, bytes) else value


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("make", [s3.client.__wrapped__, lambda: client_of(None, "s3")])
def test_bytes_go_as_they_are_over_https(make: Any, call: str) -> None:
    request = sent(make(), call, Body=BODY)
    assert request.body.read() == BODY
    assert text(request, "x-amz-checksum-crc32") == crc32(BODY)
    assert text(request, "X-Amz-Content-SHA256") == "UNSIGNED-PAYLOAD"
    assert text(request, "Content-Encoding") is None
    assert text(request, "x-amz-trailer") is None


@settings(max_examples=50)
@given(st.binary(max_size=5000))
def test_the_checksum_is_that_of_the_bytes(data: bytes) -> None:
    assert text(sent(own_client(), "upload_part", Body=data), "x-amz-checksum-crc32") == crc32(data)


@pytest.mark.parametrize(
    "options",
    [
        {"endpoint_url": "http://127.0.0.1:1"},
        {"config": Config(s3={"payload_signing_enabled": True})},
    ],
)
def test_bytes_are_signed_without_tls_or_if_the_user_says_so(options: dict[str, Any]) -> None:
    request = sent(own_client(**options), "upload_part", Body=BODY)
    assert text(request, "x-amz-checksum-crc32") == crc32(BODY)
    assert len(text(request, "X-Amz-Content-SHA256") or "") == 64


def test_no_checksum_for_those_who_want_none() -> None:
    client = own_client(config=Config(request_checksum_calculation="when_required"))
    request = sent(client, "upload_part", Body=BODY)
    assert not [name for name in request.headers if "checksum" in name.lower()]


def test_a_file_is_left_to_boto3() -> None:
    request = sent(own_client(), "put_object", Body=io.BytesIO(BODY))
    assert text(request, "x-amz-trailer") == "x-amz-checksum-crc32"


@pytest.mark.parametrize("call", CALLS)
def test_a_presigned_url_is_what_boto3_makes(call: str) -> None:
    plain, own = boto3.client("s3", region_name="eu-west-1"), own_client()
    for body in ({}, {"Body": BODY}):
        urls = [
            client.generate_presigned_url(call, Params={**CALLS[call], **body}) for client in (plain, own)
        ]
        names = [parse_qs(urlsplit(url).query).keys() for url in urls]
        assert names[0] == names[1]


def test_the_callers_checksum_stays() -> None:
    request = sent(own_client(), "put_object", Body=BODY, ChecksumSHA256="given")
    assert text(request, "x-amz-checksum-sha256") == "given"
    assert text(request, "x-amz-checksum-crc32") is None
    request = sent(own_client(), "upload_part", Body=BODY, ChecksumAlgorithm="SHA256")
    assert text(request, "x-amz-trailer") == "x-amz-checksum-sha256"
