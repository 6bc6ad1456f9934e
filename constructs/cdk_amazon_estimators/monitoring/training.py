"""Watch a training pipeline: its alarms, and its section of the dashboard."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.metrics import PROGRESS
from amazon_estimators.pipeline.event_names import FAILED, REJECTED, TRAINED
from amazon_estimators.pipeline.metrics import COST, ERROR
from cdk_amazon_estimators.monitoring.alarms import Alarms, counted
from cdk_amazon_estimators.monitoring.dashboard import Section
from cdk_amazon_estimators.monitoring.settings import WINDOW, Monitoring
from cdk_amazon_estimators.monitoring.widgets import DAY, HOUR, graph, lines_table, named, waiting_graph
from cdk_amazon_estimators.pipeline_base import TrainingPipelineBase
from cdk_amazon_estimators.triggers import TrainingStarter

MOST_CURVES = 6
"""Metrics of an algorithm on its graph: more are not told apart."""
DAYS_OF_MONTH = 30
MOST_COLUMNS = 2
"""Metrics of an algorithm in its table."""


def watch_training(
    pipeline: TrainingPipelineBase,
    monitoring: Monitoring,
    *,
    algorithm: Algorithm,
    channels: Collection[str],
    judged_by: Sequence[str],
    starter: TrainingStarter | None,
    announce: lambda_.Function,
) -> None:
    """Make the alarms of a pipeline, and show it on the dashboard.

    Args:
        pipeline: The pipeline.
        monitoring: What to make.
        algorithm: Its algorithm.
        channels: Its channels.
        judged_by: The metrics of its gate and of its tuning job, which are shown first.
        starter: Its starter, if it has one.
        announce: The function that tells how executions ended.
    """
    alarms = Alarms(pipeline, monitoring)
    path = pipeline.node.path
    if monitoring.failures:
        alarms.on_executions(pipeline.state_machine, "A training")
    if monitoring.dead_letters and starter is not None:
        alarms.adopt(starter.alarm)
    if monitoring.expected_every is not None:
        every = monitoring.expected_every
        alarms.add(
            "NoModel",
            counted(pipeline.metric_models_trained(period=every), every),
            less_than=1,
            description=f"{path} has not trained a model for {every.to_human_string()}.",
            missing=cloudwatch.TreatMissingData.BREACHING,
        )
    if monitoring.monthly_budget is not None:
        alarms.add(
            "Budget",
            counted(pipeline.metric_cost(period=WINDOW), WINDOW),
            at_least=monitoring.monthly_budget * WINDOW.to_days() / DAYS_OF_MONTH,
            description=f"Trainings of {path} cost more in 7 days than a budget of "
            f"{monitoring.monthly_budget:g} per month holds.",
        )
    dashboard = monitoring.dashboard_of(pipeline)
    if dashboard is None:
        return
    tellers = [announce, *([starter.function] if starter else [])]
    curves = curves_of(algorithm, channels, judged_by)
    section = Section(title=path, about=_about(pipeline, algorithm), alarms=alarms.all)
    section.rows = [
        _figures(pipeline, curves, starter),
        _data(pipeline),
        [
            lines_table(
                "What was trained on what",
                tellers,
                pipeline.state_machine,
                [TRAINED, REJECTED],
                ["@timestamp", "event", "job", "data_set", *curves[:MOST_COLUMNS], COST],
                width=16,
            ),
            lines_table(
                "What failed",
                tellers,
                pipeline.state_machine,
                [FAILED],
                ["@timestamp", ERROR, "execution"],
                width=8,
            ),
        ],
    ]
    section.trained = named(pipeline.metric_models_trained(period=DAY), path)
    section.cost = named(pipeline.metric_cost(period=DAY), path)
    section.failed = named(pipeline.state_machine.metric_failed(statistic="Sum", period=DAY), path)
    if starter is not None:
        requests = starter.queue.metric_approximate_number_of_messages_visible(
            statistic="Maximum", period=HOUR
        )
        section.waiting = named(requests, path)
    dashboard.add(pipeline, section)


def curves_of(algorithm: Algorithm, channels: Collection[str], first: Sequence[str]) -> list[str]:
    """Return the metrics of an algorithm that its graph shows: those that tell how good a model is.

    Args:
        algorithm: The algorithm.
        channels: The channels; a metric of another channel is not reported.
        first: Those that must be among them.

    Example:
        >>> from amazon_estimators.algorithms import KMeans
        >>> curves_of(KMeans(k=3), ["train", "test"], [])
        ['test:msd', 'test:ssd', 'train:msd']
    """
    kind = getattr(algorithm, "predictor_type", None)
    progress = {metric.name for metric in PROGRESS}
    names = [
        metric.name
        for metric in type(algorithm).metrics
        if metric.name not in progress
        and metric.name.count(":") == 1
        and metric.name.partition(":")[0] in channels
        and (not metric.predictor_types or kind is None or kind in metric.predictor_types)
    ]
    order = {"test": 0, "validation": 1}
    ranked = sorted(names, key=lambda name: order.get(name.partition(":")[0], 2))
    return [*dict.fromkeys([*first, *ranked])][:MOST_CURVES]


def _about(pipeline: TrainingPipelineBase, algorithm: Algorithm) -> str:
    inputs = ", ".join(
        f"`{pipeline.data_bucket.s3_url_for_object(key)}`" for key in pipeline.input_key_prefixes
    )
    return f"{type(algorithm).__name__}, trained on {inputs}"


def _figures(
    pipeline: TrainingPipelineBase, curves: Sequence[str], starter: TrainingStarter | None
) -> list[cloudwatch.IWidget]:
    """Return the row of graphs."""
    width = 6 if curves else 8
    outcomes = {
        "models in use": pipeline.metric_models_trained(period=DAY),
        "rejected": pipeline.metric_models_rejected(period=DAY),
        "failed": pipeline.metric_trainings_failed(period=DAY),
        "nothing to train": pipeline.metric_trainings_skipped(period=DAY),
    }
    seconds = {
        "billed, per instance": pipeline.metric_billable_seconds(period=DAY),
        "longest execution": pipeline.metric_execution_seconds(period=DAY),
        "longest wait for instances": pipeline.metric_capacity_wait_seconds(period=DAY),
        "longest training": pipeline.metric_training_seconds(period=DAY),
    }
    row: list[cloudwatch.IWidget] = [
        graph(
            "Trainings per day",
            _named(outcomes),
            width=width,
            unit="number",
            stacked=True,
        )
    ]
    if curves:
        metrics = [named(pipeline.metric_algorithm(name, period=HOUR), name) for name in curves]
        row.append(graph("How good the models are", metrics, width=width))
    row.append(
        graph(
            "Seconds per day",
            _named(seconds),
            width=width,
            unit="seconds",
        )
    )
    row.append(waiting_graph(pipeline.metric_trainings_waiting(period=HOUR), starter, width=width))
    return row


def _data(pipeline: TrainingPipelineBase) -> list[cloudwatch.IWidget]:
    """Return the row about cost, data and the steps before training."""
    records = {
        "records": pipeline.metric_records(period=HOUR),
        "rows left out": pipeline.metric_rows_dropped(period=HOUR),
    }
    shards = {
        "encoded": pipeline.metric_shards_encoded(period=DAY),
        "reused": pipeline.metric_shards_reused(period=DAY),
    }
    steps = [
        named(pipeline.metric_step_seconds(step, period=HOUR), step) for step in ("Plan", "Encode", "Seal")
    ]
    cost = {"trainings": pipeline.metric_cost(period=DAY)}
    age = {"when an execution ended": pipeline.metric_model_age_seconds(period=DAY)}
    return [
        graph("Cost per day", _named(cost), width=5, stacked=True),
        graph("Records of a training", _named(records), width=5, unit="number"),
        graph("Shards per day", _named(shards), width=5, unit="number", stacked=True),
        graph("Steps before training", steps, width=5, unit="seconds"),
        graph("Age of the model in use", _named(age), width=4, unit="seconds"),
    ]


def _named(metrics: Mapping[str, cloudwatch.Metric]) -> list[cloudwatch.IMetric]:
    return [named(metric, label) for label, metric in metrics.items()]
