"""Follow a model back to its data: training job, RecordSets, data set version, versions of objects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amazon_estimators.errors import RequestError
from amazon_estimators.pipeline.channel_origin import ChannelOrigin, channel_origin
from amazon_estimators.pipeline.current_model import registered_model
from amazon_estimators.pipeline.keys import MODELS
from amazon_estimators.pipeline.training_request import TAG
from amazon_estimators.storage.sessions import client_of

MODEL_URI = re.compile(rf"s3://.*?{MODELS}([^/]+)/output/[^/]+")
PACKAGE = re.compile(r"arn:[^:]+:sagemaker:[^:]*:[^:]*:model-package/.+")


@dataclass(frozen=True, kw_only=True)
class ModelLineage:
    """The way from a model back to its data.

    Attributes:
        job: The training job.
        arn: Its ARN.
        status: How it ended.
        model: The S3 URI of the model; None if the job made none.
        image: The training image.
        hyperparameters: As the job had them.
        pipeline: The path of the pipeline; None without one.
        execution: The name of the execution; None without one.
        channels: The channels, in the order of the job.
    """

    job: str
    arn: str
    status: str
    model: str | None
    image: str | None
    hyperparameters: Mapping[str, str]
    pipeline: str | None
    execution: str | None
    channels: tuple[ChannelOrigin, ...]

    def facts(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**vars(self), "channels": [channel.facts() for channel in self.channels]}


def lineage_of(model: str, *, session: Any = None) -> ModelLineage:
    """Return the lineage of a model.

    Args:
        model: A training job's name, the S3 URI of its model, or the ARN of a model package.
        session: A boto3 session. Default: from the environment.

    Raises:
        RequestError: It is neither of these, or a model that no training job of this account made.
    """
    sagemaker, s3 = client_of(session, "sagemaker"), client_of(session, "s3")
    job = sagemaker.describe_training_job(TrainingJobName=job_of(model, sagemaker))
    tags = {
        tag["Key"]: tag["Value"]
        for page in sagemaker.get_paginator("list_tags").paginate(ResourceArn=job["TrainingJobArn"])
        for tag in page["Tags"]
    }
    return ModelLineage(
        job=job["TrainingJobName"],
        arn=job["TrainingJobArn"],
        status=job["TrainingJobStatus"],
        model=(job.get("ModelArtifacts") or {}).get("S3ModelArtifacts"),
        image=job["AlgorithmSpecification"].get("TrainingImage"),
        hyperparameters=job.get("HyperParameters") or {},
        pipeline=tags.get(f"{TAG}pipeline"),
        execution=tags.get(f"{TAG}execution"),
        channels=tuple(channel_origin(s3, channel) for channel in job.get("InputDataConfig") or ()),
    )


def job_of(model: str, sagemaker: Any) -> str:
    """Return the training job of a model: see :func:`lineage_of`. Raises RequestError."""
    if PACKAGE.fullmatch(model):
        job = registered_model(sagemaker.describe_model_package(ModelPackageName=model)).job
        if not job:
            raise RequestError(
                f"the metadata of {model} name no job: this library did not register it",
                remedy="Give the training job's name.",
            )
        return job
    if model.startswith("s3://"):
        match = MODEL_URI.fullmatch(model)
        if match is None:
            raise RequestError(
                f"{model} is not where a training job puts its model: s3://…/<job>/output/model.tar.gz",
                remedy="Give the training job's name.",
            )
        return match[1]
    return model
