"""S3 of the rehearsal's emulator for the tests of Plan, Encode and Seal."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from pipeline_runs import Pipeline

from amazon_estimators_rehearsal.certificate import CERTIFICATE
from amazon_estimators_rehearsal.server import emulator


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """(endpoint, certificate) of an emulator of this session's own."""
    directory = tmp_path_factory.mktemp("emulator")
    with emulator(directory) as endpoint:
        yield endpoint, directory / CERTIFICATE


@pytest.fixture(scope="session")
def s3(emulated: tuple[str, Path]) -> Any:
    """A client of the emulator's S3 that acts as its root user."""
    endpoint, certificate = emulated
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        verify=str(certificate),
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"mode": "standard", "max_attempts": 4}, max_pool_connections=64),
    )


@pytest.fixture
def bucket(s3: Any) -> str:
    """A new versioned bucket."""
    name = f"data-{uuid.uuid4().hex[:16]}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def pipeline(s3: Any, bucket: str) -> Pipeline:
    """A KMeans pipeline on one instance; tests change what they are about."""
    return Pipeline(s3, bucket)
