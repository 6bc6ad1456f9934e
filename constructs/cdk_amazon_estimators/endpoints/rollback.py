"""The DeploymentConfig of an endpoint's updates: how traffic moves, and the alarms that move it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jsii
from aws_cdk import Duration, IStableAnyProducer, Lazy
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk_amazon_estimators.endpoints.traffic import Traffic


def deployment_config(traffic: Traffic, timeout: Duration, alarms: Sequence[cloudwatch.IAlarm]) -> Any:
    """Return the DeploymentConfig as a token: alarms may be added until the app is synthesised.

    Args:
        traffic: How traffic moves.
        timeout: The most time the update may take.
        alarms: The alarms by now.
    """
    policy = {
        "TrafficRoutingConfiguration": traffic.routing(),
        "TerminationWaitInSeconds": traffic.bake.to_seconds(),
        "MaximumExecutionTimeoutInSeconds": timeout.to_seconds(),
    }
    return Lazy.any(_Config(policy, alarms))


@jsii.implements(IStableAnyProducer)
class _Config:
    def __init__(self, policy: dict[str, Any], alarms: Sequence[cloudwatch.IAlarm]) -> None:
        self._policy, self._alarms = policy, alarms

    def produce(self) -> Any:
        names = [{"AlarmName": alarm.alarm_name} for alarm in self._alarms]
        rollback = {"AutoRollbackConfiguration": {"Alarms": names}} if names else {}
        return {"BlueGreenUpdatePolicy": self._policy, **rollback}
