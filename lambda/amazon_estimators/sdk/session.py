"""Use a session of the SageMaker SDK, or stand in for it in programs without the SDK."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from amazon_estimators.errors import RequestError
from amazon_estimators.storage.sessions import (
    client_of,
    default_bucket,
    default_location,
    region_of,
    role_arn,
    session_of,
)


class Session:
    """Replaces ``sagemaker.Session`` if the SDK is not installed.

    Args:
        boto_session: A ``boto3.Session``. Default: a new one.
        sagemaker_client: Client of SageMaker. Default: that of ``boto_session``.
        sagemaker_runtime_client: Client that invokes endpoints. Default: that of ``boto_session``.
        default_bucket: The bucket for data and models. Default: the account's,
            ``sagemaker-<region>-<account>``.
        default_bucket_prefix: Prefix of all keys in it. Default: none.
    """

    local_mode = False
    config: Any = None
    s3_client: Any = None
    s3_resource: Any = None

    def __init__(
        self,
        boto_session: Any = None,
        sagemaker_client: Any = None,
        sagemaker_runtime_client: Any = None,
        default_bucket: str | None = None,
        default_bucket_prefix: str | None = None,
    ) -> None:
        self.boto_session = session_of(boto_session)
        if sagemaker_client is not None:
            self.sagemaker_client = sagemaker_client
        if sagemaker_runtime_client is not None:
            self.sagemaker_runtime_client = sagemaker_runtime_client
        self.default_bucket_prefix = default_bucket_prefix
        self.sagemaker_config: dict[str, Any] = {}
        self._bucket = default_bucket

    @property
    def boto_region_name(self) -> str:
        """The region of the session."""
        return region_of(self.boto_session)

    @cached_property
    def sagemaker_client(self) -> Any:
        """The client of the service."""
        return client_of(self.boto_session, "sagemaker")

    @cached_property
    def sagemaker_runtime_client(self) -> Any:
        """The client that invokes endpoints."""
        return client_of(self.boto_session, "sagemaker-runtime")

    def default_bucket(self) -> str:
        """Return the bucket for data and models. Raises RequestError if the account has none."""
        if self._bucket is None:
            self._bucket = default_bucket(self.boto_session)
        return self._bucket

    def expand_role(self, role: str) -> str:
        """Return the ARN of a role, by name or ARN."""
        return role_arn(self.boto_session, role)

    def upload_data(
        self,
        path: str,
        bucket: str | None = None,
        key_prefix: str = "data",
        callback: Any = None,
        extra_args: Mapping[str, Any] | None = None,
    ) -> str:
        """Upload a file, or all files below a directory, and return the URI of the file or of the prefix.

        Args:
            bucket: Bucket to upload to. Default: the session's, whose prefix is then put before
                ``key_prefix``.
            extra_args: Arguments of the upload, such as ``{"ServerSideEncryption": "aws:kms"}``. Default:
                none.
        """
        if bucket is None:
            place = default_location(self, key_prefix)
            bucket, key_prefix = place.bucket, place.key
        start = Path(path)
        files = [start] if start.is_file() else sorted(file for file in start.rglob("*") if file.is_file())
        if not files:
            raise RequestError(f"{path} is neither a file nor a directory with files")
        s3 = client_of(self.boto_session, "s3")
        for file in files:
            name = file.name if file == start else file.relative_to(start).as_posix()
            s3.upload_file(
                str(file), bucket, f"{key_prefix}/{name}", Callback=callback, ExtraArgs=dict(extra_args or {})
            )
        name = f"/{start.name}" if start.is_file() else ""
        return f"s3://{bucket}/{key_prefix}{name}"

    def download_data(
        self,
        path: str,
        bucket: str,
        key_prefix: str = "",
        extra_args: Mapping[str, Any] | None = None,
    ) -> list[str]:
        """Download the object, or all objects below a prefix, into a directory, and return their paths.

        extra_args: of the download. Default: none.
        """
        s3 = client_of(self.boto_session, "s3")
        paths = []
        for key in self.list_s3_files(bucket, key_prefix):
            if key.endswith("/"):
                continue
            relative = PurePosixPath(key.removeprefix(key_prefix).lstrip("/") or key.rpartition("/")[2])
            if ".." in relative.parts:
                raise RequestError(f"the key {key!r} leads out of {path}")
            target = Path(path, relative)
            target.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, key, str(target), ExtraArgs=dict(extra_args or {}))
            paths.append(str(target))
        return paths

    def list_s3_files(self, bucket: str, key_prefix: str) -> list[str]:
        """Return the keys that begin with a prefix."""
        pages = client_of(self.boto_session, "s3").get_paginator("list_objects_v2")
        listed = pages.paginate(Bucket=bucket, Prefix=key_prefix)
        return [entry["Key"] for page in listed for entry in page.get("Contents", ())]

    def read_s3_file(self, bucket: str, key_prefix: str) -> str:
        """Return the text of the object with a key."""
        answer = client_of(self.boto_session, "s3").get_object(Bucket=bucket, Key=key_prefix)
        return str(answer["Body"].read().decode())

    def describe_training_job(self, job_name: str) -> dict[str, Any]:
        """Return DescribeTrainingJob's answer."""
        answer: dict[str, Any] = self.sagemaker_client.describe_training_job(TrainingJobName=job_name)
        return answer

    def delete_endpoint(self, endpoint_name: str) -> None:
        """Delete an endpoint; its configuration stays."""
        self.sagemaker_client.delete_endpoint(EndpointName=endpoint_name)

    def delete_endpoint_config(self, endpoint_config_name: str) -> None:
        """Delete the configuration of an endpoint."""
        self.sagemaker_client.delete_endpoint_config(EndpointConfigName=endpoint_config_name)

    def delete_model(self, model_name: str) -> None:
        """Delete a model from the account."""
        self.sagemaker_client.delete_model(ModelName=model_name)

    def account_id(self) -> str:
        """Return the number of the AWS account."""
        return str(client_of(self.boto_session, "sts").get_caller_identity()["Account"])


