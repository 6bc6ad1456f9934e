"""Implement CreateTrainingJob and the other operations on training jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amazon_estimators_rehearsal.sagemaker.account import (
    TRAINING_NAMESPACE,
    Account,
    Credentials,
    passed_role,
    start_denial,
)
from amazon_estimators_rehearsal.sagemaker.checks.image import check_image
from amazon_estimators_rehearsal.sagemaker.checks.request_rules import check_request
from amazon_estimators_rehearsal.sagemaker.errors import (
    ResourceInUseError,
    ResourceNotFoundError,
    ValidationError,
)
from amazon_estimators_rehearsal.sagemaker.resources import Operation, Resources, listed
from amazon_estimators_rehearsal.sagemaker.training_job import TrainingJob


class TrainingJobs:
    """All training jobs of one account and region."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.items: Resources[TrainingJob] = Resources(
            account,
            "training-job",
            "TrainingJobName",
            taken=lambda arn: ResourceInUseError(
                "Training job names must be unique within an AWS account and region, and a job with this "
                f"name already exists ({arn})"
            ),
            missing=lambda _: ResourceNotFoundError("Requested resource not found."),
        )
        self.operations: Mapping[str, Operation] = {
            "CreateTrainingJob": self._create,
            "DescribeTrainingJob": lambda request, _: self.items.of(request).describe(),
            "StopTrainingJob": self._stop,
            "ListTrainingJobs": self._list,
        }

    def start(self, request: Mapping[str, Any], role: Credentials, **described: Any) -> TrainingJob:
        """Start a job whose role has already been passed.

        Args:
            request: A valid request of CreateTrainingJob.
            role: Credentials of its role.
            described: Additional members of its description.
        """
        algorithm = check_image(request["AlgorithmSpecification"].get("TrainingImage"), self._account.region)
        check_request(request)
        name = request["TrainingJobName"]
        arn = self.items.arn(name)
        job = TrainingJob(self._account, role, arn, request, algorithm=algorithm, described=described)
        self.items.add(name, job)
        image = request["AlgorithmSpecification"]["TrainingImage"]
        refusal = start_denial(
            self._account,
            role,
            image,
            TRAINING_NAMESPACE,
            volume_key=request["ResourceConfig"].get("VolumeKmsKeyId"),
            output_key=request["OutputDataConfig"].get("KmsKeyId"),
        )
        job.start(refusal=refusal)
        return job

    def stop(self) -> None:
        """Stop all jobs."""
        for job in self.items.all():
            job.stop()

    def _create(self, request: dict[str, Any], caller: str) -> dict[str, Any]:
        check_image(request["AlgorithmSpecification"].get("TrainingImage"), self._account.region)
        check_request(request)
        arn = self.items.arn(request["TrainingJobName"])
        role = passed_role(self._account, caller, request["RoleArn"], arn)
        return {"TrainingJobArn": self.start(request, role).arn}

    def _stop(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        job = self.items.of(request)
        if not job.stop():
            raise ValidationError(
                f"The request was rejected because the training job is in status {job.status}."
            )
        return {}

    def _list(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        summaries = [job.summary() for job in self.items.all()]
        return listed(
            "TrainingJobSummaries", summaries, request, name="TrainingJobName", status="TrainingJobStatus"
        )
