"""The settings of a training job that do not depend on the algorithm, and their part of the request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from amazon_estimators.errors import RequestError
from amazon_estimators.pipeline.create_training_job import DAY, MEMBERS, request_of, settings_of
from amazon_estimators.text import is_template, nearest


@dataclass(frozen=True, kw_only=True)
class JobSettings:
    """The settings of a training job, with the names and defaults of the SageMaker Python SDK 2.

    Attributes:
        volume_size: Storage volume of each instance, in GB. Default: 30.
        volume_kms_key: KMS key that encrypts it. Default: SageMaker's own.
        max_run: Longest training time in seconds. Default: 86,400, a day.
        input_mode: ``"File"``, ``"Pipe"`` or ``"FastFile"``. Default: ``"File"``.
        output_path: S3 prefix under which the model is written. Default: ``output/`` under ``data_location``;
            without one, the account's default bucket.
        output_kms_key: KMS key that encrypts the model. Default: the bucket's own encryption.
        base_job_name: Prefix of job names. Default: the image's name, such as ``kmeans``.
        tags: A mapping, or the service's list of ``{"Key", "Value"}``. Default: none.
        subnets: The VPC's subnets to train in. Needs ``security_group_ids``. Default: no VPC.
        security_group_ids: The security groups in the VPC. Needs ``subnets``. Default: no VPC.
        encrypt_inter_container_traffic: Encrypt the traffic between instances. Default: False.
        enable_network_isolation: No network for the container. Default: False.
        use_spot_instances: Train on spare capacity, for at most ``max_wait`` seconds in total. Default:
            False.
        max_wait: Seconds to wait for spot capacity and to train; at least ``max_run``. Default: ``max_run``
            with spot.
        checkpoint_s3_uri: Location of checkpoints on S3. Default: none.
        checkpoint_local_path: Location of checkpoints in the container. Default: the service's.
        environment: Environment variables of the container. Default: none.
        max_retry_attempts: How often the service restarts the job after a fault of its own, 1 to 30. Default:
            none.
        keep_alive_period_in_seconds: How long instances stay warm after the job, at most 6 hours. Default:
            not at all.
        metric_definitions: ``{"Name", "Regex"}`` of metrics; the first-party algorithms have their own.
            Default: none.
        enable_sagemaker_metrics: Keep metrics as time series. Default: the service's.
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
        """Return the settings by name. Raises RequestError for an unknown name, with a suggestion."""
        known = list(cls.__dataclass_fields__)
        unknown = []
        for name in given:
            if name not in known:
                near = nearest(name, known)
                unknown.append(f"{name!r}" + (f" (did you mean {near!r}?)" if near else ""))
        if unknown:
            raise RequestError(f"Estimator has no setting {', '.join(unknown)}; it has {', '.join(known)}")
        return cls(**given)

    def __post_init__(self) -> None:
        problems = [
            f"{name} is {value!r}; allowed: a whole number, {MEMBERS[name].allowed}"
            for name, value in vars(self).items()
            if name in MEMBERS
            and MEMBERS[name].least is not None
            and value is not None
            and not is_template(value)
            and (isinstance(value, bool) or not isinstance(value, int) or not MEMBERS[name].takes(value))
        ]
        if self.input_mode not in ("File", "Pipe", "FastFile"):
            problems.append(f"input_mode is {self.input_mode!r}; allowed: File, Pipe, FastFile")
        if (self.subnets is None) != (self.security_group_ids is None):
            problems.append("only one of subnets and security_group_ids is set; a VPC needs both")
        if self.max_wait is not None and not self.use_spot_instances:
            problems.append(
                "max_wait is set, but it is for spot instances: set use_spot_instances=True, or leave it out"
            )
        known = self.max_wait is not None and not (is_template(self.max_wait) or is_template(self.max_run))
        if not problems and known and self.max_wait < self.max_run:  # type: ignore[operator]  # checked above
            problems.append(
                f"max_wait is {self.max_wait}, less than max_run, {self.max_run}; it includes the "
                "training time"
            )
        if self.checkpoint_local_path and not self.checkpoint_s3_uri:
            problems.append("checkpoint_local_path is set without checkpoint_s3_uri")
        if problems:
            raise RequestError("training job: " + "; ".join(problems))

    def request(self) -> dict[str, Any]:
        """Return the part of a CreateTrainingJob request that these settings define.

        A None and a False are not sent.
        """
        values = {name: _plain(value) for name, value in vars(self).items() if name in MEMBERS}
        values["output_path"] = None  # only the estimator knows its default
        values["tags"] = None if self.tags is None else tag_list(self.tags)
        if self.use_spot_instances:
            values["max_wait"] = self.max_wait or self.max_run
        return request_of(values)

    @classmethod
    def of_job(cls, job: Mapping[str, Any]) -> JobSettings:
        """Return the settings of a job that DescribeTrainingJob describes."""
        described = settings_of(job)
        if not described["use_spot_instances"]:
            described["max_wait"] = None
        # Tags and metrics belong to the described job, not to the next one.
        kept = set(cls.__dataclass_fields__) - {"tags", "metric_definitions", "enable_sagemaker_metrics"}
        return cls(**{name: value for name, value in described.items() if name in kept and value is not None})


def _plain(value: Any) -> Any:
    """Return ``value`` in botocore's form, and None for a flag that is not set."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [dict(entry) if isinstance(entry, Mapping) else entry for entry in value]
    return None if value is False or value == "" else value


def tag_list(tags: Mapping[str, str] | Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return tags in the service's form."""
    if isinstance(tags, Mapping):
        return [{"Key": str(key), "Value": str(value)} for key, value in tags.items()]
    return [dict(one) for one in tags]
