"""Run a hyperparameter tuning job: a search that starts training jobs and learns from their objectives."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators_rehearsal.sagemaker.account import Account, Credentials
from amazon_estimators_rehearsal.sagemaker.checks.image import check_image
from amazon_estimators_rehearsal.sagemaker.checks.tuning_resources import training_resources
from amazon_estimators_rehearsal.sagemaker.errors import ServiceError
from amazon_estimators_rehearsal.sagemaker.resources import tag_list, tags_of
from amazon_estimators_rehearsal.sagemaker.training_job import DEFINED, TrainingJob
from amazon_estimators_rehearsal.sagemaker.training_jobs import TrainingJobs
from amazon_estimators_rehearsal.sagemaker.tuning_search import Search, axes_of

logger = logging.getLogger("rehearsal.sagemaker")

POLL_SECONDS = 0.1
DEFAULT_SECONDS = 30 * 24 * 3600
IDENTICAL = "IdenticalDataAndAlgorithm"
OBJECTIVE_HYPERPARAMETER = "_tuning_objective_metric"
_COUNTED = ("Completed", "InProgress", "Stopped")
"""Statuses of trainings that are counted by name; others are errors."""


@dataclass
class Trial:
    """A training job and the values that the search chose for it."""

    job: TrainingJob
    tuned: dict[str, str]
    objective: float | None = None
    ended: bool = False


class TuningJob:
    """A tuning job from its creation to its end. Thread-safe."""

    def __init__(
        self,
        account: Account,
        training_jobs: TrainingJobs,
        arn: str,
        request: Mapping[str, Any],
        role: Credentials,
    ) -> None:
        self.arn = arn
        self.tags = tags_of(request)
        self.status = "InProgress"
        self._account, self._training_jobs, self._request, self._role = account, training_jobs, request, role
        self._name = request["HyperParameterTuningJobName"]
        self._config = request["HyperParameterTuningJobConfig"]
        self._definition = request["TrainingJobDefinition"]
        self.objective: Mapping[str, str] = self._config["HyperParameterTuningJobObjective"]
        image = self._definition["AlgorithmSpecification"]["TrainingImage"]
        algorithm = algorithm_named(check_image(image, account.region))
        self._metrics = [
            {"Name": metric.name, "Regex": metric.regex} for metric in algorithm.metrics if metric.regex
        ]
        self._search = Search(
            axes_of(self._config["ParameterRanges"]),
            self._config["Strategy"],
            minimize=self.objective["Type"] == "Minimize",
            seed=self._config.get("RandomSeed", 0),
        )
        self._trials: list[Trial] = []
        self._failure: str | None = None
        self._created = self._modified = time.time()
        self._ended: float | None = None
        self._lock = threading.RLock()

    def learn_from(self, parent: TuningJob) -> None:
        """Add the measurements of another job."""
        for trial in parent._trials:
            if trial.objective is not None:
                self._search.observe(trial.tuned, trial.objective)

    def run(self) -> None:
        """Search to the end."""
        self._announce()
        try:
            self._loop()
            status = "Stopped" if self.status == "Stopping" else "Completed"
            if status == "Completed" and not any(trial.objective is not None for trial in self._trials):
                status, self._failure = "Failed", f"No training job succeeded. {self._cause()}"
        except ServiceError as error:
            status, self._failure = "Failed", error.message
        except Exception as error:
            logger.exception("The tuning job %s broke the stand-in", self._name)
            status, self._failure = "Failed", f"InternalServerError: {type(error).__name__}: {error}"
        with self._lock:
            self.status, self._ended = status, time.time()
        logger.info("Tuning job %s: %s %s", self._name, status, self._failure or "")
        self._announce()

    def stop(self) -> bool:
        """Stop the job and its trainings. Return False if it has already ended."""
        with self._lock:
            if self.status not in ("InProgress", "Stopping"):
                return False
            self.status = "Stopping"
        for trial in self._trials:
            trial.job.stop()
        return True

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeHyperParameterTuningJob."""
        with self._lock:
            described = {name: value for name, value in self._request.items() if name != "Tags"}
            statics = {**self._definition.get("StaticHyperParameters", {}), **self._objective_setting()}
            # Whatever it sent, the SDK reads ResourceConfig and the algorithm's metrics when it attaches.
            described["TrainingJobDefinition"] = {
                **self._definition,
                "AlgorithmSpecification": {
                    "MetricDefinitions": self._metrics,
                    **self._definition["AlgorithmSpecification"],
                },
                "ResourceConfig": training_resources(self._definition),
                "StaticHyperParameters": statics,
            }
            described |= {
                "HyperParameterTuningJobArn": self.arn,
                "HyperParameterTuningJobStatus": self.status,
                "CreationTime": self._created,
                "LastModifiedTime": self._modified,
                **self._counters(),
            }
            best = self.best()
            if best:
                described["BestTrainingJob"] = self._summary(best)
                if self._request.get("WarmStartConfig", {}).get("WarmStartType") == IDENTICAL:
                    described["OverallBestTrainingJob"] = self._summary(best)
            if self._ended:
                described["HyperParameterTuningEndTime"] = self._ended
                seconds = sum(trial.job.describe().get("TrainingTimeInSeconds", 0) for trial in self._trials)
                described["ConsumedResources"] = {"RuntimeInSeconds": seconds}
            if self._failure:
                described["FailureReason"] = self._failure[:1024]
            return described

    def summary(self) -> dict[str, Any]:
        """Return the job's entry in ListHyperParameterTuningJobs."""
        described = self.describe()
        names = (
            "HyperParameterTuningJobName",
            "HyperParameterTuningJobArn",
            "HyperParameterTuningJobStatus",
            "CreationTime",
            "HyperParameterTuningEndTime",
            "LastModifiedTime",
            "TrainingJobStatusCounters",
            "ObjectiveStatusCounters",
        )
        return {
            **{name: described[name] for name in names if name in described},
            "Strategy": self._config["Strategy"],
            "ResourceLimits": self._config["ResourceLimits"],
        }

    def trainings(self) -> list[dict[str, Any]]:
        """Return the entries of ListTrainingJobsForHyperParameterTuningJob, oldest first."""
        return [self._summary(trial) for trial in [*self._trials]]

    def best(self) -> Trial | None:
        """Return the training with the best objective; None if there is none yet."""
        measured = [trial for trial in self._trials if trial.objective is not None]
        sign = 1 if self.objective["Type"] == "Minimize" else -1
        return min(measured, key=lambda trial: sign * (trial.objective or 0.0), default=None)

    def _loop(self) -> None:
        limits = self._config["ResourceLimits"]
        most = limits.get("MaxNumberOfTrainingJobs")
        deadline = time.monotonic() + limits.get("MaxRuntimeInSeconds", DEFAULT_SECONDS)
        exhausted = False
        while True:
            running = [trial for trial in self._trials if not self._has_ended(trial)]
            if self.status != "InProgress":
                for trial in running:
                    trial.job.stop()
            else:
                exhausted = exhausted or self._criteria_met() or time.monotonic() > deadline
                while (
                    not exhausted
                    and len(running) < limits["MaxParallelTrainingJobs"]
                    and (most is None or len(self._trials) < most)
                ):
                    proposal = self._search.propose()
                    if proposal is None:
                        exhausted = True
                    else:
                        running.append(self._train(proposal))
            if not running:
                return
            time.sleep(POLL_SECONDS)

    def _criteria_met(self) -> bool:
        """Return True if the objective is as good as requested."""
        target = self._config.get("TuningJobCompletionCriteria", {}).get("TargetObjectiveMetricValue")
        best = self.best()
        if target is None or best is None or best.objective is None:
            return False
        minimize = self.objective["Type"] == "Minimize"
        return bool(best.objective <= target if minimize else best.objective >= target)

    def _train(self, tuned: dict[str, str]) -> Trial:
        number = len(self._trials) + 1
        statics = self._definition.get("StaticHyperParameters", {})
        request = {name: self._definition[name] for name in DEFINED if name in self._definition}
        request |= {
            "TrainingJobName": f"{self._name}-{number:03d}-{secrets.token_hex(4)}",
            "HyperParameters": {**statics, **tuned, **self._objective_setting()},
            "ResourceConfig": training_resources(self._definition),
            "Tags": tag_list(self.tags),
        }
        job = self._training_jobs.start(request, self._role, TuningJobArn=self.arn)
        trial = Trial(job, tuned)
        with self._lock:
            self._trials.append(trial)
        return trial

    def _has_ended(self, trial: Trial) -> bool:
        """Return True if a training has ended; record its objective when it does."""
        if trial.ended or trial.job.status in ("InProgress", "Stopping"):
            return trial.ended
        described = trial.job.describe()
        values = {metric["MetricName"]: metric["Value"] for metric in described["FinalMetricDataList"]}
        with self._lock:
            trial.ended = True
            if described["TrainingJobStatus"] == "Completed":
                trial.objective = values.get(self.objective["MetricName"])
        if trial.objective is not None:
            self._search.observe(trial.tuned, trial.objective)
        return True

    def _objective_setting(self) -> dict[str, str]:
        return {OBJECTIVE_HYPERPARAMETER: self.objective["MetricName"]}

    def _cause(self) -> str:
        for trial in self._trials:
            described = trial.job.describe()
            if "FailureReason" in described:
                return f"Failure of {described['TrainingJobName']}: {described['FailureReason']}"
        return f"No training job reported {self.objective['MetricName']}."

    def _summary(self, trial: Trial) -> dict[str, Any]:
        described = trial.job.describe()
        names = (
            "TrainingJobName",
            "TrainingJobArn",
            "CreationTime",
            "TrainingStartTime",
            "TrainingEndTime",
            "TrainingJobStatus",
            "FailureReason",
        )
        summary = {name: described[name] for name in names if name in described}
        summary["TunedHyperParameters"] = trial.tuned
        summary["ObjectiveStatus"] = "Pending" if not trial.ended else "Failed"
        if trial.objective is not None:
            summary["ObjectiveStatus"] = "Succeeded"
            summary["FinalHyperParameterTuningJobObjectiveMetric"] = {
                "Type": self.objective["Type"],
                "MetricName": self.objective["MetricName"],
                "Value": trial.objective,
            }
        return summary

    def _counters(self) -> dict[str, dict[str, int]]:
        summaries = self.trainings()
        statuses = [
            summary["TrainingJobStatus"] if summary["TrainingJobStatus"] in _COUNTED else "NonRetryableError"
            for summary in summaries
        ]
        objectives = [summary["ObjectiveStatus"] for summary in summaries]
        return {
            "TrainingJobStatusCounters": {
                name: statuses.count(name)
                for name in ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
            },
            "ObjectiveStatusCounters": {
                name: objectives.count(name) for name in ("Succeeded", "Pending", "Failed")
            },
        }

    def _announce(self) -> None:
        self._modified = time.time()
        self._account.publish("SageMaker HyperParameter Tuning Job State Change", self.describe(), self.arn)
