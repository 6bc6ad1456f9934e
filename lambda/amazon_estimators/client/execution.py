"""Follow an execution of a pipeline's state machine to the end of its training job, stop it, redrive it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from amazon_estimators import errors
from amazon_estimators.algorithms.metrics import Metric
from amazon_estimators.client import training_job
from amazon_estimators.client.console import Console
from amazon_estimators.client.training_job import Detached, Follower, TrainingJob, console_host
from amazon_estimators.errors import AmazonEstimatorsError, RequestError, TrainingJobError
from amazon_estimators.pipeline.explain import text_of
from amazon_estimators.storage.sessions import client_of, region_of

TRAIN = "createTrainingJob.sync"
"""The end of the resource of the task that runs the training job."""
RUNNING = "RUNNING"


class Execution:
    """An execution by ``arn``. ``metrics`` are the metrics to look for in the log of its training job."""

    def __init__(self, arn: str, *, session: Any = None, metrics: Sequence[Metric] = ()) -> None:
        self.arn = arn
        self.session = session
        self.metrics = metrics
        self.region = region_of(session)
        self._states = client_of(session, "stepfunctions")

    @property
    def name(self) -> str:
        """Name of the execution."""
        return self.arn.rpartition(":")[2]

    @property
    def console_url(self) -> str:
        """URL of the execution's page in the AWS console."""
        host = console_host(self.region)
        return f"https://{host}/states/home?region={self.region}#/v2/executions/details/{self.arn}"

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeExecution."""
        answer: dict[str, Any] = self._states.describe_execution(executionArn=self.arn)
        return answer

    def stop(self) -> None:
        """Abort the execution; Step Functions then stops its training job."""
        self._states.stop_execution(executionArn=self.arn, cause="Stopped by its user.")

    def redrive(self) -> None:
        """Continue an execution that failed, was stopped or timed out, with what is missing."""
        self._states.redrive_execution(executionArn=self.arn)

    def history(self) -> list[dict[str, Any]]:
        """Return all events so far."""
        pages = self._states.get_paginator("get_execution_history").paginate(executionArn=self.arn)
        return [event for page in pages for event in page["events"]]

    def state(self) -> str | None:
        """Return the state that it entered last."""
        entered = [
            event["stateEnteredEventDetails"]["name"]
            for event in self.history()
            if "stateEnteredEventDetails" in event
        ]
        return entered[-1] if entered else None

    def shards(self) -> tuple[int, int] | None:
        """Return (encoded, total) shards of the Map Run; None before it starts, or if the RecordSet already
        existed."""
        counts = shard_counts(self._states, self.arn)
        return (counts["succeeded"], counts["total"]) if counts else None

    def training_job(self, history: Sequence[Mapping[str, Any]] | None = None) -> TrainingJob | None:
        """Return the newest training job it started; None if there is none yet."""
        name = _job_name(self.history() if history is None else history)
        job = TrainingJob(name, session=self.session, metrics=self.metrics) if name else None
        return job if job and job.exists() else None

    def wait(
        self, *, logs: bool = True, poll: float | None = None, stream: TextIO | None = None
    ) -> dict[str, Any]:
        """Follow the execution to its end and return its description.

        Shows its states, its shards, and everything that :meth:`TrainingJob.wait` shows of its training job.
        Raises the execution's error, with its class if it is one of this library's; Ctrl-C raises
        :class:`Detached` and leaves the execution running.
        """
        follower = _Follower(self, Console(stream), logs=logs, stream=stream)
        try:
            while (ended := follower.look()) is None:
                time.sleep(training_job.POLL_SECONDS if poll is None else poll)
        except KeyboardInterrupt:
            raise Detached(self.way_back()) from None
        if ended["status"] != "SUCCEEDED":
            if follower.job is not None and follower.job.ended:
                follower.job.result()  # raises with the end of the log, if it was the job that failed
            raise self.failure(ended)
        return ended

    def failure(self, ended: Mapping[str, Any], *, note: str = "") -> AmazonEstimatorsError:
        """Return the error of an execution that ended without success, with its class if it is one of ours.

        Args:
            ended: Its description.
            note: A sentence to begin the message with. Default: none.
        """
        name, cause = ended.get("error", ""), text_of(ended.get("cause", ""))
        message = f"{note}Execution {self.name} {ended['status']}: {cause or 'no cause given'}"
        remedy = f"See it in the console: {self.console_url}"
        kind = getattr(errors, name, None)
        if not (isinstance(kind, type) and issubclass(kind, AmazonEstimatorsError)):
            return TrainingJobError(f"{message} ({name})" if name else message, remedy=remedy)
        error = kind.__new__(kind)
        AmazonEstimatorsError.__init__(error, message, remedy=remedy)
        return error

    def without_job(self) -> AmazonEstimatorsError:
        """Return why the execution has no training job: it does not have one yet, or ended before."""
        described = self.describe()
        if described["status"] == RUNNING:
            return RequestError(
                f"execution {self.name} has no training job yet: it is in state {self.state() or 'none'}",
                remedy="Try again with --follow, or call wait().",
            )
        if described["status"] == "SUCCEEDED":
            return RequestError(
                f"SageMaker does not know the training job of execution {self.name}, which succeeded",
                remedy=f"See it in the console: {self.console_url}",
            )
        return self.failure(described, note="It has no training job. ")

    def way_back(self) -> str:
        """Return a text on how to follow the execution again, and how to stop it."""
        return (
            f"Stopped waiting; execution {self.name} is still running, and its training job is billed.\n"
            f"  Follow it again:  Execution({self.arn!r}).wait()\n"
            f"  Stop it:          Execution({self.arn!r}).stop()\n"
            f"  Look at it:       {self.console_url}"
        )


def shard_counts(states: Any, arn: str) -> Mapping[str, int] | None:
    """Return the children of an execution's newest Map Run by status and in total; None without a Map Run.

    A Map that was retried or redriven may have several. ``states`` is a Step Functions client.
    """
    runs = states.list_map_runs(executionArn=arn)["mapRuns"]
    if not runs:
        return None
    newest = max(runs, key=lambda run: run["startDate"])
    counts: Mapping[str, int] = states.describe_map_run(mapRunArn=newest["mapRunArn"])["executionCounts"]
    return counts


class _Follower:
    """Shows an execution; keeps what has been shown."""

    def __init__(self, execution: Execution, console: Console, *, logs: bool, stream: TextIO | None) -> None:
        self._execution, self._console, self._logs, self._stream = execution, console, logs, stream
        self._events = 0
        self._shards: tuple[int, int] | None = None
        self.job: Follower | None = None
        self._job_name = ""

    def look(self) -> dict[str, Any] | None:
        """Show what is new. Returns the execution's description once it has ended."""
        described = self._execution.describe()
        history = self._execution.history()
        for event in history[self._events :]:
            if "stateEnteredEventDetails" in event:
                self._console.status(event["timestamp"], event["stateEnteredEventDetails"]["name"], "")
        self._events = len(history)
        shards = self._execution.shards()
        if shards and shards != self._shards and shards[1]:
            self._shards = shards
            self._console.note(f"  {shards[0]:,} of {shards[1]:,} shards encoded")
        ended = described["status"] != RUNNING
        self._follow_job(history, ended=ended)
        if not ended:
            return None
        if described["status"] == "SUCCEEDED" and self.job:
            self.job.result()
        ended_at = described.get("stopDate", datetime.now(UTC))
        self._console.status(ended_at, f"Execution {described['status'].lower()}", "")
        return described

    def _follow_job(self, history: Sequence[Mapping[str, Any]], *, ended: bool) -> None:
        job = self._execution.training_job(history)
        if job is not None and job.name != self._job_name:
            self._job_name = job.name
            self._console.note(f"  Training job {job.name}")
            self.job = job.follower(logs=self._logs, stream=self._stream)
        if self.job is not None and (ended or not self.job.ended):
            self.job.look()


def _job_name(history: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the name that the state machine gives its newest training job.

    The name is Seal's, with the numbers of redrives and of waits for capacity so far.
    """
    name, newest, redrives = None, None, 0
    for event in history:
        if event["type"] == "ExecutionRedriven":
            redrives += 1
        entered = event.get("stateEnteredEventDetails")
        if entered:
            name = _name_before_attempts(entered.get("input", "")) or name
            newest = _best_of_tuning(entered.get("input", "")) or newest
        if event.get("taskScheduledEventDetails", {}).get("resource", "").endswith(TRAIN):
            newest = name and f"{name[0]}-{redrives}-{name[1]}"
    return newest


def _best_of_tuning(text: str) -> str | None:
    """Return the best training job of a tuning job in a state's input, once the leaderboard is written."""
    try:
        return str(json.loads(text)["tuned"]["best"])
    except (ValueError, KeyError, TypeError):
        return None


def _name_before_attempts(text: str) -> tuple[str, int] | None:
    """Return the job name and the number of waits in a state's input, once Seal has added them."""
    try:
        state = json.loads(text)
        return str(state["request"]["job_name"]), int(state["capacity"]["waits"])
    except (ValueError, KeyError, TypeError):
        return None
