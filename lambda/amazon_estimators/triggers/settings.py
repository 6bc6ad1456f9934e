"""Define the settings that a pipeline's construct puts into the starter's environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from amazon_estimators.storage.input_files import InputFiles

RETRY_FACTOR = 4


class Work(NamedTuple):
    """The words for what an execution does with its data set, and for what a lost state makes forgotten."""

    noun: str
    has_done: str
    is_doing: str
    forgotten: str


TRAINING = Work(
    "a training",
    "has trained",
    "is training",
    "requests that were waiting, cool-downs of alarms, and which retrainings had been requested. The current "
    "input is trained unless it has been; request other retrainings again",
)
SCORING = Work(
    "a scoring",
    "has scored",
    "is scoring",
    "requests that were waiting, cool-downs of alarms, and which rows had to be scored again. The current "
    "rows are scored unless they have been; request other scorings again",
)


@dataclass(frozen=True, kw_only=True)
class StarterSettings:
    """The settings of one starter. ``channels`` holds the rule for each channel's input files.

    ``queue`` and ``undelivered`` are ARNs, ``queue_url`` and ``dead_letters`` URLs. After ``attempts`` a
    message becomes a dead letter; the second attempt comes after ``retry_seconds``, each further one after
    ``RETRY_FACTOR`` times as long. The starter's own schedules belong to ``schedule_group`` and send as
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
    def work(self) -> Work:
        """Return the words for what an execution does."""
        return SCORING if self.tells else TRAINING

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
