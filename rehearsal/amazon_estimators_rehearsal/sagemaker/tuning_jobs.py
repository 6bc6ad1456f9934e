"""Implement CreateHyperParameterTuningJob and the other operations on tuning jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from amazon_estimators_rehearsal.sagemaker.account import Account, passed_role
from amazon_estimators_rehearsal.sagemaker.checks.tuning_request import check_tuning_request
from amazon_estimators_rehearsal.sagemaker.errors import (
    ResourceInUseError,
    ResourceNotFoundError,
    ValidationError,
)
from amazon_estimators_rehearsal.sagemaker.resources import Operation, Resources, listed
from amazon_estimators_rehearsal.sagemaker.training_jobs import TrainingJobs
from amazon_estimators_rehearsal.sagemaker.tuning_job import TuningJob

logger = logging.getLogger("rehearsal.sagemaker")

ENDED = ("Completed", "Failed", "Stopped")


class TuningJobs:
    """The hyperparameter tuning jobs of one account and region."""

    def __init__(self, account: Account, training_jobs: TrainingJobs) -> None:
        self._account, self._training_jobs = account, training_jobs
        self.items: Resources[TuningJob] = Resources(
            account,
            "hyper-parameter-tuning-job",
            "HyperParameterTuningJobName",
            taken=lambda arn: ResourceInUseError(
                f"A hyperparameter tuning job with the name, {arn.rpartition('/')[2]}, already exists. "
                "Choose a different name."
            ),
            missing=lambda _: ResourceNotFoundError(
                "Amazon SageMaker can't find a tuning job with this name."
            ),
        )
        self.operations: Mapping[str, Operation] = {
            "CreateHyperParameterTuningJob": self._create,
            "DescribeHyperParameterTuningJob": lambda request, _: self.items.of(request).describe(),
            "StopHyperParameterTuningJob": self._stop,
            "ListHyperParameterTuningJobs": self._list,
            "ListTrainingJobsForHyperParameterTuningJob": self._list_trainings,
        }

    def stop(self) -> None:
        """Stop all jobs."""
        for job in self.items.all():
            job.stop()

    def _create(self, request: dict[str, Any], caller: str) -> dict[str, Any]:
        check_tuning_request(request, self._account.region)
        name = request["HyperParameterTuningJobName"]
        arn = self.items.arn(name)
        role = passed_role(self._account, caller, request["TrainingJobDefinition"]["RoleArn"], arn)
        parents = [
            self._parent(parent["HyperParameterTuningJobName"], request)
            for parent in request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", [])
        ]
        job = TuningJob(self._account, self._training_jobs, arn, request, role)
        for parent in parents:
            job.learn_from(parent)
        self.items.add(name, job)
        threading.Thread(target=job.run, name=f"tuning-job-{name}", daemon=True).start()
        return {"HyperParameterTuningJobArn": arn}

    def _parent(self, name: str, request: Mapping[str, Any]) -> TuningJob:
        """Return a tuning job to learn from.

        https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-warm-start.html
        """
        parent = self.items.named(name)
        if parent.status not in ENDED:
            raise ValidationError(
                f"Parent hyperparameter tuning job {name} is {parent.status}; it must have ended."
            )
        objective = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        if parent.objective != objective:
            raise ValidationError(
                f"Parent hyperparameter tuning job {name} optimises {parent.objective['MetricName']}, not "
                f"{objective['MetricName']}."
            )
        return parent

    def _stop(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        job = self.items.of(request)
        if not job.stop():
            raise ValidationError(
                f"The request was rejected because the hyperparameter tuning job is in status {job.status}."
            )
        return {}

    def _list(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        summaries = [job.summary() for job in self.items.all()]
        return listed(
            "HyperParameterTuningJobSummaries",
            summaries,
            request,
            name="HyperParameterTuningJobName",
            status="HyperParameterTuningJobStatus",
        )

    def _list_trainings(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        job = self.items.of(request)
        summaries = job.trainings()
        if request.get("SortBy") == "FinalObjectiveMetricValue":
            measured = "FinalHyperParameterTuningJobObjectiveMetric"
            summaries = [summary for summary in summaries if measured in summary]
            summaries.sort(key=lambda summary: float(summary[measured]["Value"]))
        request = {"SortOrder": "Ascending", **request}
        return listed(
            "TrainingJobSummaries", summaries, request, name="TrainingJobName", status="TrainingJobStatus"
        )
