"""Make boto3 sessions and clients, and find the default bucket."""

from __future__ import annotations

from typing import Any

from amazon_estimators.errors import RegionError, RequestError


def session_of(session: Any) -> Any:
    """Return a ``boto3.Session``: the one given, that inside a SageMaker SDK session, or a new one."""
    if session is None:
        import boto3  # noqa: PLC0415

        return boto3.Session()
    return getattr(session, "boto_session", session)


def client_of(session: Any, service: str) -> Any:
    """Return a client that retries throttling and service faults with backoff and jitter."""
    from botocore.config import Config  # noqa: PLC0415

    config = Config(retries={"mode": "standard", "max_attempts": 8}, max_pool_connections=16)
    return session_of(session).client(service, config=config)


def region_of(session: Any) -> str:
    """Return the session's region. Raises RegionError if it has none."""
    region = session_of(session).region_name
    if not region:
        raise RegionError(
            "no AWS region is set",
            remedy="Set AWS_DEFAULT_REGION, or pass session=boto3.Session(region_name=…).",
        )
    return str(region)


def default_bucket(session: Any) -> str:
    """Return SageMaker's bucket, ``sagemaker-<region>-<account>``. Raises RequestError if there is none."""
    account = client_of(session, "sts").get_caller_identity()["Account"]
    bucket = f"sagemaker-{region_of(session)}-{account}"
    s3 = client_of(session, "s3")
    try:
        # The name can be guessed: only a bucket of the account itself will do.
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except s3.exceptions.ClientError as error:
        raise RequestError(
            f"there is no data_location, and the account's default bucket {bucket} cannot be used: {error}",
            remedy="Pass data_location='s3://<bucket>/<prefix>/' and, if models go elsewhere, output_path.",
        ) from error
    return bucket
