"""The deployed KMeans pipeline of app.py, and what tests do to it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import numpy as np

from amazon_estimators_rehearsal.follow import Ended, executions, follow
from amazon_estimators_rehearsal.platform import Platform


class Pipeline:
    """The deployed KMeans pipeline, as its user meets it: a bucket and what comes of an upload."""

    def __init__(self, platform: Platform, outputs: dict[str, str]) -> None:
        self.platform = platform
        self.s3, self.states = platform.client("s3"), platform.client("stepfunctions")
        self.sagemaker = platform.client("sagemaker")
        self.bucket, self.machine = outputs["KMeansDataBucket"], outputs["KMeansStateMachine"]
        self.train = f"{outputs['KMeansInputPrefix']}train/"
        self.record_sets = outputs["KMeansInputPrefix"].replace("input/", "recordsets/")

    def train_on(self, name: str, body: bytes) -> Ended:
        """Upload one file as the channel's only input and follow what that sets off to its end."""
        self.empty(self.train)
        known = executions(self.states, self.machine)
        self.s3.put_object(Bucket=self.bucket, Key=f"{self.train}{name}", Body=body)
        self.s3.put_object(Bucket=self.bucket, Key=f"{self.train}_SUCCESS")
        *_, last = follow(self.states, self.machine, known=known, timeout=120)
        assert isinstance(last, Ended)
        return last

    def empty(self, prefix: str) -> None:
        for found in self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", ()):
            self.s3.delete_object(Bucket=self.bucket, Key=found["Key"])

    def jobs(self) -> set[str]:
        pages = self.sagemaker.get_paginator("list_training_jobs").paginate()
        return {job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]}

    def manifests(self) -> set[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.record_sets)
        keys = (found["Key"] for page in pages for found in page.get("Contents", ()))
        return {key for key in keys if key.endswith(".amazon.manifest")}

    def read(self, uri: str) -> bytes:
        place = urlsplit(uri)
        return self.s3.get_object(Bucket=place.netloc, Key=place.path[1:])["Body"].read()

    def shards(self, manifest_uri: str) -> list[bytes]:
        head, *names = json.loads(self.read(manifest_uri))
        return [self.read(head["prefix"] + name) for name in names]


def npy(table: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, table)
    return file.getvalue()


@contextmanager
def without_permissions(platform: Platform, role: str) -> Iterator[None]:
    """The role with its inline policies taken away, for the time of the block."""
    iam = platform.client("iam")
    policies = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    assert policies, f"{role} has no inline policy to take away"
    for name in policies:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    try:
        yield
    finally:
        for name, document in policies.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def roles(platform: Platform, *words: str) -> list[str]:
    pages = platform.client("iam").get_paginator("list_roles").paginate()
    names = [role["RoleName"] for page in pages for role in page["Roles"]]
    return [
        name for name in names if name.startswith("AmazonEstimators-") and all(word in name for word in words)
    ]
