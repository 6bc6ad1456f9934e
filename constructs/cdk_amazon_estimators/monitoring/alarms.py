"""Make the alarms of one pipeline or endpoint, and let them reach the topic."""

from __future__ import annotations

from weakref import WeakSet

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_amazon_estimators.access.key_policies import allow_alarms
from cdk_amazon_estimators.monitoring.settings import Monitoring

PERIOD = Duration.minutes(5)
GUIDE = "docs/monitoring.md"

_open: WeakSet[sns.Topic] = WeakSet()
"""Topics whose policy allows CloudWatch to publish."""


class Alarms(Construct):
    """Makes alarms, each with the topic as its action.

    Attributes:
        all: The alarms by now, with those that were made elsewhere and got the action here.
    """

    def __init__(self, scope: Construct, monitoring: Monitoring) -> None:
        super().__init__(scope, "Monitoring")
        self.all: list[cloudwatch.IAlarm] = []
        self._topic = monitoring.alarm_topic

    def add(
        self,
        construct_id: str,
        metric: cloudwatch.IMetric,
        *,
        at_least: float | None = None,
        less_than: float | None = None,
        description: str,
        periods: int = 1,
        breaching: int = 1,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> cloudwatch.Alarm:
        """Make an alarm on ``metric``.

        Args:
            construct_id: Its id.
            metric: The metric, whose period is that of the alarm.
            at_least: Go off at this value and above; or
            less_than: below this one.
            description: What is wrong, for who is woken up.
            periods: The number of periods to look at.
            breaching: The number of those that must be beyond the limit.
            missing: How a period without a value counts.
        """
        operators = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            threshold=at_least if at_least is not None else less_than or 0,
            comparison_operator=operators.LESS_THAN_THRESHOLD
            if at_least is None
            else operators.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            alarm_description=f"{description} {GUIDE}",
            evaluation_periods=periods,
            datapoints_to_alarm=breaching,
            treat_missing_data=missing,
        )
        self.adopt(alarm)
        return alarm

    def adopt(self, alarm: cloudwatch.AlarmBase) -> None:
        """Send an alarm to the topic."""
        self.all.append(alarm)
        if self._topic is not None:
            alarm.add_alarm_action(actions.SnsAction(self._topic))
            _let_publish(self._topic)

    def on_executions(self, machine: sfn.IStateMachine, what: str) -> None:
        """Alarm on executions that fail or time out, as Step Functions itself counts them.

        Args:
            machine: The state machine.
            what: What it runs, such as ``"A training"``.
        """
        ends = {"Failed": machine.metric_failed, "TimedOut": machine.metric_timed_out}
        for construct_id, metric in ends.items():
            how = "failed" if construct_id == "Failed" else "timed out"
            self.add(
                construct_id,
                counted(metric(statistic="Sum"), PERIOD),
                at_least=1,
                description=f"{what} of {self.node.scope and self.node.scope.node.path} {how}.",
            )

    def on_messages(self, construct_id: str, queue: sqs.IQueue, description: str) -> None:
        """Alarm on a message in a queue that should be empty."""
        metric = queue.metric_approximate_number_of_messages_visible(statistic="Maximum")
        self.add(construct_id, counted(metric, PERIOD), at_least=1, description=description)


def counted(metric: cloudwatch.IMetric, period: Duration) -> cloudwatch.MathExpression:
    """Return a metric with 0 where it has no value.

    Without that, an alarm reaches back beyond its periods for the last value that there is: it ends late, and
    one on a value that does not come goes off late.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    return cloudwatch.MathExpression(
        expression="FILL(m, 0)", using_metrics={"m": metric}, period=period, label="count"
    )


def _let_publish(topic: sns.ITopic) -> None:
    """Allow CloudWatch to publish to a topic of this app, and to use its key.

    A topic with any statement of its own in its policy no longer has that of the service, which allows it.
    """
    if not isinstance(topic, sns.Topic) or topic in _open:
        return
    _open.add(topic)
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["sns:Publish"],
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
    if topic.master_key is not None:
        allow_alarms(topic.master_key)
