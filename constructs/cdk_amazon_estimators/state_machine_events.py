"""Rules for what a state machine tells, and the metrics of its functions."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from amazon_estimators.pipeline.metrics import DIMENSION, NAMESPACE
from cdk_amazon_estimators.notifications import events_of


class StateMachineEvents(Construct):
    """Makes rules and metrics of one state machine, whose ARN identifies its events and its metrics.

    Attributes:
        state_machine: The state machine.
        teller: What tells, in the description of a rule, such as ``"an endpoint"``.
    """

    state_machine: sfn.IStateMachine
    teller: str

    def _rule(self, construct_id: str, told: str, target: events.IRuleTarget | None) -> events.Rule:
        """Make a rule for events of the detail type ``told``."""
        return events.Rule(
            self,
            construct_id,
            description=f"{told} of {self.teller}",
            event_pattern=events_of(self.state_machine, told),
            targets=[] if target is None else [target],
        )

    def _metric(
        self, name: str, period: Duration | None, statistic: str = "Sum", **dimensions: str
    ) -> cloudwatch.Metric:
        """Return a metric that the functions write."""
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            statistic=statistic,
            period=period,
            dimensions_map={DIMENSION: self.state_machine.state_machine_arn, **dimensions},
        )
