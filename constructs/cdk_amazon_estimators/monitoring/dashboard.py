"""Define MonitoringDashboard: one dashboard for all pipelines and endpoints of a stack, or of an app."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import jsii
from aws_cdk import Duration, IStableStringProducer, Lazy, Stack, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct, IValidation

from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types

SHARED_ID = "MonitoringDashboard"
WIDTH = 24
MOST_WIDGETS = 500
MOST_ALARMS = 100
"""Alarms of one widget."""
STRUCTURE = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"
MOST_METRICS, MOST_METRICS_OF_WIDGET = 2_500, 500
"""Those of expressions count, too."""
QUOTAS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"
NOTE = (
    "Written by cdk-amazon-estimators: a deployment replaces what you change here. "
    "`amazon-estimators status` tells the same in a shell."
)


@dataclass
class Section:
    """The part of a dashboard about one pipeline or endpoint.

    Attributes:
        title: Its path in the app.
        about: What it is, in Markdown.
        rows: Its widgets, row by row.
        alarms: Its alarms.
        trained, cost, failed, waiting: Its lines in the graphs that compare all; None for a line that it does
            not have.
    """

    title: str
    about: str
    rows: list[list[cloudwatch.IWidget]] = field(default_factory=list)
    alarms: list[cloudwatch.IAlarm] = field(default_factory=list)
    trained: cloudwatch.IMetric | None = None
    cost: cloudwatch.IMetric | None = None
    failed: cloudwatch.IMetric | None = None
    waiting: cloudwatch.IMetric | None = None


class MonitoringDashboard(Construct):
    """Shows pipelines and endpoints: what was trained on what, with which metric, what waits, what failed.

    ``Monitoring(dashboard=True)`` makes one in each stack. Make your own, in a stack that is deployed last,
    to have one for several stacks of a region.

    Args:
        dashboard_name: Its name. Default: a generated one.
        default_interval: The range of time that it opens with. Default: 4 weeks.

    Attributes:
        dashboard_name: The name, for links and permissions.

    Raises:
        PipelineError: Props that make no dashboard. At synth, one that is larger than CloudWatch takes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        dashboard_name: str | None = None,
        default_interval: Duration | None = None,
    ) -> None:
        props = dict(locals())  # as long as there are no other local variables
        super().__init__(scope, construct_id)
        problems = Problems(self)
        check_types(problems, MonitoringDashboard.__init__, props)
        problems.raise_any()
        self._sections: list[Section] = []
        interval = default_interval or Duration.days(28)
        dashboard = cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=dashboard_name,
            dashboard_body=Lazy.string(_Body(self, f"-{interval.to_iso_string()}")),
        )
        self.dashboard_name = dashboard_name or dashboard.ref
        self.node.add_validation(_Size(self))

    @classmethod
    def of(cls, scope: Construct) -> MonitoringDashboard:
        """Return the dashboard that the stack's pipelines share. The first call makes it."""
        stack = Stack.of(scope)
        existing = stack.node.try_find_child(SHARED_ID)
        return existing if isinstance(existing, cls) else cls(stack, SHARED_ID)

    def add(self, scope: Construct, section: Section) -> None:
        """Show a pipeline or endpoint, ``scope``.

        Raises:
            PipelineError: It is in another region or account, whose metrics its widgets would not find.
        """
        ours, theirs = Stack.of(self), Stack.of(scope)
        problems = Problems(scope)
        for name in ("region", "account"):
            here, there = getattr(ours, name), getattr(theirs, name)
            problems.unless(
                Token.is_unresolved(here) or Token.is_unresolved(there) or here == there,
                f"its dashboard {self.node.path} is in {name} {here}, and it is in {there}; allowed: one "
                f"dashboard per region and account. Make another MonitoringDashboard for {there}.",
            )
        problems.raise_any()
        self._sections.append(section)

    def widgets(self) -> list[dict[str, Any]]:
        """Return the widgets as the dashboard's body has them, tokens among them."""
        rows: list[Any] = [cloudwatch.Row(*row) for row in self._rows()]  # stubs lack its members
        column = cloudwatch.Column(*rows)
        column.position(0, 0)
        return list(column.to_json())

    def _rows(self) -> Iterator[list[cloudwatch.IWidget]]:
        yield [cloudwatch.TextWidget(markdown=NOTE, width=WIDTH, height=1)]
        alarms = [alarm for section in self._sections for alarm in section.alarms]
        for start in range(0, len(alarms), MOST_ALARMS):
            part = alarms[start : start + MOST_ALARMS]
            yield [
                cloudwatch.AlarmStatusWidget(
                    title="Alarms",
                    alarms=part,
                    sort_by=cloudwatch.AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP,
                    width=WIDTH,
                    height=1 + 2 * -(-len(part) // 6),
                )
            ]
        if len(self._sections) > 1:
            yield self._comparison()
        for section in self._sections:
            text = f"## {section.title}\n{section.about}"
            yield [cloudwatch.TextWidget(markdown=text, width=WIDTH, height=2)]
            yield from section.rows

    def _comparison(self) -> list[cloudwatch.IWidget]:
        """Return the graphs that compare all pipelines, as far as any has the metric."""
        graphs = {
            "Models trained": [section.trained for section in self._sections],
            "Cost of trainings": [section.cost for section in self._sections],
            "Failed": [section.failed for section in self._sections],
            "Waiting": [section.waiting for section in self._sections],
        }
        drawn = {
            title: [metric for metric in metrics if metric is not None] for title, metrics in graphs.items()
        }
        width = WIDTH // max(1, sum(bool(metrics) for metrics in drawn.values()))
        return [
            cloudwatch.GraphWidget(title=title, left=metrics, width=width, height=6, stacked=True)
            for title, metrics in drawn.items()
            if metrics
        ]


@jsii.implements(IStableStringProducer)
class _Body:
    """Makes the body when the app is synthesised: until then sections may be added."""

    def __init__(self, dashboard: MonitoringDashboard, start: str) -> None:
        self._dashboard, self._start = dashboard, start

    def produce(self) -> str:
        body = {"start": self._start, "periodOverride": "inherit", "widgets": self._dashboard.widgets()}
        return str(Stack.of(self._dashboard).to_json_string(body))


@jsii.implements(IValidation)
class _Size:
    """Measures the dashboard when the app is synthesised."""

    def __init__(self, dashboard: MonitoringDashboard) -> None:
        self._dashboard = dashboard

    def validate(self) -> list[str]:
        return size_problems(self._dashboard.widgets())


def size_problems(widgets: Sequence[dict[str, Any]]) -> list[str]:
    """Return what CloudWatch would refuse of a dashboard with these widgets."""
    numbers = [len(widget["properties"].get("metrics", ())) for widget in widgets]
    way_out = (
        "Give some of the pipelines a dashboard of their own: "
        "Monitoring(dashboard=MonitoringDashboard(self, 'Others'))"
    )
    problems = []
    if len(widgets) > MOST_WIDGETS:
        problems.append(
            f"the dashboard has {len(widgets)} widgets; allowed: {MOST_WIDGETS}. {way_out} ({STRUCTURE})"
        )
    if sum(numbers) > MOST_METRICS:
        problems.append(
            f"the dashboard has {sum(numbers)} metrics; allowed: {MOST_METRICS}. {way_out} ({QUOTAS})"
        )
    if max(numbers, default=0) > MOST_METRICS_OF_WIDGET:
        problems.append(
            f"a widget has {max(numbers)} metrics; allowed: {MOST_METRICS_OF_WIDGET}. {way_out} ({QUOTAS})"
        )
    return problems
