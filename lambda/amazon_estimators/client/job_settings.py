"""The settings of a training job that have nothing to do with the algorithm, and the request they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from amazon_estimators.errors import RequestError
from amazon_estimators.text import is_template

DAY = 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class JobSettings:
    """Names and defaults are those of the SageMaker Python SDK 2.

    volume_size: GB of the storage volume of each instance. Default: 30.
    volume_kms_key: KMS key that encrypts it. Default: SageMaker's own.
    max_run: longest training time in seconds. Default: 86,400, a day.
    input_mode: ``"File"``, ``"Pipe"`` or ``"FastFile"``. Default: ``"File"``.
    output_path: S3 prefix under which the model is written. Default: ``output/`` under ``data_location``;
        without
        one, the account's default bucket.
    output_kms_key: KMS key that encrypts the model. Default: the bucket's own encryption.
    base_job_name: what job names begin with. Default: the image's name, such as ``kmeans``.
    tags: a mapping, or the service's list of ``{"Key", "Value"}``. Default: none.
    subnets, security_group_ids: the VPC to train in; both or neither. Default: no VPC.
    encrypt_inter_container_traffic: encrypt what instances send one another. Default: False.
    enable_network_isolation: no network for the container. Default: False.
    use_spot_instances: train on spare capacity, at most ``max_wait`` seconds in all. Default: False.
    max_wait: seconds to wait for spot capacity and to train; at least ``max_run``. Default: ``max_run`` with
        spot.
    checkpoint_s3_uri, checkpoint_local_path: where checkpoints go, and are in the container. Default: none.
    environment: environment variables of the container. Default: none.
    max_retry_attempts: times the service starts the job again after a fault of its own, 1 to 30. Default:
        none.
    keep_alive_period_in_seconds: how long instances stay warm after the job. Default: not at all.
    metric_definitions: ``{"Name", "Regex"}`` of metrics; the first-party algorithms bring their own. Default:
        none.
    enable_sagemaker_metrics: keep metrics as time series. Default: the service's.
    """

    volume_size: int = 30
    volume_kms_key: str | None = None
    max_run: int = DAY
    input_mode: str = "File"
    output_path: str | None = None
    output_kms_key: str | None = None
    base_job_name: str | None = None
    tags: Mapping[str, str] | Sequence[Mapping[str, str]] | None = None
    subnets: Sequence[str] | None = None
    security_group_ids: Sequence[str] | None = None
    encrypt_inter_container_traffic: bool = False
    enable_network_isolation: bool = False
    use_spot_instances: bool = False
    max_wait: int | None = None
    checkpoint_s3_uri: str | None = None
    checkpoint_local_path: str | None = None
    environment: Mapping[str, str] | None = None
    max_retry_attempts: int | None = None
    keep_alive_period_in_seconds: int | None = None
    metric_definitions: Sequence[Mapping[str, str]] | None = None
    enable_sagemaker_metrics: bool | None = None

    @classmethod
    def named(cls, given: Mapping[str, Any]) -> Self:
        """From settings by name; RequestError, with what may have been meant, for names that are none."""
        from difflib import get_close_matches  # noqa: PLC0415

        known = list(cls.__dataclass_fields__)
        unknown = []
        for name in given:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                unknown.append(f"{name!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
        if unknown:
            raise RequestError(f"Estimator has no setting {', '.join(unknown)}; it has {', '.join(known)}")
        return cls(**given)

    def __post_init__(self) -> None:
        problems = [
            f"{name} is {value!r}; expecting a whole number of at least 1"
            for name in (
                "volume_size",
                "max_run",
                "max_wait",
                "max_retry_attempts",
                "keep_alive_period_in_seconds",
            )
            if (value := getattr(self, name)) is not None
            and not is_template(value)
            and (isinstance(value, bool) or not isinstance(value, int) or value < 1)
        ]
        if self.input_mode not in ("File", "Pipe", "FastFile"):
            problems.append(f"input_mode is {self.input_mode!r}; allowed: File, Pipe, FastFile")
        if (self.subnets is None) != (self.security_group_ids is None):
            problems.append("of subnets and security_group_ids only one is given; a VPC needs both")
        if self.max_wait is not None and not self.use_spot_instances:
            problems.append(
                "max_wait is given, but it is for spot instances: set use_spot_instances=True, or "
                "leave it out"
            )
        known = self.max_wait is not None and not (is_template(self.max_wait) or is_template(self.max_run))
        if not problems and known and self.max_wait < self.max_run:  # type: ignore[operator]  # checked above
            problems.append(
                f"max_wait is {self.max_wait}, less than max_run, {self.max_run}; it includes the "
                "training time"
            )
        if self.checkpoint_local_path and not self.checkpoint_s3_uri:
            problems.append("checkpoint_local_path is given without checkpoint_s3_uri")
        if problems:
            raise RequestError("training job: " + "; ".join(problems))

    def request(self) -> dict[str, Any]:
        """The parts of a CreateTrainingJob request these settings decide; what they leave out is not sent."""
        stopping: dict[str, Any] = {"MaxRuntimeInSeconds": self.max_run}
        if self.use_spot_instances:
            stopping["MaxWaitTimeInSeconds"] = self.max_wait or self.max_run
        resources: dict[str, Any] = {"VolumeSizeInGB": self.volume_size}
        if self.volume_kms_key:
            resources["VolumeKmsKeyId"] = self.volume_kms_key
        if self.keep_alive_period_in_seconds:
            resources["KeepAlivePeriodInSeconds"] = self.keep_alive_period_in_seconds
        specification: dict[str, Any] = {"TrainingInputMode": self.input_mode}
        if self.metric_definitions is not None:
            specification["MetricDefinitions"] = [dict(one) for one in self.metric_definitions]
        if self.enable_sagemaker_metrics is not None:
            specification["EnableSageMakerMetricsTimeSeries"] = self.enable_sagemaker_metrics
        request: dict[str, Any] = {
            "AlgorithmSpecification": specification,
            "ResourceConfig": resources,
            "StoppingCondition": stopping,
        }
        if self.tags is not None:
            request["Tags"] = tag_list(self.tags)
        if self.subnets is not None and self.security_group_ids is not None:
            request["VpcConfig"] = {
                "Subnets": list(self.subnets),
                "SecurityGroupIds": list(self.security_group_ids),
            }
        if self.environment is not None:
            request["Environment"] = dict(self.environment)
        if self.max_retry_attempts is not None:
            request["RetryStrategy"] = {"MaximumRetryAttempts": self.max_retry_attempts}
        if self.checkpoint_s3_uri:
            local = {"LocalPath": self.checkpoint_local_path} if self.checkpoint_local_path else {}
            request["CheckpointConfig"] = {"S3Uri": self.checkpoint_s3_uri, **local}
        for name, wanted in (
            ("EnableNetworkIsolation", self.enable_network_isolation),
            ("EnableInterContainerTrafficEncryption", self.encrypt_inter_container_traffic),
            ("EnableManagedSpotTraining", self.use_spot_instances),
        ):
            if wanted:
                request[name] = True
        return request

    @classmethod
    def of_job(cls, job: Mapping[str, Any]) -> JobSettings:
        """The settings of a job that DescribeTrainingJob told of."""
        resources, stopping = job["ResourceConfig"], job["StoppingCondition"]
        network, checkpoints = job.get("VpcConfig", {}), job.get("CheckpointConfig", {})
        spot = job.get("EnableManagedSpotTraining", False)
        return cls(
            volume_size=resources["VolumeSizeInGB"],
            volume_kms_key=resources.get("VolumeKmsKeyId"),
            max_run=stopping["MaxRuntimeInSeconds"],
            input_mode=job["AlgorithmSpecification"]["TrainingInputMode"],
            output_path=job["OutputDataConfig"]["S3OutputPath"],
            output_kms_key=job["OutputDataConfig"].get("KmsKeyId") or None,
            subnets=network.get("Subnets"),
            security_group_ids=network.get("SecurityGroupIds"),
            encrypt_inter_container_traffic=job.get("EnableInterContainerTrafficEncryption", False),
            enable_network_isolation=job.get("EnableNetworkIsolation", False),
            use_spot_instances=spot,
            max_wait=stopping.get("MaxWaitTimeInSeconds") if spot else None,
            checkpoint_s3_uri=checkpoints.get("S3Uri"),
            checkpoint_local_path=checkpoints.get("LocalPath"),
            environment=job.get("Environment") or None,
            max_retry_attempts=job.get("RetryStrategy", {}).get("MaximumRetryAttempts"),
            keep_alive_period_in_seconds=resources.get("KeepAlivePeriodInSeconds"),
        )


def tag_list(tags: Mapping[str, str] | Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Tags as the service takes them."""
    if isinstance(tags, Mapping):
        return [{"Key": str(key), "Value": str(value)} for key, value in tags.items()]
    return [dict(one) for one in tags]
