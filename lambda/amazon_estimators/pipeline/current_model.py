"""The model in use: the newest that was good enough and, with a registry, was approved.

A pipeline without a registry records it in ``current_model.json``. With a registry, it is the newest approved
version of the model package group, whoever approved it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

from amazon_estimators.pipeline.keys import current_model_key
from amazon_estimators.storage.documents import fields_of, get_document
from amazon_estimators.storage.faults import naming
from amazon_estimators.storage.s3 import is_there

SCHEMA = "current_model/1"
REMEDY = "Delete the object: the next model is then judged as the first one is."
METRIC, TEST_DATA = "metric ", "data of channel "
"""Prefixes of a package's metadata keys: metrics by name, data versions by channel."""
MOST_METADATA = 50
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html"""


@dataclass(frozen=True, kw_only=True)
class CurrentModel:
    """A trained model that was good enough.

    Attributes:
        job: The training job.
        model: The S3 URI of ``model.tar.gz``.
        data_set: The version of the data it was trained on.
        metrics: The metrics that the training reported, by name.
        test_data: The version of the data on which a gate judged it, by channel.
        model_package: The ARN of its model package; None if it is not registered.
    """

    job: str
    model: str
    data_set: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    test_data: Mapping[str, str] = field(default_factory=dict)
    model_package: str | None = None


def current_model_values(model: CurrentModel) -> dict[str, Any]:
    """Return what is kept of the model in use of a pipeline without a registry, of the schema SCHEMA.

    Metrics that are no numbers are left out: JSON has none.
    """
    metrics = {name: float(value) for name, value in model.metrics.items() if isfinite(float(value))}
    return {**asdict(model), "metrics": metrics}


def read_current_model(s3: Any, bucket: str, prefix: str) -> CurrentModel | None:
    """Return the model in use of a pipeline without a registry; None if there is none yet.

    Raises:
        DamagedFileError: The file was edited, or another release wrote it.
    """
    key = current_model_key(prefix)
    if not is_there(s3, bucket, key):
        return None
    values = get_document(s3, bucket, key, SCHEMA, remedy=REMEDY)
    with fields_of(f"s3://{bucket}/{key}", remedy=REMEDY):
        del values["at"]
        metrics = {name: float(value) for name, value in values["metrics"].items()}
        return CurrentModel(**{**values, "metrics": metrics, "test_data": dict(values["test_data"])})


def approved_model(sagemaker: Any, group: str) -> CurrentModel | None:
    """Return the newest approved model of a model package group, None if none is approved."""
    with naming("ListModelPackages", group):
        listed = sagemaker.list_model_packages(
            ModelPackageGroupName=group,
            ModelApprovalStatus="Approved",
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=1,
        )["ModelPackageSummaryList"]
    if not listed:
        return None
    arn = listed[0]["ModelPackageArn"]
    with naming("DescribeModelPackage", arn):
        described = sagemaker.describe_model_package(ModelPackageName=arn)
    return registered_model(described)


def registered_model(package: Mapping[str, Any]) -> CurrentModel:
    """Return the model that a package, as DescribeModelPackage tells it, holds.

    Anyone who approves packages may edit their metadata: a metric that is no number is none.
    """
    metadata = package.get("CustomerMetadataProperties", {})
    (container, *_) = package["InferenceSpecification"]["Containers"]
    return CurrentModel(
        job=metadata.get("job", ""),
        model=container["ModelDataUrl"],
        data_set=metadata.get("data_set", ""),
        metrics=dict(_numbers(_under(metadata, METRIC))),
        test_data=_under(metadata, TEST_DATA),
        model_package=package["ModelPackageArn"],
    )


def metadata_of(model: CurrentModel, **more: str) -> dict[str, str]:
    """Return a model as metadata of a package. :func:`registered_model` reads it back.

    If there are too many metrics, those of the training data are dropped first.
    """
    metadata = {
        "job": model.job,
        "data_set": model.data_set,
        **more,
        **{f"{TEST_DATA}{channel}": version for channel, version in model.test_data.items()},
    }
    ordered = sorted(model.metrics.items(), key=lambda metric: (metric[0].startswith("train:"), metric[0]))
    room = MOST_METADATA - len(metadata)
    return metadata | {f"{METRIC}{name}": json.dumps(value) for name, value in ordered[:room]}


def _numbers(texts: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    for name, text in texts.items():
        try:
            yield name, float(text)
        except ValueError:
            continue


def _under(metadata: Mapping[str, str], beginning: str) -> dict[str, str]:
    return {
        name.removeprefix(beginning): value for name, value in metadata.items() if name.startswith(beginning)
    }
