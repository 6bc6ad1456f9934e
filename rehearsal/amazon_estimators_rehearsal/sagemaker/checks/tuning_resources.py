"""Read the resources of a tuning job's trainings, which a request states in one of three forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amazon_estimators_rehearsal.sagemaker.errors import ValidationError

TUNING = "HyperParameterTuningResourceConfig"
SINGLE = ("InstanceType", "InstanceCount", "VolumeSizeInGB")
DEFAULT_VOLUME_GB = 30


def training_resources(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``ResourceConfig`` of the trainings that a definition starts.

    Of ``InstanceConfigs`` the first is taken: the stand-in always has capacity. The API's reference:
    "If you use InstanceConfigs, do not provide values for InstanceType, VolumeSizeInGB and InstanceCount."

    Raises:
        ValidationError: The definition has none or both of the members, or both forms in one.
    """
    if ("ResourceConfig" in definition) == (TUNING in definition):
        raise ValidationError(f"TrainingJobDefinition needs ResourceConfig or {TUNING}, and not both.")
    if "ResourceConfig" in definition:
        return dict(definition["ResourceConfig"])
    stated = definition[TUNING]
    single = {name: stated[name] for name in SINGLE if name in stated}
    configs = stated.get("InstanceConfigs")
    if configs and single:
        raise ValidationError(f"{TUNING} has InstanceConfigs: do not provide {', '.join(single)} as well.")
    key = {name: stated[name] for name in ("VolumeKmsKeyId",) if name in stated}
    return {"VolumeSizeInGB": DEFAULT_VOLUME_GB, **(configs[0] if configs else single), **key}
