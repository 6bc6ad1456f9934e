"""Run one training job: its state as DescribeTrainingJob returns it, and the process that does the work."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping
from typing import Any

from amazon_estimators_rehearsal.sagemaker.account import Account, Credentials
from amazon_estimators_rehearsal.sagemaker.checks.request_rules import DEFAULT_RUNTIME
from amazon_estimators_rehearsal.sagemaker.resources import tags_of
from amazon_estimators_rehearsal.sagemaker.worker import Outcome, Worker

logger = logging.getLogger("rehearsal.sagemaker")

DEFINED = (
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
)
"""The members of a training job that its definition in a tuning job also has."""
_DESCRIBED = ("TrainingJobName", "HyperParameters", *DEFINED, "ExperimentConfig")
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


NO_CAPACITY_TAG = "rehearsal:no-capacity"
"""A tag of a training job: the instance types, with blanks between, of which there is no capacity for it."""
NO_CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML "
    "instance type."
)


def _selected(resources: Mapping[str, Any], lacking: Collection[str]) -> dict[str, Any] | None:
    """Return the resources of a job, with the first preference that has capacity; None if none has."""
    preferences = resources.get("InstancePreferences")
    if preferences is None:
        return None if resources.get("InstanceType") in lacking else dict(resources)
    for preference in preferences:
        if preference["InstanceType"] not in lacking:
            count = preference.get("InstanceCount", resources.get("InstanceCount"))
            return {
                **resources,
                "SelectedInstanceType": preference["InstanceType"],
                "SelectedInstanceCount": count,
            }
    return None


class TrainingJob:
    """A job from its creation to its end. Thread-safe."""

    def __init__(
        self,
        account: Account,
        role: Credentials,
        arn: str,
        request: Mapping[str, Any],
        *,
        algorithm: str,
        described: Mapping[str, Any],
    ) -> None:
        self.arn = arn
        self.status = "InProgress"
        self.tags = tags_of(request)
        self._account, self._request, self._algorithm = account, request, algorithm
        self._more = described
        self._resources = _selected(request["ResourceConfig"], self.tags.get(NO_CAPACITY_TAG, "").split())
        self._name = request["TrainingJobName"]
        self._created = self._modified = time.time()
        self._times: dict[str, float] = {}
        self._secondary = "Starting"
        self._transitions: list[dict[str, Any]] = []
        self._metrics: list[dict[str, Any]] = []
        self._failure: str | None = None
        self._artifact: str | None = None
        self._worker = Worker(account, role, "container")
        self._lock = threading.RLock()

    def start(self, *, refusal: str | None = None) -> None:
        """Run the job in the background. ``refusal`` says why it cannot start: then it fails at once."""
        self._enter("Starting")
        if refusal:
            self._end("Failed", f"ClientError: {refusal}")
            return
        if self._resources is None:
            self._end("Failed", NO_CAPACITY)
            return
        threading.Thread(target=self._run, name=f"training-job-{self._name}", daemon=True).start()

    def stop(self) -> bool:
        """Stop the job. Return False if it has already ended."""
        with self._lock:
            if self.status not in ("InProgress", "Stopping"):
                return False
            if self.status == "InProgress":
                self.status = "Stopping"
                self._enter("Stopping")
                self._worker.stop()
            return True

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeTrainingJob."""
        with self._lock:
            described = {name: self._request[name] for name in _DESCRIBED if name in self._request}
            described.setdefault("EnableNetworkIsolation", False)
            described.setdefault("EnableInterContainerTrafficEncryption", False)
            described.setdefault("EnableManagedSpotTraining", False)
            described.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": DEFAULT_RUNTIME})
            described |= {
                "TrainingJobArn": self.arn,
                "TrainingJobStatus": self.status,
                "SecondaryStatus": self._secondary,
                "SecondaryStatusTransitions": [dict(step) for step in self._transitions],
                "CreationTime": self._created,
                "LastModifiedTime": self._modified,
                "FinalMetricDataList": list(self._metrics),
                **self._times,
                **self._more,
            }
            described["ResourceConfig"] = self._resources or self._request["ResourceConfig"]
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
        """Return the job's entry in ListTrainingJobs."""
        described = self.describe()
        names = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime")
        return {name: described[name] for name in (*names, "TrainingJobStatus") if name in described}

    def _run(self) -> None:
        job = {**self._request, "ResourceConfig": self._resources}
        order = {"algorithm": self._algorithm, "job": job, "region": self._account.region}
        limit = self._request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DEFAULT_RUNTIME)
        try:
            self._conclude(self._worker.run(order, limit, self._take))
        except Exception as error:
            logger.exception("The training job %s broke the stand-in", self._name)
            self._end("Failed", f"InternalServerError: {type(error).__name__}: {error}")

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

    def _conclude(self, outcome: Outcome) -> None:
        if outcome.overrun:
            self._end("Stopped", secondary="MaxRuntimeExceeded")
        elif self.status == "Stopping":
            self._end("Stopped")
        elif outcome.returncode == 0 and self._artifact:
            self._end("Completed")
        else:
            self._end("Failed", self._failure or f"AlgorithmError: {outcome.reason}")
            if not self._failure or outcome.errors:
                code, errors = outcome.returncode, outcome.errors
                logger.warning("Container of %s: exit code %s\n%s", self._name, code, errors)

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
