"""The methods of a prediction pipeline that other parts of an app use: grants, event rules and metrics."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam

from amazon_estimators.pipeline.event_names import (
    NOT_PREDICTED,
    PREDICTED,
    PREDICTIONS_SKIPPED,
    PREDICTIONS_WAITING,
)
from amazon_estimators.pipeline.metrics import EXECUTION_SECONDS, PREDICTION_COUNTS
from cdk_amazon_estimators.state_machine_events import StateMachineEvents


class PredictionEvents(StateMachineEvents):
    """Grants on a prediction pipeline, rules for what it tells, and its metrics.

    Attributes:
        state_machine: The state machine that scores.
    """

    teller = "a prediction pipeline"

    def grant_start_execution(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` start an execution."""
        return self.state_machine.grant_start_execution(grantee)

    def on_predictions_ready(
        self, construct_id: str, *, target: events.IRuleTarget | None = None
    ) -> events.Rule:
        """Make a rule for each ``Predictions Ready``: its detail names the manifest.

        Args:
            construct_id: The id of the rule, below the pipeline.
            target: Where events go. Default: none; add targets to the rule.
        """
        return self._rule(construct_id, PREDICTED, target)

    def on_predictions_failed(
        self, construct_id: str, *, target: events.IRuleTarget | None = None
    ) -> events.Rule:
        """Make a rule for each ``Predictions Failed``, with its error, cause and remedy."""
        return self._rule(construct_id, NOT_PREDICTED, target)

    def metric_ready(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of scorings that ended well, as a sum. ``period``: by default 5 minutes."""
        return self._metric(PREDICTION_COUNTS[PREDICTED], period)

    def metric_failed(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of scorings that failed, as a sum."""
        return self._metric(PREDICTION_COUNTS[NOT_PREDICTED], period)

    def metric_skipped(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of requests that started no scoring, as a sum."""
        return self._metric(PREDICTION_COUNTS[PREDICTIONS_SKIPPED], period)

    def metric_waiting(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return how often a transform job waited for capacity, as a sum."""
        return self._metric(PREDICTION_COUNTS[PREDICTIONS_WAITING], period)

    def metric_execution_seconds(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the time that executions took until they announced their end, as a maximum."""
        return self._metric(EXECUTION_SECONDS, period, "Maximum")
