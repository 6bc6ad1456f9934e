"""The data that a training job is given, as the rules see it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amazon_estimators.record_sets.record_set import RecordSet


UNKNOWN_RECORDS = sys.maxsize
"""``num_records`` of uncounted data: rules about the number of records do not apply."""


@dataclass(frozen=True)
class Data:
    """Holds the input of a training: RecordSets by channel, and the instances that share them.

    ``instance_type`` is one type, or several of which any may be taken. ``feature_dim`` of a RecordSet is 0
    and ``num_records`` is UNKNOWN_RECORDS if the data do not show it.
    """

    record_sets: Mapping[str, RecordSet]
    instance_count: int
    instance_type: str | Sequence[str] | None = None

    @property
    def train(self) -> RecordSet:
        """The RecordSet of the channel every algorithm requires."""
        return self.record_sets["train"]
