"""The API: CreateTrainingJob and what belongs to it, in the service's JSON protocol."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from typing import Any

from amazon_estimators_rehearsal.sagemaker.account import Account, passed_role, start_denial
from amazon_estimators_rehearsal.sagemaker.checks.image import check_image
from amazon_estimators_rehearsal.sagemaker.checks.request_rules import check_request
from amazon_estimators_rehearsal.sagemaker.checks.request_schema import validate
from amazon_estimators_rehearsal.sagemaker.errors import (
    ResourceInUseError,
    ResourceNotFoundError,
    ServiceError,
    UnknownOperationError,
    ValidationError,
)
from amazon_estimators_rehearsal.sagemaker.job import TrainingJob

logger = logging.getLogger("rehearsal.sagemaker")

_OPERATIONS = frozenset(
    {
        "CreateTrainingJob",
        "DescribeTrainingJob",
        "StopTrainingJob",
        "ListTrainingJobs",
        "AddTags",
        "ListTags",
    }
)


class SageMaker:
    """The training jobs of one account and region."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._jobs: dict[str, TrainingJob] = {}
        self._lock = threading.Lock()

    def handle(self, operation: str, body: bytes, caller: str) -> tuple[int, dict[str, str], bytes]:
        """Answer one API call of the principal with access key ``caller``: status, headers, body."""
        headers = {"Content-Type": "application/x-amz-json-1.1"}
        try:
            if operation not in _OPERATIONS:
                raise UnknownOperationError(
                    f"The stand-in has no {operation}; it has {', '.join(sorted(_OPERATIONS))}."
                )
            request = json.loads(body or b"{}")
            validate(operation, request)
            answer = getattr(self, f"_{operation}")(request, caller)
        except ServiceError as error:
            logger.info("%s refused: %s", operation, error)
            answer = {"__type": error.code, "message": error.message}
            return error.status, headers, json.dumps(answer).encode()
        return 200, headers, json.dumps(answer).encode()

    def resource(self, request: Mapping[str, Any]) -> str:
        """The ARN that a request is about, for the permission check; ``*`` if it names none."""
        if "ResourceArn" in request:
            return str(request["ResourceArn"])
        name = request.get("TrainingJobName")
        return self._arn(str(name)) if name else "*"

    def reset(self) -> None:
        """Stop and forget all jobs."""
        with self._lock:
            jobs, self._jobs = list(self._jobs.values()), {}
        for job in jobs:
            job.stop()

    def _CreateTrainingJob(self, request: dict[str, Any], caller: str) -> dict[str, Any]:  # noqa: N802
        algorithm = check_image(request, self._account.region)
        check_request(request)
        name = request["TrainingJobName"]
        role = passed_role(self._account, caller, request["RoleArn"], self._arn(name))
        with self._lock:
            if name in self._jobs:
                raise ResourceInUseError(
                    f"Training job names must be unique within an AWS account and region, and a job with "
                    f"this name already exists ({self._arn(name)})"
                )
            job = TrainingJob(self._account, self._arn(name), request, algorithm, role)
            self._jobs[name] = job
        image = request["AlgorithmSpecification"]["TrainingImage"]
        job.start(refusal=start_denial(self._account, role, image))
        return {"TrainingJobArn": job.arn}

    def _DescribeTrainingJob(self, request: dict[str, Any], _: str) -> dict[str, Any]:  # noqa: N802
        return self._job(request).describe()

    def _StopTrainingJob(self, request: dict[str, Any], _: str) -> dict[str, Any]:  # noqa: N802
        job = self._job(request)
        if not job.stop():
            raise ValidationError(
                f"The request was rejected because the training job is in status {job.status}."
            )
        return {}

    def _ListTrainingJobs(self, request: dict[str, Any], _: str) -> dict[str, Any]:  # noqa: N802
        jobs = [job.summary() for job in self._jobs.values()]
        wanted, contains = request.get("StatusEquals"), request.get("NameContains", "")
        listed = [
            job
            for job in jobs
            if contains in job["TrainingJobName"] and wanted in (None, job["TrainingJobStatus"])
        ]
        newest_first = request.get("SortOrder", "Descending") == "Descending"
        return {"TrainingJobSummaries": listed[::-1] if newest_first else listed}

    def _AddTags(self, request: dict[str, Any], _: str) -> dict[str, Any]:  # noqa: N802
        job = self._job_of_arn(request["ResourceArn"])
        job.tags.update({tag["Key"]: tag["Value"] for tag in request["Tags"]})
        return {"Tags": job.tag_list()}

    def _ListTags(self, request: dict[str, Any], _: str) -> dict[str, Any]:  # noqa: N802
        return {"Tags": self._job_of_arn(request["ResourceArn"]).tag_list()}

    def _arn(self, name: str) -> str:
        return (
            f"arn:aws:sagemaker:{self._account.region}:{self._account.account_id}:training-job/{name.lower()}"
        )

    def _job(self, request: Mapping[str, Any]) -> TrainingJob:
        job = self._jobs.get(request["TrainingJobName"])
        if job is None:
            raise ResourceNotFoundError("Requested resource not found.")
        return job

    def _job_of_arn(self, arn: str) -> TrainingJob:
        for job in self._jobs.values():
            if job.arn == arn:
                return job
        raise ResourceNotFoundError("Requested resource not found.")
