"""Each cause of a failed training, in the service's own words, has its remedy."""

from __future__ import annotations

import json

import pytest

from amazon_estimators.pipeline.explain import explain
from amazon_estimators.pipeline.remedies import REMEDIES

CAUSES = {
    "no capacity": (
        "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different "
        "ML instance type.",
        "capacity_wait",
    ),
    "internal": ("InternalServerError: We encountered an internal error. Please try again.", "Redrive"),
    "disk, down": ("ClientError: Data download failed:Insufficient disk space", "volume_size"),
    "disk, up": ("ClientError: Artifact upload failed:Insufficient disk space", "volume_size"),
    "disk, within": ("AlgorithmError: OSError: [Errno 28] No space left on device", "volume_size"),
    "no endpoint": (
        "ClientError: Artifact upload failed:Please ensure that the subnet's route table has a route to an "
        "S3 VPC endpoint or a NAT device, and both the security groups and the subnet's network ACL allow "
        "outbound traffic to S3",
        "gateway endpoint",
    ),
    "no way to S3": (
        "ClientError: Failed to download data. ListObjectsV2 failed for s3://b/k nextToken:[null]: Unable to "
        "execute request to S3",
        "gateway endpoint",
    ),
    "image": (
        "ClientError: Cannot pull algorithm container. Either the image does not exist or its permissions "
        "are incorrect.",
        "training_image",
    ),
    "data": (
        "ClientError: Data download failed:Unable to download object s3://b/k (AccessDenied: Access Denied)",
        "permission",
    ),
    "KMS": (
        "ClientError: Artifact upload failed:User: arn:aws:sts::1:assumed-role/r/SageMaker is not authorized "
        "to perform: kms:GenerateDataKey on resource: arn:aws:kms:us-east-1:1:key/k",
        "key's policy",
    ),
}


@pytest.mark.parametrize("case", CAUSES)
def test_reasons_of_jobs(case: str) -> None:
    reason, word = CAUSES[case]
    job = {"TrainingJobName": "digits-1", "TrainingJobStatus": "Failed", "FailureReason": reason}
    answer = explain(None, {"Error": "States.TaskFailed", "Cause": json.dumps(job)}, {})
    assert reason in answer["cause"]
    assert word in answer["remedy"]


@pytest.mark.parametrize(
    ("status", "word"), [("MaxRuntimeExceeded", "max_runtime"), ("MaxWaitTimeExceeded", "spot_max_wait")]
)
def test_statuses_of_jobs(status: str, word: str) -> None:
    job = {"TrainingJobName": "digits-1", "TrainingJobStatus": "Stopped", "SecondaryStatus": status}
    answer = explain(None, {"Error": "States.TaskFailed", "Cause": json.dumps(job)}, {})
    assert word in answer["remedy"]


REQUESTS = {
    "a job that is not there": (
        "SageMaker.SageMakerException",
        "Requested resource not found. (Service: SageMaker, Status Code: 400, Request ID: 1)",
        "redrive",
    ),
    "quota of 0": (
        "SageMaker.ResourceLimitExceededException",
        "The account-level service limit 'ml.p3.2xlarge for training job usage' is 0 Instances, with current "
        "utilization of 0 Instances and a request delta of 1 Instances. (Error Code: ResourceLimitExceeded)",
        "even when nothing else runs",
    ),
    "quota in use": (
        "SageMaker.ResourceLimitExceededException",
        "The account-level service limit 'ml.p3.8xlarge for training job usage' is 2 Instances, with current "
        "utilization of 2 Instances and a request delta of 1 Instances. (Error Code: ResourceLimitExceeded)",
        "capacity_wait",
    ),
    "repository": (
        "SageMaker.AmazonSageMakerException",
        "Access denied for repository: kmeans in registry ID: 1. (Error Code: ValidationException)",
        "ecr:BatchGetImage",
    ),
}


@pytest.mark.parametrize("case", REQUESTS)
def test_requests_that_are_refused(case: str) -> None:
    error, cause, word = REQUESTS[case]
    assert word in explain(None, {"Error": error, "Cause": cause}, {})["remedy"]


def test_no_word_hides_a_later_one() -> None:
    words = list(REMEDIES)
    hidden = [
        (first, later)
        for number, first in enumerate(words)
        for later in words[number + 1 :]
        if first in later and REMEDIES[first] != REMEDIES[later]
    ]
    assert hidden == []
