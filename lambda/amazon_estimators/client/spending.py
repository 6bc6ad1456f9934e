"""Reckon what a deployed pipeline has cost this month, and what its next training will likely cost.

From SageMaker's own descriptions of the pipeline's training jobs: not from Cost Explorer, which costs money
and is a day late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from amazon_estimators.algorithms.instances import types_of
from amazon_estimators.client.definitions import objects_with
from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators.costs.prices import PriceTable
from amazon_estimators.costs.reckoning import (
    Cost,
    Earlier,
    cost_of_job,
    instances_of,
    likely_of_training,
    total,
    unknown,
)
from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.pipeline.data_set import DataSet
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.pipeline.training_request import TAG
from amazon_estimators.storage.sessions import client_of, region_of

TUNING = {"objective", "searched", "job_name_prefix"}
"""Keys that identify the settings of a search in a definition."""
DATA_SET_TAG = f"{TAG}data-set"
MOST_EARLIER = 5
"""Trainings that a likely cost is reckoned from."""


def month_of(now: datetime) -> datetime:
    """Return the beginning of the month, in UTC.

    Example:
        >>> month_of(datetime(2026, 11, 29, 20, 15, tzinfo=UTC)).isoformat()
        '2026-11-01T00:00:00+00:00'
    """
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def spent(pipeline: PipelineEstimator, table: PriceTable, since: datetime) -> Cost:
    """Return what the training jobs cost that the pipeline began since then, those that failed too.

    One that runs still is not in it. What AWS does not answer makes it unknown, with AWS's reason.
    """
    region = region_of(pipeline.session)
    try:
        jobs = [*_jobs(pipeline, CreationTimeAfter=since)]
    except (BotoCoreError, ClientError) as refused:
        return unknown(f"AWS does not tell the training jobs: {refused}")
    return total([cost_of_job(table, region, job) for job in jobs if _is_billed(job)])


def likely(pipeline: PipelineEstimator, table: PriceTable) -> Cost:
    """Return what a training on the current input will likely cost.

    It is reckoned from the seconds per byte of input of up to five trainings on the same instances, and the
    bytes that lie under the channels' prefixes now. Of several instance types the first is assumed.
    """
    settings, s3 = Settings.from_dict(pipeline.settings), client_of(pipeline.session, "s3")
    if any(objects_with(pipeline.describe()[1], TUNING)):
        return unknown("a search takes as many trainings as it finds worthwhile")
    region, instance_type = region_of(pipeline.session), types_of(settings.instance_type)[0]
    try:
        earlier = [*_earlier(pipeline, settings, s3)]
        channels = settings.with_columns(s3).channels_for(type(pipeline.algorithm))
        files = {name: channel.files for name, channel in channels.items()}
        now = DataSet.take(s3, settings.data_bucket, files)
    except (BotoCoreError, ClientError, AmazonEstimatorsError) as refused:
        return unknown(f"the earlier trainings or the input cannot be read: {refused}")
    size = _size(now)
    if size == 0:
        return unknown("there is no input yet")
    count = settings.instance_count
    return likely_of_training(table, region, instance_type, count=count, size=size, earlier=earlier)


def _earlier(pipeline: PipelineEstimator, settings: Settings, s3: Any) -> Iterator[Earlier]:
    """Yield the newest trainings that completed, with the size of the data set each was made of."""
    sagemaker = client_of(pipeline.session, "sagemaker")
    for job in _jobs(pipeline, most=MOST_EARLIER, StatusEquals="Completed"):
        tags = sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
        version = next((tag["Value"] for tag in tags if tag["Key"] == DATA_SET_TAG), None)
        instance_type, count = instances_of(job)
        if version is None or instance_type is None or count is None or "BillableTimeInSeconds" not in job:
            continue
        data_set = DataSet.load(s3, settings.data_bucket, settings.prefix, version)
        seconds = float(job["BillableTimeInSeconds"])
        yield Earlier(instance_type=instance_type, count=count, seconds=seconds, size=_size(data_set))


def _jobs(pipeline: PipelineEstimator, *, most: int | None = None, **only: Any) -> Iterator[dict[str, Any]]:
    """Yield the descriptions of the pipeline's training jobs, newest first, those of its searches too."""
    sagemaker = client_of(pipeline.session, "sagemaker")
    searches = [str(one["job_name_prefix"]) for one in objects_with(pipeline.describe()[1], TUNING)]
    for prefix in dict.fromkeys([str(pipeline.settings["job_name_prefix"]), *searches]):
        pages = sagemaker.get_paginator("list_training_jobs").paginate(
            NameContains=prefix, SortBy="CreationTime", SortOrder="Descending", **only
        )
        names = (one["TrainingJobName"] for page in pages for one in page["TrainingJobSummaries"])
        for number, name in enumerate(name for name in names if name.startswith(f"{prefix}-")):
            if number == most:
                break
            yield sagemaker.describe_training_job(TrainingJobName=name)


def _is_billed(job: Mapping[str, Any]) -> bool:
    """Return False for a job that runs still, and for one that never got an instance."""
    return "BillableTimeInSeconds" in job or ("TrainingStartTime" in job and "TrainingEndTime" in job)


def _size(data_set: DataSet) -> int:
    return sum(sum(objects.sizes) for objects in data_set.channels.values())