def get_execution_role(sagemaker_session: Any = None) -> str:
    """Return the ARN of the role this program runs as. Raises RequestError if it runs as a user."""
    identity = str(client_of(sagemaker_session, "sts").get_caller_identity()["Arn"])
    service, _, rest = identity.partition(":assumed-role/")
    if not rest:
        raise RequestError(
            f"{identity} is not a role", remedy="Pass the ARN of the role that SageMaker assumes: role=…"
        )
    return role_arn(sagemaker_session, rest.partition("/")[0]) if service else identity


CONFIG_PATHS: Mapping[str, tuple[str, ...]] = {
    "role": ("RoleArn",),
    "subnets": ("VpcConfig", "Subnets"),
    "security_group_ids": ("VpcConfig", "SecurityGroupIds"),
    "output_kms_key": ("OutputDataConfig", "KmsKeyId"),
    "volume_kms_key": ("ResourceConfig", "VolumeKmsKeyId"),
    "encrypt_inter_container_traffic": ("EnableInterContainerTrafficEncryption",),
    "enable_network_isolation": ("EnableNetworkIsolation",),
    "environment": ("Environment",),
    "tags": ("Tags",),
}
"""Paths of defaults in the SDK's configuration file, under SageMaker.TrainingJob."""


def config_defaults(session: Any) -> dict[str, Any]:
    """Return the defaults of training jobs in the session's configuration, by the constructor's keywords."""
    defaults = {}
    for keyword, path in CONFIG_PATHS.items():
        value = getattr(session, "sagemaker_config", None)
        for name in ("SageMaker", "TrainingJob", *path):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None:
            defaults[keyword] = value
    return defaults


def train_arguments(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a CreateTrainingJob request as the arguments of ``sagemaker.Session.train()``."""
    specification, checkpoints = request["AlgorithmSpecification"], request.get("CheckpointConfig", {})
    return {
        "input_mode": specification["TrainingInputMode"],
        "input_config": request["InputDataConfig"],
        "role": request["RoleArn"],
        "job_name": request["TrainingJobName"],
        "output_config": request["OutputDataConfig"],
        "resource_config": request["ResourceConfig"],
        "vpc_config": request.get("VpcConfig"),
        "hyperparameters": request["HyperParameters"],
        "stop_condition": request["StoppingCondition"],
        "tags": request.get("Tags"),
        "metric_definitions": specification.get("MetricDefinitions"),
        "enable_sagemaker_metrics": specification.get("EnableSageMakerMetricsTimeSeries"),
        "image_uri": specification["TrainingImage"],
        "enable_network_isolation": request.get("EnableNetworkIsolation", False),
        "encrypt_inter_container_traffic": request.get("EnableInterContainerTrafficEncryption"),
        "use_spot_instances": request.get("EnableManagedSpotTraining", False),
        "checkpoint_s3_uri": checkpoints.get("S3Uri"),
        "checkpoint_local_path": checkpoints.get("LocalPath"),
        "experiment_config": request.get("ExperimentConfig"),
        "environment": request.get("Environment"),
        "retry_strategy": request.get("RetryStrategy"),
    }
