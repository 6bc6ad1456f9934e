"""The methods of an endpoint that other parts of an app use: grants, event rules and metrics."""

from __future__ import annotations

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam

from amazon_estimators.pipeline.event_names import ENDPOINT_FAILED, ROLLED_BACK, UPDATED
from amazon_estimators.pipeline.metrics import ENDPOINT_COUNTS
from amazon_estimators.serving.wanted import VARIANT
from cdk_amazon_estimators.state_machine_events import StateMachineEvents


class EndpointEvents(StateMachineEvents):
    """Grants on an endpoint, rules for what it tells, and its metrics.

    Attributes:
        endpoint_name: The endpoint's name. It exists once there is a model.
        state_machine: The state machine that deploys to it.
    """

    endpoint_name: str
    teller = "an endpoint"

    @property
    def endpoint_arn(self) -> str:
        """Return the endpoint's ARN, which SageMaker writes in lower case."""
        return Stack.of(self).format_arn(
            service="sagemaker",
            resource="endpoint",
            resource_name=self.endpoint_name.lower(),
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` send requests to the endpoint."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["sagemaker:InvokeEndpoint"], resource_arns=[self.endpoint_arn]
        )

    def on_updated(self, construct_id: str, *, target: events.IRuleTarget | None = None) -> events.Rule:
        """Make a rule for each ``Endpoint Updated``: a model is in service and has answered.

        Args:
            construct_id: The id of the rule, below the endpoint.
            target: Where events go. Default: none; add targets to the rule.
        """
        return self._rule(construct_id, UPDATED, target)

    def on_rolled_back(self, construct_id: str, *, target: events.IRuleTarget | None = None) -> events.Rule:
        """Make a rule for each ``Endpoint Rolled Back``: the model before serves again."""
        return self._rule(construct_id, ROLLED_BACK, target)

    def on_failed(self, construct_id: str, *, target: events.IRuleTarget | None = None) -> events.Rule:
        """Make a rule for each ``Endpoint Failed``, with its error, cause and remedy."""
        return self._rule(construct_id, ENDPOINT_FAILED, target)

    def metric_updates(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of models that came into service, as a sum. ``period``: by default 5 minutes."""
        return self._metric(ENDPOINT_COUNTS[UPDATED], period)

    def metric_rollbacks(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of deployments that were rolled back, as a sum."""
        return self._metric(ENDPOINT_COUNTS[ROLLED_BACK], period)

    def metric_failures(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of deployments that failed, as a sum."""
        return self._metric(ENDPOINT_COUNTS[ENDPOINT_FAILED], period)

    def metric(
        self, name: str, *, statistic: str = "Sum", period: Duration | None = None
    ) -> cloudwatch.Metric:
        """Return one of SageMaker's own metrics of the endpoint.

        Args:
            name: Such as ``"Invocations"``, ``"Invocation5XXErrors"`` or ``"ModelLatency"``, which is in
                microseconds: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
            statistic: The CloudWatch statistic. Default: ``"Sum"``.
            period: The period of a value. Default: 5 minutes.
        """
        return cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name=name,
            statistic=statistic,
            period=period,
            dimensions_map={"EndpointName": self.endpoint_name, "VariantName": VARIANT},
        )
