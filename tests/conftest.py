"""One local AWS account for the whole test session, started when the first test asks for it."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator, Iterator
from typing import Any

import hypothesis
import pytest
from coverage import Coverage
from xdist.scheduler import LoadFileScheduling

from amazon_estimators_rehearsal.environment import node_binary
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.samples import SAMPLES

# The tests' own stacks need no Node of the machine's, either.
os.environ["JSII_NODE"] = str(node_binary())
# CDK's own check of templates takes seconds in each process; tests/constructs/test_app.py runs it.
os.environ["CDK_VALIDATION"] = "false"

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

STACK = (
    "tests/deployed/",
    "tests/estimator/test_fit_through_pipeline.py",
    "tests/rehearsal/test_rehearsal_driver.py",
)
"""Where ``outputs`` is used: one process runs all of these, and deploys the stack once."""


TRACED_SECONDS = 0.5
"""Coverage doubles the time of a test. What its first half second does not reach, its repeats seldom do."""


SPREAD = ("tests/triggers/test_starter_model.py",)
"""Files whose tests share nothing and take long: all processes run them."""


class ByFile(LoadFileScheduling):
    """With ``-n``, the tests of one file run in one process, so that what they share is made once."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(SPREAD):
            return nodeid
        return STACK[0] if nodeid.startswith(STACK) else super()._split_scope(nodeid)


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors: tests of deployments wait for functions and jobs."""
    return min(os.cpu_count() or 1, 3) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Search no garbage among what is imported and collected: all of it stays until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Longest first, so that no process has much left to do when the others are done."""
    items.sort(key=lambda item: (not item.nodeid.startswith(STACK), not item.get_closest_marker("deployed")))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, bool, bool]:
    """Measure coverage of a test's first half second of CPU time, not of all."""
    measured = Coverage.current()
    if measured is None:
        return (yield)
    stopped = False

    def stop(*_: Any) -> None:
        nonlocal stopped
        stopped = True
        measured.stop()

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, TRACED_SECONDS)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        if stopped:
            measured.start()


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
    algorithms = {name: make(tmp_path_factory.mktemp(name)).settings() for name, make in SAMPLES.items()}
    return platform.deploy({"algorithms": algorithms})
