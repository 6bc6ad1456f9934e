"""Train on a schedule, if there is new data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aws_cdk import Duration, TimeZone
from aws_cdk import aws_scheduler as scheduler

from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types, known_seconds
from cdk_amazon_estimators.triggers.listener import Listener


@dataclass(frozen=True, kw_only=True)
class ScheduleTrigger:
    """Trains at the times of a schedule, unless the data set was trained last; an event then says so.

    A data set whose training failed is tried again.

    Attributes:
        schedule: The schedule, such as ``ScheduleExpression.cron(hour="3", minute="0")`` or
            ``.rate(Duration.hours(6))``.
        time_zone: The time zone of a cron expression. Default: UTC.
        flexible_window: Start within this time after the scheduled one, which spreads load; 1 minute to 1
            day, or None to start on time. Default: 15 minutes.
        retrain_unchanged: Train even if nothing has changed. Default: False.
    """

    schedule: scheduler.ScheduleExpression
    time_zone: TimeZone | None = None
    flexible_window: Duration | None = field(default_factory=lambda: Duration.minutes(15))
    retrain_unchanged: bool = False

    def check(self, problems: Problems, outputs: Sequence[str]) -> None:
        check_types(problems, ScheduleTrigger.__init__, vars(self), of="ScheduleTrigger.")
        window = known_seconds("flexible_window", self.flexible_window)
        problems.unless(
            window is None or (60 <= window <= 86_400 and window % 60 == 0),
            f"ScheduleTrigger.flexible_window is {window} s; allowed: whole minutes, 1 minute to 1 day, "
            "or None to start on time",
        )

    def bind(self, starter: Listener, construct_id: str) -> None:
        window = self.flexible_window
        zone = self.time_zone or self.schedule.time_zone or TimeZone.ETC_UTC
        starter.on_schedule(
            construct_id,
            expression=self.schedule.expression_string,
            time_zone=zone.timezone_name,
            window_minutes=None if window is None else int(window.to_minutes(integral=False)),
            # The service fills in the scheduled time, the same for every delivery.
            message={
                "trigger": "schedule",
                "time": "<aws.scheduler.scheduled-time>",
                "retrain_unchanged": self.retrain_unchanged,
            },
        )
