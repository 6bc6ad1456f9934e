"""Implement CreateTransformJob and the other operations on transform jobs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from amazon_estimators_rehearsal.sagemaker.account import (
    TRANSFORM_NAMESPACE,
    Account,
    Credentials,
    start_denial,
)
from amazon_estimators_rehearsal.sagemaker.errors import (
    ResourceInUseError,
    ResourceNotFoundError,
    ValidationError,
)
from amazon_estimators_rehearsal.sagemaker.models import Model, Models
from amazon_estimators_rehearsal.sagemaker.resources import Operation, Resources, listed, tags_of
from amazon_estimators_rehearsal.sagemaker.worker import Worker

logger = logging.getLogger("rehearsal.sagemaker")

MAX_CONCURRENT_MB = 100
MAX_SECONDS = 5 * 24 * 3600
"""The service ends transform jobs after five days."""


class TransformJob:
    """A transform job from its creation to its end. Thread-safe."""

    def __init__(
        self, account: Account, arn: str, request: Mapping[str, Any], model: Model, role: Credentials
    ) -> None:
        self.arn = arn
        self.tags = tags_of(request)
        self.status = "InProgress"
        self._account, self._request, self._model = account, request, model
        self._worker = Worker(account, role, "transform_container")
        self._failure: str | None = None
        self._times = {"CreationTime": time.time()}
        self._lock = threading.RLock()

    def start(self, *, refusal: str | None) -> None:
        """Run the job in the background. ``refusal`` says why it cannot start: then it fails at once."""
        self._announce()
        if refusal:
            self._end("Failed", f"ClientError: {refusal}")
            return
        name = f"transform-job-{self._request['TransformJobName']}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def stop(self) -> bool:
        """Stop the job. Return False if it has already ended."""
        with self._lock:
            if self.status not in ("InProgress", "Stopping"):
                return False
            self.status = "Stopping"
        self._worker.stop()
        return True

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeTransformJob."""
        with self._lock:
            described = {name: value for name, value in self._request.items() if name != "Tags"}
            described |= {"TransformJobArn": self.arn, "TransformJobStatus": self.status, **self._times}
            if self._failure:
                described["FailureReason"] = self._failure[:1024]
            return described

    def _run(self) -> None:
        try:
            order = {"job": self._request, "model": self._model.order()}
            outcome = self._worker.run(order, MAX_SECONDS, self._take)
            if self.status == "Stopping":
                self._end("Stopped")
            elif outcome.returncode == 0:
                self._end("Completed")
            else:
                self._end("Failed", self._failure or f"AlgorithmError: {outcome.reason}")
                if outcome.errors:
                    logger.warning("Transform job %s: %s", self.arn, outcome.errors)
        except Exception as error:
            logger.exception("The transform job %s broke the stand-in", self.arn)
            self._end("Failed", f"InternalServerError: {type(error).__name__}: {error}")

    def _take(self, event: Mapping[str, Any]) -> None:
        with self._lock:
            if "status" in event:
                self._times["TransformStartTime"] = time.time()
            self._failure = event.get("failure", self._failure)

    def _end(self, status: str, failure: str | None = None) -> None:
        with self._lock:
            if "TransformStartTime" in self._times:
                self._times["TransformEndTime"] = time.time()
            self._failure, self.status = failure, status
        logger.info("Transform job %s: %s %s", self.arn, status, failure or "")
        self._announce()

    def _announce(self) -> None:
        self._account.publish("SageMaker Transform Job State Change", self.describe(), self.arn)


class TransformJobs:
    """The transform jobs of one account and region."""

    def __init__(self, account: Account, models: Models) -> None:
        self._account, self._models = account, models
        self.items: Resources[TransformJob] = Resources(
            account,
            "transform-job",
            "TransformJobName",
            taken=lambda arn: ResourceInUseError(
                "Job name must be unique within an AWS account and region, and a job with this name already "
                f"exists ({arn})"
            ),
            missing=lambda arn: ResourceNotFoundError(f"Could not find requested job with name: {arn}"),
        )
        self.operations: Mapping[str, Operation] = {
            "CreateTransformJob": self._create,
            "DescribeTransformJob": lambda request, _: self.items.of(request).describe(),
            "StopTransformJob": self._stop,
            "ListTransformJobs": self._list,
        }

    def stop(self) -> None:
        """Stop all jobs."""
        for job in self.items.all():
            job.stop()

    def _create(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        _check(request)
        model = self._models.items.named(request["ModelName"])
        if model.multi_model:
            raise ValidationError("Multi-model mode is not supported for transform jobs.")
        name = request["TransformJobName"]
        arn = self.items.arn(name)
        role = self._models.role(model, arn)
        job = TransformJob(self._account, arn, request, model, role)
        self.items.add(name, job)
        refusal = start_denial(
            self._account,
            role,
            model.container["Image"],
            TRANSFORM_NAMESPACE,
            volume_key=request["TransformResources"].get("VolumeKmsKeyId"),
        )
        job.start(refusal=refusal)
        return {"TransformJobArn": arn}

    def _stop(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        job = self.items.of(request)
        if not job.stop():
            raise ValidationError(
                f"The request was rejected because the transform job is in status {job.status}."
            )
        return {}

    def _list(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        names = (
            "TransformJobName",
            "TransformJobArn",
            "CreationTime",
            "TransformEndTime",
            "TransformJobStatus",
            "FailureReason",
        )
        summaries = [
            {name: described[name] for name in names if name in described}
            for described in (job.describe() for job in self.items.all())
        ]
        return listed(
            "TransformJobSummaries", summaries, request, name="TransformJobName", status="TransformJobStatus"
        )


def _check(request: Mapping[str, Any]) -> None:
    """Check the rules that botocore's model does not state."""
    if "DataProcessing" in request:
        raise ValidationError("The stand-in neither filters nor joins: leave out DataProcessing.")
    if "ContentType" not in request["TransformInput"]:
        raise ValidationError("TransformInput.ContentType is required for a first-party algorithm.")
    if request["TransformInput"]["DataSource"]["S3DataSource"]["S3DataType"] == "AugmentedManifestFile":
        raise ValidationError("AugmentedManifestFile is not supported for batch transform.")
    payload = request.get("MaxPayloadInMB", 6)
    if payload == 0:
        raise ValidationError("The first-party algorithms do not support MaxPayloadInMB 0.")
    if request.get("MaxConcurrentTransforms", 1) * payload > MAX_CONCURRENT_MB:
        raise ValidationError(
            f"MaxConcurrentTransforms * MaxPayloadInMB must not exceed {MAX_CONCURRENT_MB} MB."
        )
