"""The deployed account of the tests of endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from endpoint_account import EndpointAccount

from amazon_estimators_rehearsal.platform import Platform


@pytest.fixture(scope="session")
def account() -> Iterator[EndpointAccount]:
    """The pipeline and its endpoint, deployed with IAM enforced."""
    with Platform(app=Path(__file__).parent / "app") as platform:
        yield EndpointAccount(platform, platform.deploy({}))
