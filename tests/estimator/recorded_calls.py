"""AWS in memory for the client's fast tests: every API call is recorded, S3 and training jobs answer."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import boto3
import botocore.client
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/trainer"
STARTED = "2026-01-02T03:04:05Z"


@dataclass
class Calls:
    """The calls made, by operation; ``objects`` is S3 by (bucket, key)."""

    made: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    session: Any = None

    def of(self, operation: str) -> list[dict[str, Any]]:
        """Return the parameters of every call of an operation."""
        return [parameters for name, parameters in self.made if name == operation]

    @property
    def request(self) -> dict[str, Any]:
        """The one CreateTrainingJob request."""
        [request] = self.of("CreateTrainingJob")
        return request

    def answer(self, client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Stand for botocore."""
        self.made.append((operation, parameters))
        answer = self.answers.get(operation)
        if isinstance(answer, ClientError):
            raise answer
        if answer is not None:
            return dict(answer)
        where = (parameters.get("Bucket", ""), parameters.get("Key", ""))
        if operation == "PutObject":
            body = parameters["Body"]
            self.objects[where] = bytes(body.read() if hasattr(body, "read") else body)
            return {"ETag": '"0"'}
        if operation == "GetObject":
            if where not in self.objects:
                raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no such key"}}, operation)
            first, _, last = parameters.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
            stop = int(last) + 1 if last else None
            return {"Body": io.BytesIO(self.objects[where][int(first) : stop])}
        if operation == "ListObjectsV2":
            bucket, prefix = parameters["Bucket"], parameters.get("Prefix", "")
            keys = sorted(key for place, key in self.objects if place == bucket and key.startswith(prefix))
            return {"Contents": [{"Key": key, "Size": len(self.objects[bucket, key])} for key in keys]}
        answers: dict[str, dict[str, Any]] = {
            "CreateTrainingJob": {"TrainingJobArn": "arn"},
            "GetRole": {"Role": {"Arn": ROLE}},
            "GetCallerIdentity": {"Account": "123456789012", "Arn": ROLE},
        }
        return answers.get(operation, {})


@contextmanager
def recorded_calls(**answers: Any) -> Iterator[Calls]:
    """Record all calls of boto3; ``answers`` are by operation."""
    calls = Calls(answers=answers, session=boto3.Session("key", "secret", region_name="us-east-1"))
    with mock.patch.object(botocore.client.BaseClient, "_make_api_call", _bound(calls)):
        yield calls


def _bound(calls: Calls) -> Any:
    def answer(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        return calls.answer(client, operation, parameters)

    return answer
