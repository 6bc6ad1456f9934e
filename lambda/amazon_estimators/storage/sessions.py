"""Find the boto3 session, and use the clients and bucket of a SageMaker SDK session."""

from __future__ import annotations

from functools import cache
from typing import Any

from amazon_estimators.errors import RegionError, RequestError
from amazon_estimators.storage.checksums import add_checksums
from amazon_estimators.storage.s3_uri import Place

SDK_CLIENTS = {"sagemaker": "sagemaker_client", "sagemaker-runtime": "sagemaker_runtime_client"}
"""The clients that a session of the SageMaker SDK holds, by service."""


def session_of(session: Any) -> Any:
    """Return a ``boto3.Session``: ``session`` itself, the one inside a SageMaker SDK session, or a new
    one."""
    if session is None:
        import boto3  # noqa: PLC0415

        return boto3.Session()
    return getattr(session, "boto_session", session)


def client_of(session: Any, service: str) -> Any:
    """Return a client that retries throttling and service faults with backoff and jitter.

    A SageMaker SDK session has its own clients for SageMaker; those are used.
    """
    own = getattr(session, SDK_CLIENTS.get(service, ""), None)
    if own is not None:
        return own
    from botocore.config import Config  # noqa: PLC0415

    config = Config(retries={"mode": "standard", "max_attempts": 8}, max_pool_connections=16)
    made = session_of(session).client(service, config=config)
    if service == "s3":
        add_checksums(made)
    return made


@cache
def function_client(service: str) -> Any:
    """Return a Lambda function's client, which its later invocations use too: making one takes 0.1 s."""
    return client_of(None, service)


def region_of(session: Any) -> str:
    """Return the session's region. Raises RegionError if it has none."""
    region = session_of(session).region_name
    if not region:
        raise RegionError(
            "no AWS region is set",
            remedy="Set AWS_DEFAULT_REGION, or pass session=boto3.Session(region_name=…).",
        )
    return str(region)


def role_arn(session: Any, role: str) -> str:
    """Return the ARN of a role, by name or ARN. A SageMaker SDK session expands names."""
    if role.startswith("arn:"):
        return role
    if hasattr(session, "expand_role"):
        return str(session.expand_role(role))
    return str(client_of(session, "iam").get_role(RoleName=role)["Role"]["Arn"])


def default_location(session: Any, folder: str = "") -> Place:
    """Return the default location: ``folder`` in the account's default bucket.

    A SageMaker SDK session has its own bucket and prefix.
    """
    if hasattr(session, "default_bucket"):
        prefix = str(getattr(session, "default_bucket_prefix", None) or "").strip("/")
        return Place(str(session.default_bucket()), f"{prefix}/{folder}" if prefix else folder)
    return Place(default_bucket(session), folder)


def default_bucket(session: Any) -> str:
    """Return the account's bucket, ``sagemaker-<region>-<account>``. Raises RequestError if there is none."""
    account = client_of(session, "sts").get_caller_identity()["Account"]
    bucket = f"sagemaker-{region_of(session)}-{account}"
    s3 = client_of(session, "s3")
    try:
        # The name can be guessed: accept only a bucket that the account owns.
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except s3.exceptions.ClientError as error:
        raise RequestError(
            f"there is no data_location, and the account's default bucket {bucket} cannot be used: {error}",
            remedy="Pass data_location='s3://<bucket>/<prefix>/' and, if models go elsewhere, output_path.",
        ) from error
    return bucket
