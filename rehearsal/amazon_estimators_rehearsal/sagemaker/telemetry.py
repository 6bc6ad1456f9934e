"""Send a training job's logs to CloudWatch Logs with the execution role's permissions, as SageMaker does."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import ClientError

from amazon_estimators.algorithms.metrics import Metric
from amazon_estimators_rehearsal.sagemaker.errors import JobFailedError

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
TRANSFORM_LOG_GROUP = "/aws/sagemaker/TransformJobs"


class Telemetry:
    """Collects log lines, one stream per host, ``<job>/algo-<n>-<seconds>``; :meth:`close` sends them."""

    def __init__(self, job: str, hosts: int, *, group: str = LOG_GROUP) -> None:
        self._group = group
        self._lines: dict[int, list[tuple[int, str]]] = {host: [] for host in range(hosts)}
        self._streams = [f"{job}/algo-{host + 1}-{int(time.time())}" for host in range(hosts)]

    def log(self, host: int, line: str) -> None:
        """Add a line to the log of a host, counted from 0."""
        self._lines[host].append((int(time.time() * 1000), line))

    def report(
        self,
        metrics: Mapping[str, float],
        declared: Sequence[Metric],
        *,
        throughput: float,
        wording: Mapping[str, str],
    ) -> None:
        """Log metrics (``channel:metric``) as the algorithm prints them. For ``wording`` see log_line."""
        values = {**metrics, "train:throughput": throughput, "train:progress": 100.0}
        for metric in declared:
            if metric.name in values:
                self.log(0, log_line(metric, values[metric.name], wording.get(metric.name, "")))

    def close(self) -> None:
        """Send everything.

        Raises:
            JobFailedError: The role may not write its logs.
        """
        try:
            self._send(boto3.client("logs"))
        except ClientError as error:
            raise JobFailedError(f"ClientError: The execution role cannot write logs: {error}") from error

    def _send(self, logs: Any) -> None:
        try:
            logs.create_log_group(logGroupName=self._group)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise
        for stream, lines in zip(self._streams, self._lines.values(), strict=True):
            logs.create_log_stream(logGroupName=self._group, logStreamName=stream)
            logs.describe_log_streams(logGroupName=self._group, logStreamNamePrefix=stream)
            events = [{"timestamp": stamp, "message": line} for stamp, line in lines]
            if events:
                logs.put_log_events(logGroupName=self._group, logStreamName=stream, logEvents=events)


def log_line(metric: Metric, value: float, wording: str = "") -> str:
    """Return a log line in which the metric's published expression finds ``value``.

    ``wording`` fills the part of the metric's name that the expression leaves open. A metric without a
    published expression is logged as its name and value.
    """
    if metric.regex is None:
        return f"{metric.name} = {value}"
    line = metric.regex.replace(r"(\S+)", str(value))
    for field, shown in (("host", "algo-1"), ("epoch", "0"), ("batch", "end")):
        line = line.replace(rf"{field}=\S+", f"{field}={shown}")
    return line.replace(r"\S+", wording or "any")
