"""Define Monitoring, the prop of pipelines and endpoints that makes their alarms and their dashboard."""

from __future__ import annotations

from dataclasses import dataclass, field

from aws_cdk import Duration, Stack, Token
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_amazon_estimators.monitoring.dashboard import MonitoringDashboard
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types, known, known_seconds

WINDOW = Duration.days(7)
"""The longest time that an alarm looks back."""
ALARM_SOURCE = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"
HOUR = 3_600


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """Alarms on a pipeline or an endpoint, and its part of a dashboard. docs/monitoring.md has the reasons.

    One value serves any number of pipelines and endpoints: each takes what applies to it.

    Args:
        alarm_topic: The topic that hears each alarm that goes off, and its end. An imported one must allow
            ``cloudwatch.amazonaws.com`` to publish. Default: None, alarms without an action.
        dashboard: True for the dashboard that all of a stack share, a MonitoringDashboard to share one among
            stacks, or False. Default: True.
        failures: Alarms on executions that fail or time out, and on deployments that roll back.
            Default: True.
        dead_letters: Alarms on messages and events that could not be handled. Default: True.
        expected_every: Alarm if no model was trained for this long: whole hours, up to 7 days, which is as
            far as an alarm looks back. Default: None, because only you know.
        monthly_budget: Alarm if the trainings of 7 days cost 7/30 of this amount, which is in the currency of
            the prices (docs/cost.md). Default: None, no alarm.
        endpoint_errors: Alarm on an endpoint that answers 1 % of its requests with a server error, in two of
            three periods of 5 minutes. Default: True.
        endpoint_latency: Alarm on models that take this long on average, for three periods of 5 minutes;
            None for no alarm. Default: 1 second.
        drift: Send the alarm of a DriftMonitor to the topic. Default: True.

    Example:
        ``TrainingPipeline(…, monitoring=Monitoring(alarm_topic=topic, expected_every=Duration.days(2)))``
    """

    alarm_topic: sns.ITopic | None = None
    dashboard: bool | MonitoringDashboard = True
    failures: bool = True
    dead_letters: bool = True
    expected_every: Duration | None = None
    monthly_budget: float | None = None
    endpoint_errors: bool = True
    endpoint_latency: Duration | None = field(default_factory=lambda: Duration.seconds(1))
    drift: bool = True

    def check(self, problems: Problems, scope: Construct) -> None:
        """Note values that no alarm can have, and topics that it cannot reach."""
        check_types(problems, Monitoring.__init__, vars(self), of="Monitoring.")
        seconds = known_seconds("expected_every", self.expected_every)
        problems.unless(
            seconds is None or (HOUR <= seconds <= WINDOW.to_seconds() and seconds % HOUR == 0),
            f"Monitoring.expected_every is {seconds and round(seconds)} seconds; allowed: whole hours, 1 to "
            f"168, as far as an alarm looks back. Source: {ALARM_SOURCE}. For rarer trainings, leave it out "
            "and watch `amazon-estimators status`.",
        )
        budget = known("monthly_budget", self.monthly_budget)
        problems.unless(
            budget is None or budget > 0,
            f"Monitoring.monthly_budget is {budget}; allowed: more than 0, or None for no alarm",
        )
        latency = known("endpoint_latency", self.endpoint_latency)
        problems.unless(
            latency is None or latency.to_milliseconds() > 0,
            "Monitoring.endpoint_latency is 0; allowed: more than 0, or None for no alarm",
        )
        topic = known("alarm_topic", self.alarm_topic)
        if topic is not None and not Token.is_unresolved(topic.topic_arn):
            ours, theirs = Stack.of(scope).region, topic.topic_arn.split(":")[3]
            problems.unless(
                Token.is_unresolved(ours) or Token.is_unresolved(theirs) or theirs == ours,
                f"Monitoring.alarm_topic is in {theirs}, the alarms in {ours}; allowed: a topic of the "
                f"alarms' region. Source: {ALARM_SOURCE}",
            )

    def dashboard_of(self, scope: Construct) -> MonitoringDashboard | None:
        """Return the dashboard that ``scope`` is shown on; None without one."""
        if isinstance(self.dashboard, MonitoringDashboard):
            return self.dashboard
        return MonitoringDashboard.of(scope) if self.dashboard else None
