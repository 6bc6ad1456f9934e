"""One account for all tests of serving: models are trained once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from serving_account import ServingAccount, make_role, new_session, unique

from amazon_estimators.client import training_job
from amazon_estimators_rehearsal.environment import client_environment
from amazon_estimators_rehearsal.platform import Platform

EVERYTHING = {"s3:*": "*", "logs:*": "*", "cloudwatch:PutMetricData": "*", "ecr:*": "*"}


@pytest.fixture(scope="session")
def serving(platform: Platform) -> Iterator[ServingAccount]:
    """The account, in a user's environment in which boto3 finds it, with short waits."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in client_environment(platform.directory, platform.endpoint).items():
            if name.startswith(("AWS_", "NO_PROXY", "no_proxy")):
                patch.setenv(name, value)
        patch.setattr(training_job, "POLL_SECONDS", 0.1)
        bucket = unique("serving")
        platform.client("s3").create_bucket(Bucket=bucket)
        yield ServingAccount(new_session(), bucket, make_role(platform.client("iam"), EVERYTHING))
