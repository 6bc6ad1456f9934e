"""Check the rules of a CreateTrainingJob request that botocore's model does not state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amazon_estimators_rehearsal.sagemaker.errors import ValidationError

DEFAULT_RUNTIME = 86_400
"""Seconds: ``MaxRuntimeInSeconds`` of a request without it."""


def check_request(request: Mapping[str, Any]) -> None:
    """Raise ValidationError for the first broken rule between members."""
    channels = [channel["ChannelName"] for channel in request.get("InputDataConfig", [])]
    if len(set(channels)) != len(channels):
        raise ValidationError(f"Channel names must be unique; got {', '.join(channels)}.")
    for channel in request.get("InputDataConfig", []):
        if "S3DataSource" not in channel["DataSource"]:
            raise ValidationError(
                f"The stand-in reads channels from S3 only; {channel['ChannelName']} has none."
            )
    resources = request["ResourceConfig"]
    if "InstancePreferences" in resources:
        _check_preferences(request)
    else:
        for member in ("InstanceType", "InstanceCount"):
            if member not in resources:
                raise ValidationError(
                    f"ResourceConfig needs {member}; instance groups are not supported here."
                )
    stopping = request.get("StoppingCondition", {})
    if request.get("EnableManagedSpotTraining"):
        wait, run = stopping.get("MaxWaitTimeInSeconds"), stopping.get("MaxRuntimeInSeconds", DEFAULT_RUNTIME)
        if wait is None or wait < run:
            raise ValidationError(
                f"MaxWaitTimeInSeconds ({wait}) must be present and at least MaxRuntimeInSeconds ({run}) "
                "for a managed spot training job."
            )
    elif "MaxWaitTimeInSeconds" in stopping:
        raise ValidationError("MaxWaitTimeInSeconds is only for EnableManagedSpotTraining.")


def _check_preferences(request: Mapping[str, Any]) -> None:
    """Check an ordered list of instance types.

    InstancePreference: "An instance type can appear only once". ResourceConfig: "InstancePreferences is
    mutually exclusive with InstanceType, InstanceGroups, InstancePlacementConfig, and
    EnableManagedSpotTraining". train-instance-preferences: "A request that sets counts in both places, in
    neither, or on only some entries is rejected."
    """
    resources = request["ResourceConfig"]
    preferences = resources["InstancePreferences"]
    types = [preference["InstanceType"] for preference in preferences]
    if len(set(types)) != len(types):
        raise ValidationError(f"An instance type can appear only once in InstancePreferences: {types}.")
    excluded = [
        member
        for member in ("InstanceType", "InstanceGroups", "InstancePlacementConfig")
        if member in resources
    ]
    if request.get("EnableManagedSpotTraining"):
        excluded.append("EnableManagedSpotTraining")
    if excluded:
        raise ValidationError(f"InstancePreferences is mutually exclusive with {', '.join(excluded)}.")
    counted = sum("InstanceCount" in preference for preference in preferences)
    if counted != (0 if "InstanceCount" in resources else len(preferences)):
        raise ValidationError("InstanceCount belongs in ResourceConfig or in every preference, not in both.")
