"""One local AWS account for the whole test session, started when the first deployed test asks for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from amazon_estimators_rehearsal.environment import node_binary
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.samples import SAMPLES

# The tests' own stacks need no Node of the machine's, either.
os.environ["JSII_NODE"] = str(node_binary())


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """An empty account with IAM enforced; stopped, with all it started, when the session ends."""
    with Platform() as started:
        yield started


@pytest.fixture(scope="session")
def outputs(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """app.py with all ten algorithms, deployed by the real CDK CLI: the stack's outputs.

    Each is set as its sample wants it; nobody else deploys this stack again.
    """
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    algorithms = {name: make(tmp_path_factory.mktemp(name)).settings() for name, make in SAMPLES.items()}
    return platform.deploy({"algorithms": algorithms, "lambda_python": python, "lambda_platform": "host"})
