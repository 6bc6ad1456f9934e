"""Read the log of a training job: one CloudWatch stream per instance, from where the last read ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
PAGES_A_LOOK = 50
"""The most pages of a stream per read, so that a busy stream does not delay the others."""


@dataclass(frozen=True)
class LogLine:
    """A line of the log: ``host`` such as ``algo-1``, ``time`` in UTC."""

    host: str
    time: datetime
    text: str


class JobLog:
    """Reads each line of a job's log once."""

    def __init__(self, logs: Any, job_name: str) -> None:
        self._logs, self._job_name = logs, job_name
        self._tokens: dict[str, str | None] = {}

    def new_lines(self) -> list[LogLine]:
        """Return the lines written since the last call, by time; none if the job has no log yet."""
        try:
            for stream in self._streams():
                self._tokens.setdefault(stream, None)
        except self._logs.exceptions.ResourceNotFoundException:
            return []
        lines = [line for stream in list(self._tokens) for line in self._read_on(stream)]
        return sorted(lines, key=lambda line: line.time)

    def hosts(self) -> list[str]:
        """Return the instances that have written, in the order of their first lines."""
        return [self._host(stream) for stream in self._tokens]

    def _streams(self) -> Iterator[str]:
        pages = self._logs.get_paginator("describe_log_streams").paginate(
            logGroupName=LOG_GROUP, logStreamNamePrefix=f"{self._job_name}/"
        )
        for page in pages:
            for stream in page["logStreams"]:
                yield stream["logStreamName"]

    def _read_on(self, stream: str) -> Iterator[LogLine]:
        for _ in range(PAGES_A_LOOK):
            token = self._tokens[stream]
            page = self._logs.get_log_events(
                logGroupName=LOG_GROUP,
                logStreamName=stream,
                startFromHead=True,
                **({"nextToken": token} if token else {}),
            )
            for event in page["events"]:
                moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                yield LogLine(self._host(stream), moment, event["message"].rstrip("\n"))
            self._tokens[stream] = page["nextForwardToken"]
            if page["nextForwardToken"] == token or not page["events"]:
                return

    def _host(self, stream: str) -> str:
        # <job>/algo-1-1700000000
        return stream.removeprefix(f"{self._job_name}/").rpartition("-")[0]
