"""The DeploymentConfig of UpdateEndpoint: what the service refuses, and the steps in which traffic moves.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeploymentConfig.html
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amazon_estimators_rehearsal.sagemaker.account import Account, Credentials

HASTE = 0.01
"""A wait of a minute takes 0.6 seconds here."""
LOOK_SECONDS = 0.2
SIZES = {"CANARY": ("CanarySize", 1, 50), "LINEAR": ("LinearStepSize", 10, 50)}
"""The member with the size of a step, and the percentages it may have."""


@dataclass(frozen=True)
class Step:
    """A part of the traffic, from 0 to 1, that the new instances take, and the seconds of watching after."""

    share: float
    seconds: float


def problems(config: Mapping[str, Any], instances: int) -> Iterator[str]:
    """Yield what the service refuses of a DeploymentConfig for a variant of so many instances."""
    if "RollingUpdatePolicy" in config:
        yield "The stand-in deploys blue/green: no RollingUpdatePolicy."
        return
    policy = config.get("BlueGreenUpdatePolicy")
    if policy is None:
        return
    routing = policy["TrafficRoutingConfiguration"]
    kind = routing["Type"]
    member, least, most = SIZES.get(kind, ("", 0, 0))
    for other in ("CanarySize", "LinearStepSize"):
        if (other == member) != (other in routing):
            yield f"{other} must {'' if other == member else 'not '}be given with a routing type of {kind}."
    if member in routing:
        percent = 100 * _share(routing[member], instances)
        if not least <= percent <= most:
            yield f"{member} is {percent:g} percent of the capacity; allowed: {least} to {most}."
    longest = policy.get("MaximumExecutionTimeoutInSeconds")
    waits = sum(step.seconds for step in steps(config, instances))
    if longest is not None and waits >= longest:
        yield f"MaximumExecutionTimeoutInSeconds is {longest}; it must be above the total wait of {waits:g}."


def steps(config: Mapping[str, Any], instances: int) -> list[Step]:
    """Return the steps of a deployment."""
    policy = config.get("BlueGreenUpdatePolicy") or {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE"}}
    routing = policy["TrafficRoutingConfiguration"]
    member = SIZES.get(routing["Type"], ("",))[0]
    wait, bake = routing.get("WaitIntervalInSeconds", 0), policy.get("TerminationWaitInSeconds", 0)
    if member not in routing:
        return [Step(1.0, bake)]
    size = _share(routing[member], instances)
    if member == "CanarySize":
        return [Step(size, wait), Step(1.0, bake)]
    shares = [min(1.0, number * size) for number in range(1, round(1 / size + 0.499) + 1)]
    return [*(Step(share, wait) for share in shares), Step(1.0, bake)]


class RolledBackError(Exception):
    """Raised if traffic has to go back. The text is the endpoint's FailureReason, which is often empty."""


def watch(account: Account, role: Credentials, names: Sequence[str], seconds: float) -> None:
    """Watch alarms as the execution role, which must be allowed to describe them.

    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html

    Raises:
        RolledBackError: An alarm is in ALARM, which the service gives as no reason, or the role may not look.
    """
    arns = f"arn:aws:cloudwatch:{account.region}:{account.account_id}:alarm:"
    for name in names:
        denial = account.denial(role.access_key_id, "cloudwatch:DescribeAlarms", arns + name)
        if denial:
            raise RolledBackError(denial)
    end = time.monotonic() + seconds * HASTE
    while True:
        if account.alarming(names):
            raise RolledBackError
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, LOOK_SECONDS))


def _share(size: Mapping[str, Any], instances: int) -> float:
    whole = 100 if size["Type"] == "CAPACITY_PERCENT" else instances
    return float(size["Value"]) / whole
