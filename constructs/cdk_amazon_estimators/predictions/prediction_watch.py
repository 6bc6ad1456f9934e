"""Watch a prediction pipeline: its alarms, and its section of the dashboard."""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_

from amazon_estimators.pipeline.event_names import NOT_PREDICTED, PREDICTED
from amazon_estimators.pipeline.metrics import ERROR, EXECUTION_SECONDS
from cdk_amazon_estimators.monitoring.alarms import Alarms
from cdk_amazon_estimators.monitoring.dashboard import Section
from cdk_amazon_estimators.monitoring.settings import Monitoring
from cdk_amazon_estimators.monitoring.widgets import DAY, HOUR, graph, lines_table, named, waiting_graph
from cdk_amazon_estimators.predictions.prediction_events import PredictionEvents
from cdk_amazon_estimators.triggers import TrainingStarter


def watch_predictions(
    pipeline: PredictionEvents,
    monitoring: Monitoring,
    *,
    about: str,
    starter: TrainingStarter | None,
    announce: lambda_.Function,
) -> None:
    """Make the alarms of a prediction pipeline, and show it on the dashboard.

    Args:
        pipeline: The pipeline.
        monitoring: What to make.
        about: What it is, in Markdown.
        starter: Its starter, if it has one.
        announce: The function that tells how executions ended.
    """
    alarms = Alarms(pipeline, monitoring)
    path, machine = pipeline.node.path, pipeline.state_machine
    if monitoring.failures:
        alarms.on_executions(machine, "A scoring")
    if monitoring.dead_letters and starter is not None:
        alarms.adopt(starter.alarm)
    dashboard = monitoring.dashboard_of(pipeline)
    if dashboard is None:
        return
    tellers = [announce, *([starter.function] if starter else [])]
    outcomes = {
        "ready": pipeline.metric_ready(period=DAY),
        "failed": pipeline.metric_failed(period=DAY),
        "nothing to score": pipeline.metric_skipped(period=DAY),
    }
    section = Section(title=path, about=about, alarms=alarms.all)
    section.rows = [
        [
            graph(
                "Scorings per day",
                [named(metric, label) for label, metric in outcomes.items()],
                width=8,
                unit="number",
                stacked=True,
            ),
            graph(
                "Longest scoring of a day",
                [named(pipeline.metric_execution_seconds(period=DAY), "longest execution")],
                width=8,
                unit="seconds",
            ),
            waiting_graph(pipeline.metric_waiting(period=HOUR), starter, width=8),
        ],
        [
            lines_table(
                "What was scored",
                tellers,
                machine,
                [PREDICTED],
                ["@timestamp", "execution", "data_set", "job", EXECUTION_SECONDS],
                width=16,
            ),
            lines_table(
                "What failed", tellers, machine, [NOT_PREDICTED], ["@timestamp", ERROR, "execution"], width=8
            ),
        ],
    ]
    section.failed = named(machine.metric_failed(statistic="Sum", period=DAY), path)
    if starter is not None:
        requests = starter.queue.metric_approximate_number_of_messages_visible(
            statistic="Maximum", period=HOUR
        )
        section.waiting = named(requests, path)
    dashboard.add(pipeline, section)
