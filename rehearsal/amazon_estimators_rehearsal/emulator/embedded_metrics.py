"""Make metrics of the functions' log lines, and let alarms see only the series that they watch.

CloudWatch Logs extracts metrics from lines in the embedded metric format; the emulator keeps them as text.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.services import cloudwatch, lambda_svc

LONGEST_LINE = 2**20
"""Bytes of the longest line that CloudWatch Logs takes."""


def extract_embedded_metrics() -> None:
    """Store the metrics of what a function logs, and evaluate the alarms, as PutMetricData does."""
    emit = lambda_svc._emit_lambda_logs

    @functools.wraps(emit)
    def extracted(func: dict[str, Any], request_id: str, log_text: str, *rest: Any, **named: Any) -> Any:
        emitted = emit(func, request_id, log_text, *rest, **named)
        data = [datum for line in log_text.splitlines() for datum in _data(line)]
        for namespace, name, dimensions, timestamp, unit, value in data:
            cloudwatch._store_datum(namespace, name, dimensions, timestamp, unit, value, None, None, None)
        if data:
            cloudwatch._evaluate_all_alarms()
        return emitted

    lambda_svc._emit_lambda_logs = extracted


def evaluate_alarms_by_dimensions() -> None:
    """Evaluate an alarm on the metric with its dimensions. The emulator takes all of that name."""
    evaluate = cloudwatch._evaluate_alarm

    @functools.wraps(evaluate)
    def by_dimensions(alarm: dict[str, Any]) -> None:
        wanted = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
        series = (alarm.get("Namespace"), alarm.get("MetricName"), cloudwatch._dims_key(wanted))
        if cloudwatch._metrics.get(series):
            every, cloudwatch._metrics = cloudwatch._metrics, {series: cloudwatch._metrics[series]}
            try:
                evaluate(alarm)
            finally:
                cloudwatch._metrics = every

    cloudwatch._evaluate_alarm = by_dimensions


def _data(line: str) -> Iterator[tuple[str, str, dict[str, str], float, str, float]]:
    """Yield namespace, name, dimensions, seconds, unit and value of each metric that a line declares."""
    if '"_aws"' not in line or len(line) > LONGEST_LINE:
        return
    try:
        properties: Mapping[str, Any] = json.loads(line[line.index("{") :])
    except ValueError:
        return
    about = properties["_aws"]
    for directive in about["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: str(properties[name]) for name in names}
            for metric in directive["Metrics"]:
                value, unit = float(properties[metric["Name"]]), metric.get("Unit", "None")
                place = (directive["Namespace"], metric["Name"], dimensions)
                yield (*place, about["Timestamp"] / 1000, unit, value)
