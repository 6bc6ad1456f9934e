"""Each value of a metric is told once while a job is followed, with and without its log."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.client.console import Console
from amazon_estimators.client.log_stream import LogLine
from amazon_estimators.client.training_job import Follower
from amazon_estimators_rehearsal.sagemaker.telemetry import log_line

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Job:
    """A job that has ended; ``final`` are its final metrics."""

    def __init__(self, final: dict[str, float]) -> None:
        metrics = [{"MetricName": name, "Value": value} for name, value in final.items()]
        model = {"S3ModelArtifacts": "s3://models/model.tar.gz"}
        self.described = {
            "TrainingJobStatus": "Completed",
            "FinalMetricDataList": metrics,
            "ModelArtifacts": model,
        }

    def describe(self) -> dict[str, Any]:
        return self.described

    def check(self, job: Any, tail: Any) -> None:
        pass


class Log:
    def __init__(self, *lines: tuple[str, str]) -> None:
        self.lines = [LogLine(host, NOON, text) for host, text in lines]

    def new_lines(self) -> list[LogLine]:
        lines, self.lines = self.lines, []
        return lines


def followed(algorithm: str, log: Log, final: dict[str, float], *, logs: bool) -> list[str]:
    stream = io.StringIO()
    metrics = [(one.name, re.compile(one.regex)) for one in ALGORITHMS[algorithm].metrics if one.regex]
    follower = Follower(Job(final), log, Console(stream), metrics, logs=logs)  # type: ignore[arg-type]
    assert follower.look()
    follower.result()
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("logs", [True, False])
def test_every_metric_is_told_once(algorithm: str, logs: bool) -> None:
    metrics = {one.name: one for one in ALGORITHMS[algorithm].metrics}
    values = {name: 0.125 + place for place, name in enumerate(metrics)}
    lines = [log_line(metric, values[name], "mse") for name, metric in metrics.items()]
    shown = followed(algorithm, Log(*(("algo-1", line) for line in lines)), values, logs=logs)
    told = [line for line in shown if re.match(r"(final )?\S+ = ", line)]
    assert sorted(re.sub("^final ", "", line).partition(" = ")[0] for line in told) == sorted(metrics)
    assert [line for line in shown if line.startswith("algo-1 ")] == (
        [f"algo-1 {line}" for line in lines] if logs else []
    )


def test_what_changes_is_told_again() -> None:
    (metric,) = [one for one in ALGORITHMS["KMeans"].metrics if one.name == "train:msd"]
    log = Log(
        ("algo-1", log_line(metric, 0.5, "")),
        ("algo-2", log_line(metric, 0.5, "")),
        ("algo-1", log_line(metric, 0.25, "")),
    )
    shown = followed("KMeans", log, {"train:msd": 0.2000001}, logs=False)
    assert shown[:-1] == ["train:msd = 0.5", "train:msd = 0.25", "final train:msd = 0.2"]


def test_a_final_value_of_fewer_digits_is_the_same() -> None:
    (metric,) = [one for one in ALGORITHMS["KMeans"].metrics if one.name == "train:msd"]
    log = Log(("algo-1", log_line(metric, 0.123456789, "")))
    shown = followed("KMeans", log, {"train:msd": 0.123456791}, logs=False)
    assert shown[:-1] == ["train:msd = 0.123456789"]
