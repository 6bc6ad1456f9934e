"""Make the widgets that the sections of a dashboard share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn

from amazon_estimators.pipeline.metrics import DIMENSION
from cdk_amazon_estimators.triggers import TrainingStarter

DAY, HOUR = Duration.days(1), Duration.hours(1)
HEIGHT = 6
MOST_ROWS = 20


def graph(
    title: str, metrics: Sequence[cloudwatch.IMetric], *, width: int, unit: str = "", **more: Any
) -> cloudwatch.GraphWidget:
    """Return a graph of metrics over time. ``unit`` labels the axis; ``more`` are props of GraphWidget."""
    axis = cloudwatch.YAxisProps(label=unit, min=0, show_units=False) if unit else None
    return cloudwatch.GraphWidget(
        title=title, left=[*metrics], width=width, height=HEIGHT, left_y_axis=axis, **more
    )


def named(metric: cloudwatch.Metric, label: str) -> cloudwatch.Metric:
    """Return the metric with a label."""
    return metric.with_(label=label)


def lines_table(
    title: str,
    functions: Sequence[lambda_.Function],
    machine: sfn.IStateMachine,
    told: Sequence[str],
    fields: Sequence[str],
    *,
    width: int,
) -> cloudwatch.LogQueryWidget:
    """Return a table of the last lines of metrics that functions wrote for events of a state machine.

    Args:
        title: Its title.
        functions: The functions that tell these events.
        machine: The state machine.
        told: The detail types of the events.
        fields: The members of the lines to show; a metric's name may hold any character.
        width: Its width, of 24.
    """
    kinds = ", ".join(f'"{kind}"' for kind in told)
    shown = ", ".join(name if name.replace("@", "").isidentifier() else f"`{name}`" for name in fields)
    return cloudwatch.LogQueryWidget(
        title=title,
        log_group_names=[function.log_group.log_group_name for function in functions],
        query_lines=[
            f"fields {shown}",
            f'filter {DIMENSION} = "{machine.state_machine_arn}" and event in [{kinds}]',
            "sort @timestamp desc",
            f"limit {MOST_ROWS}",
        ],
        view=cloudwatch.LogQueryVisualizationType.TABLE,
        width=width,
        height=HEIGHT,
    )


def waiting_graph(
    waits: cloudwatch.Metric, starter: TrainingStarter | None, *, width: int
) -> cloudwatch.GraphWidget:
    """Return the graph of what waits: for instances, for a turn, and for who looks at it.

    Args:
        waits: The number of announced waits for instances.
        starter: The starter, with its queues.
        width: Its width, of 24.
    """
    metrics = [named(waits, "waits for instances")]
    oldest: list[cloudwatch.Metric] = []
    if starter is not None:
        visible = {"requests": starter.queue, "dead letters": starter.dead_letters}
        for label, queue in {**visible, "undelivered events": starter.undelivered}.items():
            metric = queue.metric_approximate_number_of_messages_visible(statistic="Maximum", period=HOUR)
            metrics.append(named(metric, label))
        age = starter.queue.metric_approximate_age_of_oldest_message(statistic="Maximum", period=HOUR)
        oldest = [named(age, "oldest request, seconds")]
    return graph("What waits", metrics, width=width, unit="number", right=oldest)
