"""Fixtures for tests of your own stacks. In ``conftest.py``::

pytest_plugins = ["amazon_estimators_rehearsal.pytest_plugin"]
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from amazon_estimators_rehearsal.environment import node_binary
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.testing import RehearsedStack
from amazon_estimators_rehearsal.testing import rehearsed as rehearse

# CDK starts Node for the first construct: the one of the rehearsal, unless another is chosen.
os.environ.setdefault("JSII_NODE", str(node_binary()))


@pytest.fixture(scope="session")
def local_platform() -> Iterator[Platform]:
    """A local AWS account with IAM enforced. It is stopped when the session ends."""
    with Platform() as platform:
        yield platform


@pytest.fixture(scope="session")
def rehearsed(local_platform: Platform) -> Callable[[Any], RehearsedStack]:
    """Return the function that deploys a stack to ``local_platform``: ``rehearsed(stack)``."""
    return partial(rehearse, platform=local_platform)
