"""What a program finds when it begins, and the table of all programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Surroundings:
    """What a notebook has defined before the first cell that is of interest here."""

    role: str
    bucket: str
    session: Any
    prefix: str
    rows: Any
    labels: Any
    counts: Any

    @property
    def location(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def instances(self) -> dict[str, Any]:
        return {
            "instance_count": 1,
            "instance_type": "ml.m5.large",
            "data_location": self.location,
            "sagemaker_session": self.session,
        }

    def upload(self, name: str, body: bytes) -> str:
        self.session.client("s3").put_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}", Body=body)
        return f"{self.location}/{name}"

    def download(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bytes(self.session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


Program = Callable[[Surroundings], None]
PROGRAMS: list[Program] = []


def program(function: Program) -> Program:
    PROGRAMS.append(function)
    return function


def label_of(record: Any, name: str) -> list[float]:
    return list(record.label[name].float32_tensor.values)
