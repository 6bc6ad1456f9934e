"""Where the parts of one pipeline lie on S3: the page "S3 layout" of docs/contracts.md as key prefixes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from amazon_estimators.pipeline import keys
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
        return keys.record_sets_prefix(self.prefix)

    def record_set(self, fingerprint: str) -> str:
        """Return the prefix of one RecordSet, or with ``"*"`` the pattern of all."""
        return keys.record_set_root(self.prefix, fingerprint)

    @property
    def datasets(self) -> str:
        return keys.data_sets_prefix(self.prefix)

    @property
    def triggers(self) -> str:
        return keys.triggers_prefix(self.prefix)

    @property
    def models(self) -> str:
        return keys.models_prefix(self.prefix)

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
    written = [keys.data_sets_prefix(prefix), keys.record_sets_prefix(prefix), keys.triggers_prefix(prefix)]
    return [*written, keys.models_prefix(prefix)] if one else written


def with_prefixes(channels: Mapping[str, Source], prefix: str) -> dict[str, Source]:
    """The channels, each with the key prefix of its input: its own or ``<prefix>input/<channel>/``."""
    return {
        name: source if source.prefix is not None else replace(source, prefix=keys.input_prefix(prefix, name))
        for name, source in channels.items()
    }
