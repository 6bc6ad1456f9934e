"""One training job: its state as DescribeTrainingJob tells it, and the container process that does the work.

The container is a process of its own with the execution role's credentials and no others, so what the role
may not read or write, the job cannot either.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from amazon_estimators_rehearsal.sagemaker.account import Account, Credentials

logger = logging.getLogger("rehearsal.sagemaker")

_DESCRIBED = (
    "TrainingJobName",
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "RetryStrategy",
    "Environment",
    "ExperimentConfig",
)
_MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Resource released due to reaching the maximum runtime",
}


class TrainingJob:
    """A job from its creation to its end. Thread safe."""

    def __init__(
        self, account: Account, arn: str, request: Mapping[str, Any], algorithm: str, role: Credentials
    ) -> None:
        self.arn = arn
        self.status = "InProgress"
        self.tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
        self._account, self._request, self._algorithm, self._role = account, request, algorithm, role
        self._name = request["TrainingJobName"]
        self._created = self._modified = time.time()
        self._times: dict[str, float] = {}
        self._secondary = "Starting"
        self._transitions: list[dict[str, Any]] = []
        self._metrics: list[dict[str, Any]] = []
        self._failure: str | None = None
        self._artifact: str | None = None
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.RLock()

    def start(self, *, refusal: str | None = None) -> None:
        """Run the job in the background. With ``refusal``, why it cannot start, it fails at once."""
        self._enter("Starting")
        if refusal:
            self._end("Failed", f"ClientError: {refusal}")
            return
        threading.Thread(target=self._run, name=f"training-job-{self._name}", daemon=True).start()

    def stop(self) -> bool:
        """Stop the job. False if it has ended already."""
        with self._lock:
            if self.status not in ("InProgress", "Stopping"):
                return False
            if self.status == "InProgress":
                self.status = "Stopping"
                self._enter("Stopping")
                if self._process:
                    self._process.terminate()
            return True

    def describe(self) -> dict[str, Any]:
        """DescribeTrainingJob's answer."""
        with self._lock:
            described = {name: self._request[name] for name in _DESCRIBED if name in self._request}
            described.setdefault("EnableNetworkIsolation", False)
            described.setdefault("EnableInterContainerTrafficEncryption", False)
            described.setdefault("EnableManagedSpotTraining", False)
            described.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": 86400})
            described |= {
                "TrainingJobArn": self.arn,
                "TrainingJobStatus": self.status,
                "SecondaryStatus": self._secondary,
                "SecondaryStatusTransitions": [dict(step) for step in self._transitions],
                "CreationTime": self._created,
                "LastModifiedTime": self._modified,
                "FinalMetricDataList": list(self._metrics),
                **self._times,
            }
            if self._artifact:
                described["ModelArtifacts"] = {"S3ModelArtifacts": self._artifact}
            if self._failure:
                described["FailureReason"] = self._failure[:1024]
            if "TrainingEndTime" in self._times:
                seconds = round(self._times["TrainingEndTime"] - self._times["TrainingStartTime"]) or 1
                described["TrainingTimeInSeconds"] = seconds
                described["BillableTimeInSeconds"] = seconds
            return described

    def summary(self) -> dict[str, Any]:
        """The job as ListTrainingJobs lists it."""
        described = self.describe()
        names = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime")
        return {name: described[name] for name in (*names, "TrainingJobStatus") if name in described}

    def tag_list(self) -> list[dict[str, str]]:
        """The job's tags as the API writes them."""
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]

    def _run(self) -> None:
        order = json.dumps(
            {"algorithm": self._algorithm, "job": self._request, "region": self._account.region}
        )
        limit = self._request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 86400)
        try:
            with self._lock:
                self._process = process = subprocess.Popen(
                    [sys.executable, "-m", "amazon_estimators_rehearsal.sagemaker.container"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env={**self._account.environment(), **self._role.environment()},
                )
                if self.status == "Stopping":
                    process.terminate()
            overrun = threading.Event()

            def end() -> None:
                overrun.set()
                process.kill()

            timer = threading.Timer(limit, end)
            timer.start()
            try:
                errors = self._follow(process, order)
            finally:
                timer.cancel()
            self._conclude(process.returncode, overrun.is_set(), errors)
        except Exception as error:
            logger.exception("The training job %s broke the stand-in", self._name)
            self._end("Failed", f"InternalServerError: {type(error).__name__}: {error}")

    def _follow(self, process: subprocess.Popen[str], order: str) -> str:
        """Feed the container its order and take in its events; return what it wrote to stderr."""
        assert process.stdin and process.stdout and process.stderr
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.extend(process.stderr or ()), daemon=True)
        reader.start()
        try:
            process.stdin.write(order)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it died before reading; its exit code and stderr tell
        for line in process.stdout:
            self._take(json.loads(line))
        process.wait()
        reader.join(timeout=5)
        return "".join(lines)

    def _take(self, event: Mapping[str, Any]) -> None:
        with self._lock:
            if "status" in event:
                self._enter(event["status"])
            if "metrics" in event:
                now = time.time()
                self._metrics = [
                    {"MetricName": name, "Value": value, "Timestamp": now}
                    for name, value in event["metrics"].items()
                ]
            self._artifact = event.get("artifact", self._artifact)
            self._failure = event.get("failure", self._failure)

    def _conclude(self, returncode: int, overrun: bool, errors: str) -> None:
        if overrun:
            self._end("Stopped", secondary="MaxRuntimeExceeded")
        elif self.status == "Stopping":
            self._end("Stopped")
        elif returncode == 0 and self._artifact:
            self._end("Completed")
        else:
            last = errors.strip().splitlines()[-1:] or [f"the container ended with exit code {returncode}"]
            self._end("Failed", self._failure or f"AlgorithmError: {last[0]}")
            if not self._failure or errors:
                logger.warning("Container of %s: exit code %s\n%s", self._name, returncode, errors)

    def _enter(self, secondary: str) -> None:
        now = time.time()
        with self._lock:
            if self._transitions:
                self._transitions[-1].setdefault("EndTime", now)
            self._transitions.append(
                {"Status": secondary, "StartTime": now, "StatusMessage": _MESSAGES[secondary]}
            )
            self._secondary, self._modified = secondary, now
            if secondary == "Downloading":
                self._times["TrainingStartTime"] = now
        logger.info("Training job %s: %s", self._name, secondary)
        self._announce()

    def _end(self, status: str, failure: str | None = None, *, secondary: str | None = None) -> None:
        with self._lock:
            now = time.time()
            if "TrainingStartTime" in self._times:
                self._times["TrainingEndTime"] = now
            if failure:
                self._failure = failure
                logger.warning("Training job %s failed: %s", self._name, failure)
            self._enter(secondary or status)
            self._transitions[-1]["EndTime"] = now
            if failure:
                self._transitions[-1]["StatusMessage"] = failure[:1024]
            self.status = status
        self._announce()

    def _announce(self) -> None:
        self._account.publish("SageMaker Training Job State Change", self.describe(), self.arn)
