"""Does the training image exist?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from botocore.exceptions import ClientError

from amazon_estimators.doctor.finding import Finding, error, ok
from amazon_estimators.doctor.patient import Patient

IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z.]+"
    r"/(?P<repository>[a-z0-9._/-]+?)(?::(?P<tag>[\w.-]+)|@(?P<digest>sha256:[0-9a-f]{64}))"
)
MISSING = ("RepositoryNotFoundException", "ImageNotFoundException")


def image(patient: Patient) -> Iterator[Finding]:
    """Is the image in its repository, and in the pipeline's region?"""
    uri, parts = _image(patient)
    remedy = "Leave training_image out for Amazon's image, or correct it."
    if parts["region"] != patient.region:
        yield error(f"image {uri} is in {parts['region']}, the pipeline in {patient.region}", remedy)
        return
    named = {"imageTag": parts["tag"]} if parts["tag"] else {"imageDigest": parts["digest"]}
    try:
        answer = patient.client("ecr").batch_get_image(
            registryId=parts["account"], repositoryName=parts["repository"], imageIds=[named]
        )
        exists = bool(answer["images"])
    except ClientError as refused:
        if refused.response["Error"]["Code"] not in MISSING:
            raise
        exists = False
    yield ok(f"image {uri} exists") if exists else error(f"image {uri} does not exist", remedy)


def repository_of(patient: Patient) -> str:
    """Return the ARN of the image's repository."""
    _, parts = _image(patient)
    return (
        f"arn:{patient.partition}:ecr:{parts['region']}:{parts['account']}:repository/{parts['repository']}"
    )


def _image(patient: Patient) -> tuple[str, re.Match[str]]:
    uri = str(patient.job["AlgorithmSpecification"]["TrainingImage"])
    parts = IMAGE.fullmatch(uri)
    assert parts, f"{uri} was deployed as a training image"
    return uri, parts
