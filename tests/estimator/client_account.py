"""An account of its own for the client's tests: a bucket, a role that may train."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
PERMISSIONS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:*", "logs:*", "cloudwatch:PutMetricData", "ecr:*"],
            "Resource": "*",
        }
    ],
}


@dataclass(frozen=True)
class Account:
    """``location`` is an S3 prefix that nobody else writes to."""

    session: Any
    bucket: str
    role: str

    @property
    def s3(self) -> Any:
        return self.session.client("s3")

    @property
    def location(self) -> str:
        return f"s3://{self.bucket}/{uuid4().hex}"

    def keys(self, uri: str) -> list[str]:
        """All keys under an S3 URI, relative to it."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [one["Key"].removeprefix(prefix) for page in pages for one in page.get("Contents", ())]

    def json(self, uri: str) -> Any:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
