"""Watch an endpoint: its alarms, and its section of the dashboard."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from amazon_estimators.pipeline.event_names import ENDPOINT_FAILED, ROLLED_BACK, UPDATED
from amazon_estimators.pipeline.metrics import ERROR
from amazon_estimators.serving.wanted import VARIANT
from cdk_amazon_estimators.endpoints.endpoint_events import EndpointEvents
from cdk_amazon_estimators.monitoring.alarms import PERIOD, Alarms, counted
from cdk_amazon_estimators.monitoring.dashboard import Section
from cdk_amazon_estimators.monitoring.settings import Monitoring
from cdk_amazon_estimators.monitoring.widgets import DAY, HOUR, graph, lines_table, named

ERRORS = 0.01
"""The share of requests, which is the average of Invocation5XXErrors: 1 for each error, 0 for all others.
https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html"""


class EndpointWatch:
    """Makes the alarms of an endpoint, and shows it on the dashboard.

    Args:
        endpoint: The endpoint.
        monitoring: What to make.
        about: What it is, in Markdown.
        has_instances: False for a serverless one.
        undelivered: The queue of events that it did not hear.
        tell: The function that tells how deployments ended.
    """

    def __init__(
        self,
        endpoint: EndpointEvents,
        monitoring: Monitoring,
        *,
        about: str,
        has_instances: bool,
        undelivered: sqs.IQueue,
        tell: lambda_.Function,
    ) -> None:
        self._endpoint, self._monitoring = endpoint, monitoring
        self._alarms = Alarms(endpoint, monitoring)
        self._make_alarms(undelivered)
        self._section = Section(title=endpoint.node.path, about=about, alarms=self._alarms.all)
        dashboard = monitoring.dashboard_of(endpoint)
        if dashboard is None:
            return
        self._section.rows = [self._requests(has_instances=has_instances), self._deployments(tell)]
        self._section.failed = named(
            endpoint.state_machine.metric_failed(statistic="Sum", period=DAY), endpoint.node.path
        )
        dashboard.add(endpoint, self._section)

    def drift(
        self,
        alarm: cloudwatch.Alarm,
        *,
        features: cloudwatch.Metric,
        largest: cloudwatch.Metric,
        requests: cloudwatch.Metric,
    ) -> None:
        """Watch the drift of the endpoint too.

        Args:
            alarm: The monitor's alarm.
            features: The number of features that moved.
            largest: How far the one moved that moved most.
            requests: The number of requests compared.
        """
        if self._monitoring.drift:
            self._alarms.adopt(alarm)
        self._section.rows.append(
            [
                graph("Features that moved", [named(features, "features")], width=8, unit="number"),
                graph("Largest drift", [named(largest, "population stability index")], width=8),
                graph("Requests compared", [named(requests, "requests")], width=8, unit="number"),
            ]
        )

    def _make_alarms(self, undelivered: sqs.IQueue) -> None:
        endpoint, monitoring, alarms = self._endpoint, self._monitoring, self._alarms
        path = endpoint.node.path
        if monitoring.failures:
            alarms.on_executions(endpoint.state_machine, "A deployment")
            alarms.add(
                "RolledBack",
                counted(endpoint.metric_rollbacks(), PERIOD),
                at_least=1,
                description=f"{path} went back to the model before.",
            )
        if monitoring.dead_letters:
            alarms.on_messages("Unheard", undelivered, f"{path} did not hear of a model.")
        if monitoring.endpoint_errors:
            alarms.add(
                "Errors",
                endpoint.metric("Invocation5XXErrors", statistic="Average", period=PERIOD),
                at_least=ERRORS,
                description=f"{endpoint.endpoint_name} answers requests with server errors.",
                periods=3,
                breaching=2,
            )
        if monitoring.endpoint_latency is not None:
            alarms.add(
                "Latency",
                endpoint.metric("ModelLatency", statistic="Average", period=PERIOD),
                at_least=microseconds(monitoring.endpoint_latency),
                description=f"The model of {endpoint.endpoint_name} answers slowly.",
                periods=3,
                breaching=3,
            )

    def _requests(self, *, has_instances: bool) -> list[cloudwatch.IWidget]:
        """Return the row of graphs about requests."""
        endpoint = self._endpoint
        width = 6 if has_instances else 8
        latency = {"ModelLatency": "in the model", "OverheadLatency": "around it"}
        errors = {"Invocation4XXErrors": "of callers (4XX)", "Invocation5XXErrors": "of the endpoint (5XX)"}
        row: list[cloudwatch.IWidget] = [
            graph(
                "Requests",
                [named(endpoint.metric("Invocations", period=HOUR), "requests")],
                width=width,
                unit="number",
            ),
            graph(
                "Errors",
                [named(endpoint.metric(name, period=HOUR), label) for name, label in errors.items()],
                width=width,
                unit="number",
            ),
            graph(
                "Latency, average",
                [
                    named(endpoint.metric(name, statistic="Average", period=HOUR), label)
                    for name, label in latency.items()
                ],
                width=width,
                unit="microseconds",
            ),
        ]
        if has_instances:
            used = {"CPUUtilization": "CPU", "MemoryUtilization": "memory"}
            row.append(
                graph(
                    "Instances",
                    [self._of_instances(name, label) for name, label in used.items()],
                    width=width,
                    unit="%",
                )
            )
        return row

    def _of_instances(self, name: str, label: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="/aws/sagemaker/Endpoints",
            metric_name=name,
            statistic="Average",
            period=HOUR,
            label=label,
            dimensions_map={"EndpointName": self._endpoint.endpoint_name, "VariantName": VARIANT},
        )

    def _deployments(self, tell: lambda_.Function) -> list[cloudwatch.IWidget]:
        """Return the row about models that came into service."""
        endpoint = self._endpoint
        outcomes = {
            "in service": endpoint.metric_updates(period=DAY),
            "rolled back": endpoint.metric_rollbacks(period=DAY),
            "failed": endpoint.metric_failures(period=DAY),
        }
        return [
            graph(
                "Deployments per day",
                [named(metric, label) for label, metric in outcomes.items()],
                width=8,
                unit="number",
                stacked=True,
            ),
            lines_table(
                "Which model was deployed",
                [tell],
                endpoint.state_machine,
                [UPDATED, ROLLED_BACK, ENDPOINT_FAILED],
                ["@timestamp", "event", "job", "data_set", ERROR],
                width=16,
            ),
        ]


def microseconds(duration: Duration) -> float:
    """Return a duration in the unit of ModelLatency."""
    return float(duration.to_milliseconds()) * 1_000
