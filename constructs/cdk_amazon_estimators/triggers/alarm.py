"""Train when a CloudWatch alarm goes off: drift, a falling business metric, any threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events

from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types
from cdk_amazon_estimators.triggers.listener import Listener


@dataclass(frozen=True)
class AlarmTrigger:
    """Trains when ``alarm`` enters ALARM, on the current input, even if that has been trained before.

    Attributes:
        alarm: Any CloudWatch alarm of this account and region, also a composite one.
        cool_down: Ignore the alarm for this long after it started a training. Default: 1 hour.
    """

    alarm: cloudwatch.IAlarm
    cool_down: Duration = field(default_factory=lambda: Duration.hours(1), kw_only=True)

    def check(self, problems: Problems, outputs: Sequence[str]) -> None:
        check_types(problems, AlarmTrigger.__init__, vars(self), of="AlarmTrigger.")

    def bind(self, starter: Listener, construct_id: str) -> None:
        pattern = events.EventPattern(
            source=["aws.cloudwatch"],
            detail_type=["CloudWatch Alarm State Change"],
            resources=[self.alarm.alarm_arn],
            detail={"state": {"value": ["ALARM"]}},
        )
        starter.on_event(
            construct_id,
            pattern,
            {
                "trigger": "alarm",
                "alarm": self.alarm.alarm_arn,
                "cool_down_seconds": self.cool_down.to_seconds(),
                "time": events.EventField.time,
                "event": events.EventField.event_id,
            },
            description="Tells the starter that an alarm went off",
        )
