"""A bucket whose policy denies a PUT without the encryption's name is sent it, and no other bucket is."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from amazon_estimators.storage.encryption_headers import VARIABLE, add_encryption_headers
from amazon_estimators.storage.s3 import put_json

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1"
NAMED = {
    "keyed": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY},
    "plain": {"ServerSideEncryption": "AES256"},
}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv(VARIABLE, json.dumps([["keyed", KEY], ["plain", ""]]))
    made = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    add_encryption_headers(made)
    return made


def sent(client: Any, bucket: str) -> list[dict[str, Any]]:
    """What botocore sends for one JSON object and one upload in parts, after all its hooks."""
    seen: list[dict[str, Any]] = []
    client.meta.events.register(
        "before-parameter-build.s3",
        lambda params, model, **_: seen.append({"operation": model.name, **params}),
    )
    with Stubber(client) as stubber:
        stubber.add_response("put_object", {"ETag": "e"})
        put_json(client, bucket, "plan.json", {})
        stubber.add_response("create_multipart_upload", {"UploadId": "1"})
        client.create_multipart_upload(Bucket=bucket, Key="k")
    return seen


@pytest.mark.parametrize(("bucket", "expected"), [*NAMED.items(), ("other", {})])
def test_headers_by_bucket(client: Any, bucket: str, expected: dict[str, str]) -> None:
    requests = sent(client, bucket)
    assert [one["operation"] for one in requests] == ["PutObject", "CreateMultipartUpload"]
    for one in requests:
        assert {name: one[name] for name in one if name.startswith(("Server", "SSE"))} == expected


def test_what_the_caller_names_stays(client: Any) -> None:
    seen: list[dict[str, Any]] = []
    client.meta.events.register("before-parameter-build.s3", lambda params, **_: seen.append(dict(params)))
    with Stubber(client) as stubber:
        stubber.add_response(
            "put_object", {}, {"Bucket": "keyed", "Key": "k", "ServerSideEncryption": "AES256"}
        )
        client.put_object(Bucket="keyed", Key="k", ServerSideEncryption="AES256")
    assert "SSEKMSKeyId" not in seen[0]


def test_without_the_variable_nothing_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    made = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    add_encryption_headers(made)
    assert "ServerSideEncryption" not in sent(made, "keyed")[0]
