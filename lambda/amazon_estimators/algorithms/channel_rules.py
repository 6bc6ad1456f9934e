"""The channels of an algorithm: content types, distributions, and which channels need a label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

RECORDIO = "application/x-recordio-protobuf"
JSON_LINES = "application/jsonlines"
CSV = "text/csv"
JSON = "application/json"
PLAIN_TEXT = "text/plain"

SHARDED = "ShardedByS3Key"
REPLICATED = "FullyReplicated"


@dataclass(frozen=True)
class ChannelRule:
    """One data channel. ``distribution`` is the default, ``distributions`` are those the algorithm allows.

    ``content_type`` is what the encoders write, ``also`` what else the algorithm reads directly from S3.
    """

    name: str
    required: bool
    content_type: str = RECORDIO
    also: tuple[str, ...] = ()
    distribution: str = SHARDED
    distributions: tuple[str, ...] = (SHARDED, REPLICATED)
    label: Literal["required", "optional", "none"] = "optional"
    vectors: bool = True
    """True if its records are feature vectors of ``feature_dim`` columns."""


def channels(*rules: ChannelRule) -> Mapping[str, ChannelRule]:
    """Return the rules by channel name."""
    return {rule.name: rule for rule in rules}
