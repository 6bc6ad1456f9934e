"""Ways to shift traffic to a new model: all at once, a canary first, or in equal steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from aws_cdk import Duration

from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types

SOURCE = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_BlueGreenUpdatePolicy.html"
ROUTING = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrafficRoutingConfig.html"
LONGEST_WAIT = 3_600


class Traffic(Protocol):
    """A way to move traffic to new instances, blue to green."""

    @property
    def bake(self) -> Duration:
        """Return how long alarms are watched with all traffic on the new instances, before the old end."""

    def check(self, problems: Problems) -> bool:
        """Note settings that SageMaker would refuse; return True if there are none."""

    def routing(self) -> dict[str, Any]:
        """Return the TrafficRoutingConfiguration."""

    def seconds(self) -> int:
        """Return how long it waits in all."""


@dataclass(frozen=True, kw_only=True)
class AllAtOnce:
    """Moves all traffic in one step.

    Args:
        bake: How long alarms are watched before the old instances end, up to 1 hour. Default: none.
    """

    bake: Duration = field(default_factory=lambda: Duration.seconds(0))

    def check(self, problems: Problems) -> bool:
        """Note settings that SageMaker would refuse; return True if there are none."""
        return check_types(problems, AllAtOnce.__init__, vars(self), of="AllAtOnce.") and _check_waits(
            problems, "AllAtOnce", bake=self.bake
        )

    def routing(self) -> dict[str, Any]:
        """Return the TrafficRoutingConfiguration."""
        return {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}

    def seconds(self) -> int:
        """Return how long it waits in all."""
        return int(self.bake.to_seconds())


@dataclass(frozen=True, kw_only=True)
class Canary:
    """Moves a part of the traffic, waits, then moves the rest.

    Args:
        percent: The part of the new capacity that takes traffic first, 1 to 50. Default: 10.
        wait: How long alarms are watched then, up to 1 hour. Default: 5 minutes.
        bake: How long they are watched with all traffic, up to 1 hour. Default: none.
    """

    percent: int = 10
    wait: Duration = field(default_factory=lambda: Duration.minutes(5))
    bake: Duration = field(default_factory=lambda: Duration.seconds(0))

    def check(self, problems: Problems) -> bool:
        """Note settings that SageMaker would refuse; return True if there are none."""
        if not check_types(problems, Canary.__init__, vars(self), of="Canary."):
            return False
        fits = _check_percent(problems, "Canary", self.percent, 1)
        return _check_waits(problems, "Canary", wait=self.wait, bake=self.bake) and fits

    def routing(self) -> dict[str, Any]:
        """Return the TrafficRoutingConfiguration."""
        size = {"Type": "CAPACITY_PERCENT", "Value": self.percent}
        return {"Type": "CANARY", "CanarySize": size, "WaitIntervalInSeconds": self.wait.to_seconds()}

    def seconds(self) -> int:
        """Return how long it waits in all."""
        return int(self.wait.to_seconds() + self.bake.to_seconds())


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Moves the traffic in equal steps, and waits after each.

    Args:
        percent: The part of the capacity in one step, 10 to 50. Default: 25.
        wait: How long alarms are watched after each step, up to 1 hour. Default: 5 minutes.
        bake: How long they are watched with all traffic, up to 1 hour. Default: none.
    """

    percent: int = 25
    wait: Duration = field(default_factory=lambda: Duration.minutes(5))
    bake: Duration = field(default_factory=lambda: Duration.seconds(0))

    def check(self, problems: Problems) -> bool:
        """Note settings that SageMaker would refuse; return True if there are none."""
        if not check_types(problems, Linear.__init__, vars(self), of="Linear."):
            return False
        fits = _check_percent(problems, "Linear", self.percent, 10)
        return _check_waits(problems, "Linear", wait=self.wait, bake=self.bake) and fits

    def routing(self) -> dict[str, Any]:
        """Return the TrafficRoutingConfiguration."""
        size = {"Type": "CAPACITY_PERCENT", "Value": self.percent}
        return {"Type": "LINEAR", "LinearStepSize": size, "WaitIntervalInSeconds": self.wait.to_seconds()}

    def seconds(self) -> int:
        """Return how long it waits in all."""
        steps = -(-100 // self.percent)
        return int(steps * self.wait.to_seconds() + self.bake.to_seconds())


def _check_waits(problems: Problems, of: str, **waits: Duration) -> bool:
    long = {name: wait for name, wait in waits.items() if wait.to_seconds() > LONGEST_WAIT}
    for name, wait in long.items():
        source = SOURCE if name == "bake" else ROUTING
        problems.unless(
            False, f"{of}.{name} is {wait.to_human_string()}; allowed: up to 1 hour. Source: {source}"
        )
    return not long


def _check_percent(problems: Problems, of: str, percent: int, least: int) -> bool:
    fits = least <= percent <= 50
    problems.unless(fits, f"{of}.percent is {percent}; allowed: {least} to 50. Source: {ROUTING}")
    return fits
