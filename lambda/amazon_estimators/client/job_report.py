"""Gather the facts of a page about any training job of the account, also long after it ended."""

from __future__ import annotations

from typing import Any

from amazon_estimators.client.lineage import job_of
from amazon_estimators.costs.prices import PriceTable
from amazon_estimators.costs.reckoning import cost_of_job
from amazon_estimators.pipeline.keys import record_sets_prefix
from amazon_estimators.pipeline.training_request import TAG
from amazon_estimators.pipeline.trainings import trainings
from amazon_estimators.reports.facts import ReportFacts
from amazon_estimators.reports.gather import algorithm_of_image, region_of_job, training_facts
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of


def job_facts(model: str, *, session: Any = None) -> ReportFacts:
    """Return the facts about a training job.

    What only its execution knew, such as the warnings and the verdict, is not in it.

    Args:
        model: The job's name, the S3 URI of its model, or the ARN of a model package.
        session: A boto3 session. Default: from the environment.

    Raises:
        RequestError: A model that no training job of this account made.
    """
    sagemaker, s3 = client_of(session, "sagemaker"), client_of(session, "s3")
    job = sagemaker.describe_training_job(TrainingJobName=job_of(model, sagemaker))
    tags = {
        tag["Key"].removeprefix(TAG): tag["Value"]
        for page in sagemaker.get_paginator("list_tags").paginate(ResourceArn=job["TrainingJobArn"])
        for tag in page["Tags"]
        if tag["Key"].startswith(TAG)
    }
    name = job["TrainingJobName"]
    failure = job.get("FailureReason")
    return training_facts(
        s3,
        job,
        title=tags.get("pipeline") or name,
        about={
            "status": job["TrainingJobStatus"],
            "execution": tags.get("execution"),
            "data set version": tags.get("data-set"),
        },
        algorithm=algorithm_of_image(str(job["AlgorithmSpecification"].get("TrainingImage") or "")),
        cost=cost_of_job(PriceTable.of_package(), region_of_job(job), job),
        warnings=[f"the training job failed: {failure}"] if failure else [],
        trainings=_trainings(s3, job),
    )


def _trainings(s3: Any, job: Any) -> list[dict[str, Any]]:
    """Return what the job's pipeline kept of its trainings; none for a job without a pipeline."""
    for channel in job.get("InputDataConfig") or ():
        uri = ((channel.get("DataSource") or {}).get("S3DataSource") or {}).get("S3Uri")
        if uri is None:
            continue
        place = Place.of(uri, what="channel")
        prefix, root, _ = place.key.rpartition(record_sets_prefix(""))
        if root and (not prefix or prefix.endswith("/")):
            return trainings(s3, place.bucket, prefix)
    return []
