"""CloudWatch metrics of a pipeline that continue over training jobs, written as lines of the functions' logs.

SageMaker's own metrics have the job as a dimension, so each retraining begins a new series. A line in the
embedded metric format needs no request and no permission: CloudWatch Logs extracts the metrics from it.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from amazon_estimators.pipeline.event_names import (
    ENDPOINT_FAILED,
    FAILED,
    NOT_PREDICTED,
    PREDICTED,
    PREDICTIONS_SKIPPED,
    PREDICTIONS_WAITING,
    REJECTED,
    ROLLED_BACK,
    SKIPPED,
    TRAINED,
    UPDATED,
    WAITING,
)

NAMESPACE = "AmazonEstimators"
DIMENSION = "StateMachineArn"
ERROR = "Error"
COUNTS = {
    TRAINED: "ModelsTrained",
    REJECTED: "ModelsRejected",
    FAILED: "TrainingsFailed",
    SKIPPED: "TrainingsSkipped",
    WAITING: "TrainingsWaiting",
}
"""The metric that counts each kind of a training pipeline's events."""
PREDICTION_COUNTS = {
    PREDICTED: "PredictionsReady",
    NOT_PREDICTED: "PredictionsFailed",
    PREDICTIONS_SKIPPED: "PredictionsSkipped",
    PREDICTIONS_WAITING: "PredictionsWaiting",
}
"""The metric that counts each kind of a prediction pipeline's events."""
ENDPOINT_COUNTS = {
    UPDATED: "EndpointsUpdated",
    ROLLED_BACK: "EndpointsRolledBack",
    ENDPOINT_FAILED: "EndpointsFailed",
}
"""The metric that counts each kind of an endpoint's events."""
EXECUTION_SECONDS, BILLABLE_SECONDS = "ExecutionSeconds", "BillableSeconds"
TRAINING_SECONDS, CAPACITY_WAIT_SECONDS = "TrainingSeconds", "CapacityWaitSeconds"
MODEL_AGE_SECONDS = "ModelAgeSeconds"
SECONDS = {
    EXECUTION_SECONDS: "seconds",
    TRAINING_SECONDS: "training_seconds",
    CAPACITY_WAIT_SECONDS: "waited_seconds",
    BILLABLE_SECONDS: "billable_seconds",
    MODEL_AGE_SECONDS: "model_age_seconds",
}
"""Durations, and where an event's detail has them."""
COST = "Cost"
"""What trainings cost, in the currency of the prices."""
MOST_METRICS = 100
"""The most metrics per line."""


def metric_line(told: str, detail: Mapping[str, Any], *, now: float) -> dict[str, Any] | None:
    """Return the line of an event, or None for a kind that is not counted.

    Args:
        told: The detail type, such as ``"Model Trained"``.
        detail: The event's detail.
        now: Seconds since 1970.

    Example:
        >>> line = metric_line("Training Skipped", {"state_machine": "arn", "pipeline": "A/B"}, now=1.5)
        >>> line["TrainingsSkipped"], line["StateMachineArn"], line["_aws"]["Timestamp"]
        (1, 'arn', 1500)
    """
    counted = (COUNTS | PREDICTION_COUNTS | ENDPOINT_COUNTS).get(told)
    if counted is None:
        return None
    values: dict[str, tuple[float, str]] = {counted: (1, "Count")}
    for name, member in SECONDS.items():
        if detail.get(member) is not None:
            values[name] = (detail[member], "Seconds")
    amount = (detail.get("cost") or {}).get("amount")
    if amount is not None:
        values[COST] = (amount, "None")
    # The algorithm's own names hold a colon, as in "test:msd", so they cannot collide with those above.
    values |= {name: (float(value), "None") for name, value in (detail.get("metrics") or {}).items()}
    dimensions = [[DIMENSION]]
    properties = {
        name: detail.get(name) for name in ("pipeline", "algorithm", "execution", "job", "data_set")
    }
    line = {"event": told, **properties, DIMENSION: detail["state_machine"]}
    if detail.get("error"):
        dimensions.append([DIMENSION, ERROR])
        line[ERROR] = detail["error"]
    return embedded(line, dimensions, values, now=now)


def embedded(
    line: Mapping[str, Any],
    dimensions: Sequence[Sequence[str]],
    values: Mapping[str, tuple[float, str]],
    *,
    now: float,
) -> dict[str, Any]:
    """Return a line in the embedded metric format.

    Args:
        line: Its properties, the dimensions' values among them.
        dimensions: The sets of dimensions that each metric is kept by.
        values: Metrics by name, each with its unit. Those that are not finite are left out.
        now: Seconds since 1970.
    """
    finite = {name: pair for name, pair in values.items() if math.isfinite(pair[0])}
    chosen = dict(list(finite.items())[:MOST_METRICS])
    declared = [{"Name": name, "Unit": unit} for name, (_, unit) in chosen.items()]
    return {
        "_aws": {
            "Timestamp": round(now * 1000),
            "CloudWatchMetrics": [
                {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": declared},
            ],
        },
        **line,
        **{name: value for name, (value, _) in chosen.items()},
    }


def count(told: str, detail: Mapping[str, Any]) -> None:
    """Write the line of an event to standard output, which Lambda logs unchanged."""
    line = metric_line(told, detail, now=time.time())
    if line is not None:
        put(line)


def put(line: Mapping[str, Any]) -> None:
    """Write a line of metrics to standard output."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
