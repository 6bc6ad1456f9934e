"""A RecordSet: the shards of one channel, the manifest that lists them, and what is known of their content."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

MANIFEST_NAME = ".amazon.manifest"


@dataclass(frozen=True)
class Labels:
    """What the labels of a channel are like; enough to tell classes from real values."""

    minimum: float
    maximum: float
    integral: bool
    """True if every label is a whole number."""


@dataclass(frozen=True)
class RecordSet:
    """Shards of one channel on S3.

    ``s3_data`` is the URI of the manifest (or of a prefix, with ``s3_data_type="S3Prefix"``).
    ``num_records`` counts records, ``feature_dim`` columns, ``num_bytes`` bytes of all shards.
    ``feature_dim`` is 0 where records are no vectors (JSON Lines, IPInsights' CSV).
    """

    s3_data: str
    num_records: int
    feature_dim: int
    s3_data_type: str = "ManifestFile"
    channel: str = "train"
    distribution: str = "ShardedByS3Key"
    content_type: str = "application/x-recordio-protobuf"
    labels: Labels | None = None
    dtype: str = "float32"
    sparse: bool = False
    num_bytes: int = 0
    num_shards: int = 0

    def data_channel(self) -> dict[str, Any]:
        """This RecordSet as one element of CreateTrainingJob's ``InputDataConfig``."""
        return {
            "ChannelName": self.channel,
            "ContentType": self.content_type,
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": self.s3_data_type,
                    "S3Uri": self.s3_data,
                    "S3DataDistributionType": self.distribution,
                }
            },
        }

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values; :meth:`from_dict` reads them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote."""
        labels = values.get("labels")
        return cls(**{**values, "labels": Labels(**labels) if labels else None})


def shard_name(encoding: str, index: int) -> str:
    """The file name of a shard: ``matrix_00000.pbr``, ``part_00000.jsonl`` or ``part_00000.csv``."""
    stem, extension = {"recordio": ("matrix", "pbr"), "jsonlines": ("part", "jsonl"), "csv": ("part", "csv")}[encoding]
    return f"{stem}_{index:05d}.{extension}"
