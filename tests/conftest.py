"""One local AWS account for the whole test session, started when the first deployed test asks for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from amazon_estimators_rehearsal.platform import Platform


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """An empty account with IAM enforced; stopped, with all it started, when the session ends."""
    with Platform() as started:
        yield started


@pytest.fixture(scope="session")
def outputs(platform: Platform) -> dict[str, str]:
    """app.py as it is shipped, deployed by the real CDK CLI: the stack's outputs."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return platform.deploy({"lambda_python": python, "lambda_platform": "host"})
