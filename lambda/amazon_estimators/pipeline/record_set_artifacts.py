"""Write a training's data into SageMaker's own lineage: data set version → RecordSet → training job.

SageMaker itself knows the job, its model and the S3 URIs of its channels, but not the data set behind them.
https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-entities.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from amazon_estimators.pipeline.keys import data_set_key
from amazon_estimators.pipeline.settings import Settings

ARTIFACT_TYPE = "DataSet"
"""The type that SageMaker's own artifacts of data have, and that its SDK's queries ask for."""
DERIVED_FROM, CONTRIBUTED_TO = "DerivedFrom", "ContributedTo"
"""The destination is a modification of the source; the source had a part in the destination."""
LONGEST_REASON = 1_000
LOG = logging.getLogger(__name__)


def associate(
    sagemaker: Any, settings: Settings, *, plan: Mapping[str, Any], job: Mapping[str, Any]
) -> dict[str, str]:
    """Make the artifacts of a training's data and their associations, as far as they are missing.

    What the service refuses is returned and logged, not raised: the model is good without its lineage.

    Args:
        sagemaker: A client.
        settings: The pipeline.
        plan: Plan's result.
        job: DescribeTrainingJob's answer.

    Returns:
        The ARNs of ``data_set``, ``record_set`` and ``trial_component``; or ``missing``, which says why the
        lineage is incomplete.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - not needed without AWS

    bucket, name, arn = plan["bucket"], job["TrainingJobName"], job["TrainingJobArn"]
    data_set, fingerprint = plan["data_set"], plan["fingerprint"]
    listed = f"s3://{bucket}/{data_set_key(settings.prefix, data_set)}"
    try:
        source = _artifact(sagemaker, f"data-set-{data_set}", uri=listed, version=data_set)
        record_set = _artifact(
            sagemaker,
            f"record-set-{fingerprint}",
            uri=f"s3://{bucket}/{plan['prefix']}",
            version=fingerprint,
        )
        _association(sagemaker, source, record_set, DERIVED_FROM)
        component = _first(
            sagemaker, "list_trial_components", "TrialComponentSummaries", "TrialComponentArn", SourceArn=arn
        )
        if component is None:
            return _missing(name, f"SageMaker has no trial component of {arn}")
        _association(sagemaker, record_set, component, CONTRIBUTED_TO)
    except (ClientError, BotoCoreError) as error:
        return _missing(name, f"{type(error).__name__}: {error}")
    return {"data_set": source, "record_set": record_set, "trial_component": component}


def _missing(job: str, reason: str) -> dict[str, str]:
    LOG.warning("the lineage of %s is incomplete: %s", job, reason)
    return {"missing": reason[:LONGEST_REASON]}


def _artifact(sagemaker: Any, name: str, *, uri: str, version: str) -> str:
    """Return the ARN of the artifact at ``uri``, which is created unless there is one."""
    return _ensured(
        lambda: _first(sagemaker, "list_artifacts", "ArtifactSummaries", "ArtifactArn", SourceUri=uri),
        lambda: sagemaker.create_artifact(
            ArtifactName=name,
            Source={"SourceUri": uri, "SourceTypes": [{"SourceIdType": "Custom", "Value": version}]},
            ArtifactType=ARTIFACT_TYPE,
        )["ArtifactArn"],
    )


def _association(sagemaker: Any, source: str, destination: str, kind: str) -> str:
    """Associate two entities unless they are associated in this way."""
    ends = {"SourceArn": source, "DestinationArn": destination, "AssociationType": kind}
    return _ensured(
        lambda: _first(sagemaker, "list_associations", "AssociationSummaries", "DestinationArn", **ends),
        lambda: sagemaker.add_association(**ends)["DestinationArn"],
    )


def _ensured(find: Callable[[], str | None], create: Callable[[], str]) -> str:
    """Return what ``find`` returns; if that is None, what ``create`` does.

    If the creation is refused, another attempt of the step may have been faster: it is looked up once more.
    The service documents no error for an entity that exists.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - not needed without AWS

    present = find()
    if present is not None:
        return present
    try:
        return create()
    except ClientError:
        present = find()
        if present is None:
            raise
        return present


def _first(sagemaker: Any, operation: str, entries: str, member: str, **request: str) -> str | None:
    """Return a member of the first entry that a List operation answers; None without an entry."""
    for page in sagemaker.get_paginator(operation).paginate(**request):
        for entry in page[entries]:
            return str(entry[member])
    return None
