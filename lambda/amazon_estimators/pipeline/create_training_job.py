"""The settings of a training job and their paths in CreateTrainingJob, one line each.

The construct and the client use different names and units for some settings. Both build the request from this
table, so a new setting of the service is a line here and a setting in each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DAY = 24 * 60 * 60


@dataclass(frozen=True)
class Member:
    """One member of the request: its path, and the range of a number in words and figures.

    A setting without a range is not a number, or has no limits of its own.
    """

    path: str
    least: int | None = None
    most: int | None = None
    allowed: str = ""

    def takes(self, number: float) -> bool:
        """Return True if ``number`` is in the range."""
        return (self.least is None or self.least <= number) and (self.most is None or number <= self.most)


MEMBERS: Mapping[str, Member] = {
    "training_image": Member("AlgorithmSpecification.TrainingImage"),
    "input_mode": Member("AlgorithmSpecification.TrainingInputMode"),
    "metric_definitions": Member("AlgorithmSpecification.MetricDefinitions"),
    "enable_sagemaker_metrics": Member("AlgorithmSpecification.EnableSageMakerMetricsTimeSeries"),
    "role": Member("RoleArn"),
    "output_path": Member("OutputDataConfig.S3OutputPath"),
    "output_kms_key": Member("OutputDataConfig.KmsKeyId"),
    "instance_type": Member("ResourceConfig.InstanceType"),
    "instance_preferences": Member("ResourceConfig.InstancePreferences"),
    "instance_count": Member("ResourceConfig.InstanceCount", least=1, allowed="1 or more"),
    "volume_size": Member("ResourceConfig.VolumeSizeInGB", least=1, most=16_384, allowed="1 to 16,384 GiB"),
    "volume_kms_key": Member("ResourceConfig.VolumeKmsKeyId"),
    "keep_alive_period_in_seconds": Member(
        "ResourceConfig.KeepAlivePeriodInSeconds", least=1, most=21_600, allowed="1 second to 6 hours"
    ),
    "max_run": Member(
        "StoppingCondition.MaxRuntimeInSeconds", least=1, most=28 * DAY, allowed="1 second to 28 days"
    ),
    "max_wait": Member("StoppingCondition.MaxWaitTimeInSeconds", least=1, allowed="1 second or more"),
    "max_retry_attempts": Member("RetryStrategy.MaximumRetryAttempts", least=1, most=30, allowed="1 to 30"),
    "use_spot_instances": Member("EnableManagedSpotTraining"),
    "encrypt_inter_container_traffic": Member("EnableInterContainerTrafficEncryption"),
    "enable_network_isolation": Member("EnableNetworkIsolation"),
    "subnets": Member("VpcConfig.Subnets"),
    "security_group_ids": Member("VpcConfig.SecurityGroupIds"),
    "checkpoint_s3_uri": Member("CheckpointConfig.S3Uri"),
    "checkpoint_local_path": Member("CheckpointConfig.LocalPath"),
    "environment": Member("Environment"),
    "tags": Member("Tags"),
}
"""The members by their names in the SageMaker Python SDK 2."""


def request_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a CreateTrainingJob request that ``settings`` define. A None is not sent.

    Args:
        settings: Values by their name in MEMBERS, in the service's units: GiB and seconds.

    Example:
        >>> request_of({"volume_size": 30, "max_run": 3600, "max_wait": None})
        {'ResourceConfig': {'VolumeSizeInGB': 30}, 'StoppingCondition': {'MaxRuntimeInSeconds': 3600}}
    """
    request: dict[str, Any] = {}
    for name, value in settings.items():
        if value is None:
            continue
        *structures, member = MEMBERS[name].path.split(".")
        place = request
        for structure in structures:
            place = place.setdefault(structure, {})
        place[member] = value
    return request


def settings_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a job by name, from the answer of DescribeTrainingJob. Missing ones are None."""

    def value(path: str) -> Any:
        place: Any = job
        for member in path.split("."):
            place = place.get(member, {})
        return None if place in ({}, "") else place

    return {name: value(member.path) for name, member in MEMBERS.items()}
