"""A RecordSet: the shards of one channel, the manifest that lists them, the facts known of their content."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from amazon_estimators.record_sets.read_as import ReadAs
from amazon_estimators.storage.documents import check_fields
from amazon_estimators.summaries import Labels, Tokens
from amazon_estimators.text import counted

if TYPE_CHECKING:
    import numpy as np

    from amazon_estimators.recordio import CsrParts


@dataclass
class RecordSet:
    """Describes the shards of one channel on S3. Its attributes can be set.

    ``s3_data`` is the URI of the manifest (or of a prefix, with ``s3_data_type="S3Prefix"``). ``num_records``
    counts records, ``feature_dim`` columns, ``num_bytes`` bytes of all shards. ``feature_dim`` is 0 if
    records are not vectors (JSON Lines, IPInsights' CSV, auxiliary files). ``content_type`` is the media type
    of the shards. Default: that of the algorithm's channel. ``tokens`` is of Object2Vec's pairs: (in0, in1).
    ``files`` are the names of an auxiliary channel's files. ``dropped`` counts rows of the input left out
    because a value is missing and the Source has ``drop_incomplete``. ``read_as`` describes how its files
    were read; None for data in memory.
    """

    s3_data: str
    num_records: int
    feature_dim: int
    s3_data_type: str = "ManifestFile"
    channel: str = "train"
    distribution: str = "ShardedByS3Key"
    content_type: str = ""
    labels: Labels | None = None
    dtype: str = "float32"
    sparse: bool = False
    num_bytes: int = 0
    num_shards: int = 0
    tokens: tuple[Tokens, Tokens] | None = None
    files: tuple[str, ...] | None = None
    read_as: ReadAs | None = None
    dropped: int = 0

    @classmethod
    def from_manifest(cls, uri: str, *, channel: str | None = None, session: Any = None) -> Self:
        """Return the RecordSet of the manifest at ``uri``.

        Facts come from ``record_set.json`` beside it; without one every shard is read and checked.
        ``channel`` is the one recorded there, else ``"train"``. ``session`` is a ``boto3.Session``, by
        default a new one.
        Raises RecordSetError for a manifest that is missing or cannot be read, RecordIOError for a shard that
        the algorithms would not read.
        """
        from amazon_estimators.record_sets.reading import from_manifest  # noqa: PLC0415

        return cast(Self, from_manifest(cls, uri, channel=channel, session=session))

    def data_channel(self) -> dict[str, Any]:
        """Return this RecordSet as one element of CreateTrainingJob's ``InputDataConfig``."""
        return {"ChannelName": self.channel, **self.s3_input()}

    def s3_input(self) -> dict[str, Any]:
        """Return :meth:`data_channel` without the channel's name."""
        return {
            **({"ContentType": self.content_type} if self.content_type else {}),
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": self.s3_data_type,
                    "S3Uri": self.s3_data,
                    "S3DataDistributionType": self.distribution,
                }
            },
        }

    records_s3_input = s3_input

    def describe(self) -> str:
        """Return what is known of the RecordSet, in a few lines of text for people."""
        features = f", {counted(self.feature_dim, 'feature')}" if self.feature_dim else ""
        kind = "sparse" if self.sparse else "dense"
        values = f", {kind} {self.dtype}" if self.feature_dim else ""
        lines = [
            f"RecordSet of channel {self.channel}: {counted(self.num_records, 'record')}{features}{values}",
            f"  {self.s3_data_type}: {self.s3_data}",
            f"  {self.content_type or 'the content type of its channel'}, {self.distribution}",
        ]
        if self.num_shards:
            lines.append(f"  {counted(self.num_shards, 'shard')}, {self.num_bytes:,} bytes")
        if self.dropped:
            lines.append(f"  {self.dropped_rows}")
        if self.labels:
            whole = "whole numbers" if self.labels.integral else "real numbers"
            lines.append(f"  labels from {self.labels.minimum:g} to {self.labels.maximum:g}, {whole}")
        if self.read_as:
            lines += [f"  {line}" for line in self.read_as.lines]
        return "\n".join(lines)

    @property
    def dropped_rows(self) -> str:
        """Return the number of rows left out, as a sentence."""
        rows = self.num_records + self.dropped
        return f"{self.dropped:,} of {rows:,} rows were left out: a value is missing (drop_incomplete)"

    def read(
        self, *, max_records: int | None = None, session: Any = None
    ) -> tuple[np.ndarray | CsrParts | Any, np.ndarray | None]:
        """Return the records as ``(features, labels)``, in the order of the manifest.

        ``features`` is an array of shape (records, feature_dim); for sparse records SciPy's CSR array, or the
        parts of one where SciPy is missing. ``labels`` is an array of shape (records,), or None.
        ``max_records`` stops reading after the shard in which that many are reached. All of it is held in
        memory.
        """
        from amazon_estimators.record_sets.reading import read  # noqa: PLC0415

        return read(self, max_records=max_records, session=session)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; :meth:`from_dict` reads them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote, as JSON or not. Raises TypeError for a value of another type."""
        check_fields(cls, json.loads(json.dumps(values)), beside={"read_as"})
        labels, tokens, files = (values.get(name) for name in ("labels", "tokens", "files"))
        return cls(
            **{
                **values,
                "labels": Labels(**labels) if labels else None,
                "tokens": tuple(Tokens(**entry) for entry in tokens) if tokens else None,
                "files": tuple(files) if files else None,
                "read_as": ReadAs.from_dict(values["read_as"]) if values.get("read_as") else None,
            }
        )
