"""The client's tests run against the local account of the whole test session."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from client_account import PERMISSIONS, TRUST, Account

from amazon_estimators_rehearsal.environment import client_environment
from amazon_estimators_rehearsal.platform import Platform

BUCKET = "client-tests"


@pytest.fixture(scope="session")
def trainer(platform: Platform) -> str:
    """The ARN of a role that may train; there is a bucket, too."""
    platform.client("s3").create_bucket(Bucket=BUCKET)
    iam = platform.client("iam")
    role: str = iam.create_role(RoleName="trainer", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="trainer", PolicyName="all", PolicyDocument=json.dumps(PERMISSIONS))
    return role


@pytest.fixture
def account(platform: Platform, trainer: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """A user's environment in which boto3 finds the local account."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in client_environment(platform.directory, platform.endpoint).items():
        if name.startswith(("AWS_", "NO_PROXY", "no_proxy")):
            monkeypatch.setenv(name, value)
    yield Account(boto3.Session(region_name="us-east-1"), BUCKET, trainer)
