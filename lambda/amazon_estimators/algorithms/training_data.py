"""The data that a training job is given, as the rules see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amazon_estimators.record_sets.record_set import RecordSet


@dataclass(frozen=True)
class Data:
    """What training is given: RecordSets by channel and the instances that share them."""

    record_sets: Mapping[str, RecordSet]
    instance_count: int
    instance_type: str | None = None

    @property
    def train(self) -> RecordSet:
        """The RecordSet of the channel every algorithm requires."""
        return self.record_sets["train"]
