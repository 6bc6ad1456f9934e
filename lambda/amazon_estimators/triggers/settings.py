"""Define the settings that a pipeline's construct puts into the starter's environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from amazon_estimators.storage.input_files import InputFiles


@dataclass(frozen=True, kw_only=True)
class StarterSettings:
    """The settings of one starter. ``channels`` holds the rule for each channel's input files.

    ``queue`` and ``undelivered`` are ARNs, ``queue_url`` and ``dead_letters`` URLs. After ``attempts`` a
    message becomes a dead letter; the second attempt comes after ``retry_seconds``, each further one after
    four times as long. The starter's own schedules belong to ``schedule_group`` and send as
    ``schedule_role``. ``tells`` renames the starter's own events: that of a prediction pipeline announces
    predictions.
    """

    pipeline: str
    state_machine: str
    data_bucket: str
    prefix: str
    channels: Mapping[str, InputFiles]
    max_concurrent: int
    attempts: int
    retry_seconds: int
    queue: str
    queue_url: str
    dead_letters: str
    undelivered: str
    schedule_group: str
    schedule_role: str
    tells: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> dict[str, str]:
        """Return the members that identify the pipeline in events: its construct path, and its unique ARN."""
        return {"pipeline": self.pipeline, "state_machine": self.state_machine}

    @property
    def trains(self) -> bool:
        """True for a training pipeline, False for a prediction pipeline."""
        return not self.tells

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read the settings from JSON. Numbers may arrive as strings."""
        numbers = {name: int(values[name]) for name in ("max_concurrent", "attempts", "retry_seconds")}
        channels = {
            name: InputFiles(files["prefix"], tuple(files["include"]), tuple(files["skip"]))
            for name, files in values["channels"].items()
        }
        return cls(**{**values, **numbers, "channels": channels})
