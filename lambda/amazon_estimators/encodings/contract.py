"""Define an encoding's input for a channel, and its report on a shard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from amazon_estimators.record_sets.read_as import ReadAs
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import Source
from amazon_estimators.storage.documents import check_fields
from amazon_estimators.summaries import Labels, Tokens


@dataclass(frozen=True)
class PlannedChannel:
    """The facts that all shards of a channel share."""

    source: Source
    schema: Schema
    shards: int
    encoding: str
    content_type: str
    distribution: str
    example: str
    """URI of the object the schema was taken from."""
    looked: bool = True
    """True if Plan inspected every object; if not, pieces are cut by bytes and Encode inspects them first."""
    names: tuple[str, ...] | None = None
    """File names of the shards, if they are not numbered."""
    read_as: ReadAs | None = None
    """What was understood of the input."""

    def to_dict(self) -> dict[str, Any]:
        """Return its fields as JSON-ready values; :meth:`from_dict` reads them back."""
        return {
            **vars(self),
            "source": self.source.to_dict(),
            "schema": self.schema.to_dict(),
            "read_as": self.read_as and self.read_as.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote. Raises TypeError or KeyError for anything else."""
        check_fields(cls, values, beside={"source", "schema", "read_as"})
        return cls(
            **{
                **values,
                "source": Source.from_dict(values["source"]),
                "schema": Schema.from_dict(values["schema"]),
                "names": None if values["names"] is None else tuple(values["names"]),
                "read_as": ReadAs.from_dict(values["read_as"]) if values.get("read_as") else None,
            }
        )


@dataclass(frozen=True)
class Facts:
    """Facts of a shard's records, gathered while they were encoded."""

    records: int
    feature_dim: int
    labels: Labels | None = None
    tokens: tuple[Tokens, Tokens] | None = None
    dtype: str = "float32"
    sparse: bool = False
    dropped: int = 0
    """Rows of input that were left out because a value is missing."""
