"""Follow a training job of SageMaker, read its log, stop it, and explain its failure."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from amazon_estimators.algorithms.metrics import Metric
from amazon_estimators.algorithms.training_images import dns_suffix
from amazon_estimators.client.console import Console
from amazon_estimators.client.log_stream import JobLog, LogLine
from amazon_estimators.errors import RequestError, TrainingJobError
from amazon_estimators.storage.sessions import client_of, region_of

POLL_SECONDS = 5.0
TAIL_LINES = 20
ENDED = ("Completed", "Failed", "Stopped")
JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
JOB_NAME_CHARACTERS = 63


class Detached(KeyboardInterrupt):
    """Raised when waiting is interrupted; the job continues. The text says how to follow it again and how to
    stop it."""


class TrainingJob:
    """A training job by ``name``. ``metrics`` are the metrics to look for in its log."""

    def __init__(self, name: str, *, session: Any = None, metrics: Sequence[Metric] = ()) -> None:
        self.name = name
        self.region = region_of(session)
        self._sagemaker, self._logs = client_of(session, "sagemaker"), client_of(session, "logs")
        self._metrics = [(one.name, re.compile(one.regex)) for one in metrics if one.regex]

    @property
    def job_name(self) -> str:
        """The job's name, under the SageMaker Python SDK 2's name for it."""
        return self.name

    @property
    def console_url(self) -> str:
        """URL of the job's page in the AWS console."""
        return console_page(self.region, f"jobs/{self.name}")

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeTrainingJob."""
        answer: dict[str, Any] = self._sagemaker.describe_training_job(TrainingJobName=self.name)
        return answer

    def exists(self) -> bool:
        """Return True if the service knows a job of this name."""
        try:
            self.describe()
        except self._sagemaker.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in ("ValidationException", "ResourceNotFound"):
                return False
            raise
        return True

    def stop(self) -> None:
        """Ask the service to end the job, which may take two minutes."""
        self._sagemaker.stop_training_job(TrainingJobName=self.name)

    def logs(self) -> list[LogLine]:
        """Return all lines of the log so far, by time."""
        log, lines = JobLog(self._logs, self.name), []
        while new := log.new_lines():
            lines += new
        return lines

    def wait(
        self, *, logs: bool = True, poll: float | None = None, stream: TextIO | None = None
    ) -> dict[str, Any]:
        """Follow the job to its end and return its description.

        Shows status, log (with ``logs``), metrics and the seconds billed, on ``stream``, by default standard
        output. Each value of a metric is told once: without ``logs`` as it appears in the log; with ``logs``
        by name at the end, because the log has it. ``poll`` is the number of seconds between polls, by
        default POLL_SECONDS. Raises TrainingJobError, with the service's reason, the end of the log and the
        console's URL, if the job does not complete. Ctrl-C raises :class:`Detached` and leaves the job
        running.
        """
        follower = self.follower(logs=logs, stream=stream)
        try:
            while not follower.look():
                time.sleep(POLL_SECONDS if poll is None else poll)
        except KeyboardInterrupt:
            raise Detached(self.way_back()) from None
        return follower.result()

    def follower(self, *, logs: bool = True, stream: TextIO | None = None) -> Follower:
        """Return a follower for your own polling loop: it shows what is new at each look."""
        return Follower(self, JobLog(self._logs, self.name), Console(stream), self._metrics, logs=logs)

    def way_back(self) -> str:
        """Return a text on how to follow the job again, and how to stop it."""
        return (
            f"Stopped waiting; training job {self.name} is still running, and is billed.\n"
            f"  Follow it again:  Estimator.attach({self.name!r})\n"
            f"  Stop it:          TrainingJob({self.name!r}).stop()\n"
            f"  Look at it:       {self.console_url}"
        )

    def check(self, job: dict[str, Any], tail: Sequence[str] = ()) -> None:
        """Raise TrainingJobError unless the described job completed."""
        status = job["TrainingJobStatus"]
        if status == "Completed":
            return
        reason = job.get("FailureReason") or job.get("SecondaryStatus") or "no reason given"
        parts = [f"Training job {self.name} is {status}: {reason}"]
        if tail:
            parts.append("The log ends with:\n" + "\n".join(f"  {line}" for line in tail))
        artifacts = job.get("ModelArtifacts", {}).get("S3ModelArtifacts")
        if status == "Stopped" and artifacts:
            parts.append(f"It may have left a model of the training so far: {artifacts}")
        raise TrainingJobError("\n".join(parts), remedy=f"See it in the console: {self.console_url}")


class Follower:
    """Polls a job, and shows what has not been shown yet."""

    def __init__(
        self,
        job: TrainingJob,
        log: JobLog,
        console: Console,
        metrics: Sequence[tuple[str, re.Pattern[str]]],
        *,
        logs: bool,
    ) -> None:
        self._job, self._log, self._console, self._metrics, self._logs = job, log, console, metrics, logs
        self._transitions = 0
        self._message = ""
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._told: dict[str, str] = {}
        self._last: dict[str, Any] = {}

    @property
    def ended(self) -> bool:
        """Return True if the job had ended at the last look."""
        return self._last.get("TrainingJobStatus") in ENDED

    def look(self) -> bool:
        """Show what is new. Returns True once the job has ended and all of its log is shown."""
        # Describe first: lines written before the end are then certain to be in the log read after it.
        self._last = self._job.describe()
        self._show_transitions(self._last)
        while lines := self._log.new_lines():
            self._show_lines(lines)
            if not self.ended:
                break
        return self.ended

    def result(self) -> dict[str, Any]:
        """Show the summary of the ended job and return its description. Raises TrainingJobError unless it
        completed."""
        self._show_summary(self._last)
        self._job.check(self._last, list(self._tail))
        return self._last

    def _show_transitions(self, job: dict[str, Any]) -> None:
        steps = job.get("SecondaryStatusTransitions") or []
        for index, step in enumerate(steps[max(0, self._transitions - 1) :], max(0, self._transitions - 1)):
            message = step.get("StatusMessage", "")
            if index >= self._transitions or message != self._message:
                self._console.status(step["StartTime"], step["Status"], message)
            self._message = message
        self._transitions = len(steps)

    def _show_lines(self, lines: Sequence[LogLine]) -> None:
        for line in lines:
            self._tail.append(f"{line.host} {line.text}")
            if self._logs:
                self._console.log(line.host, line.text)
                continue
            for name, pattern in self._metrics:
                if found := pattern.search(line.text):
                    self._tell(name, found[1].rstrip(",;"))

    def _tell(self, name: str, value: str, *, label: str = "") -> None:
        """Show a metric, unless that is the value that was shown of it last."""
        if _rounded(value) != self._told.get(name):
            self._console.metric(f"{label}{name}", value)
        self._told[name] = _rounded(value)

    def _show_summary(self, job: dict[str, Any]) -> None:
        training, billable = job.get("TrainingTimeInSeconds"), job.get("BillableTimeInSeconds")
        if training is not None:
            self._console.note(f"Training seconds: {training:,}")
        if billable is not None:
            saved = f" (spot saved {1 - billable / training:.0%})" if training and billable < training else ""
            self._console.note(f"Billable seconds: {billable:,}{saved}")
        for metric in job.get("FinalMetricDataList") or ():
            self._tell(metric["MetricName"], f"{metric['Value']:g}", label="final ")
        if job["TrainingJobStatus"] == "Completed":
            self._console.note(f"Model: {job['ModelArtifacts']['S3ModelArtifacts']}")


def _rounded(value: str) -> str:
    """Return a metric's value with the digits of a final one, which the service keeps as a float32."""
    try:
        return f"{float(value):.5g}"
    except ValueError:
        return value


