"""Where the parts of one pipeline lie on S3: the page "S3 layout" of docs/contracts.md as key prefixes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from amazon_estimators.sources import Source


@dataclass(frozen=True, kw_only=True)
class PipelineLayout:
    """``prefix`` is empty or ends with ``/``. ``channels`` are sources whose own ``prefix`` is set.

    ``encryption_key`` is the key objects are encrypted with if it is not the buckets' own.
    """

    data_bucket: s3.IBucket
    model_bucket: s3.IBucket
    prefix: str
    channels: Mapping[str, Source]
    encryption_key: kms.IKey | None = None

    @property
    def recordsets(self) -> str:
        return f"{self.prefix}recordsets/"

    @property
    def datasets(self) -> str:
        return f"{self.prefix}datasets/"

    @property
    def triggers(self) -> str:
        return f"{self.prefix}triggers/"

    @property
    def models(self) -> str:
        return f"{self.prefix}models/"

    @property
    def outputs(self) -> list[str]:
        """The prefixes of the data bucket that the pipeline writes to."""
        return outputs_of(self.prefix, self.data_bucket, self.model_bucket)

    @property
    def inputs(self) -> list[str]:
        """The prefixes input is read from, each once, none below another."""
        found = sorted({source.prefix or "" for source in self.channels.values()})
        return [one for one in found if not any(one != other and one.startswith(other) for other in found)]


def outputs_of(prefix: str, data_bucket: s3.IBucket | None, model_bucket: s3.IBucket | None) -> list[str]:
    """What a pipeline writes to its data bucket: models too, if both are one, imported twice or not.

    None is a bucket that is new, and so another.
    """
    one = data_bucket and model_bucket and data_bucket.bucket_name == model_bucket.bucket_name
    names = ("datasets", "recordsets", "triggers", *(["models"] if one else []))
    return [f"{prefix}{name}/" for name in names]


def with_prefixes(channels: Mapping[str, Source], prefix: str) -> dict[str, Source]:
    """The channels, each with the key prefix of its input: its own or ``<prefix>input/<channel>/``."""
    return {
        name: source if source.prefix is not None else replace(source, prefix=f"{prefix}input/{name}/")
        for name, source in channels.items()
    }