def console_host(region: str) -> str:
    """Return the AWS console of the region's partition."""
    if region.startswith("us-gov-"):
        return "console.amazonaws-us-gov.com"
    return {"amazonaws.com.cn": "console.amazonaws.cn"}.get(dns_suffix(region), "console.aws.amazon.com")


def console_page(region: str, page: str) -> str:
    """Return the URL of a page of SageMaker in the console, such as ``jobs/<name>``."""
    return f"https://{console_host(region)}/sagemaker/home?region={region}#/{page}"


def checked_job_name(given: str | None, *, base: str) -> str:
    """Return the job name, by default ``base`` and the time. Raises RequestError for a name the service
    refuses."""
    if given is None:
        now = timestamp()
        given = f"{base[: JOB_NAME_CHARACTERS - len(now) - 1]}-{now}"
    if not isinstance(given, str) or len(given) > JOB_NAME_CHARACTERS or not JOB_NAME.fullmatch(given):
        raise RequestError(
            f"job name is {given!r}; allowed: up to {JOB_NAME_CHARACTERS} letters, digits and hyphens, "
            "a letter or digit at both ends"
        )
    return given


def timestamp() -> str:
    """Return the current time as in names of jobs and RecordSets: 2025-11-23-21-37-00-123, in UTC."""
    now = datetime.now(UTC)
    return f"{now:%Y-%m-%d-%H-%M-%S}-{now.microsecond // 1000:03d}"
