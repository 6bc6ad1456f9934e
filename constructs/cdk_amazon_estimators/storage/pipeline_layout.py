"""The key prefixes of one pipeline, as listed in the section "S3 layout" of docs/contracts.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from amazon_estimators.pipeline import keys
from amazon_estimators.sources import Source


@dataclass(frozen=True, kw_only=True)
class PipelineLayout:
    """The buckets and key prefixes of one pipeline.

    Args:
        data_bucket: The bucket of input and RecordSets.
        model_bucket: The bucket of models.
        prefix: The prefix of every key, empty or ending with ``/``.
        channels: The sources of the channels, each with a ``prefix``.
        encryption_key: KMS key of the objects, if it is not the buckets' own. Default: None.
        encryption_headers: Name the encryption in every PUT. Default: False.
    """

    data_bucket: s3.IBucket
    model_bucket: s3.IBucket
    prefix: str
    channels: Mapping[str, Source]
    encryption_key: kms.IKey | None = None
    encryption_headers: bool = False

    @property
    def recordsets(self) -> str:
        return keys.record_sets_prefix(self.prefix)

    def record_set(self, fingerprint: str) -> str:
        """Return the prefix of one RecordSet, or the pattern of all for ``"*"``."""
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
    def captures(self) -> str:
        return keys.captures_prefix(self.prefix)

    @cached_property
    def outputs(self) -> list[str]:
        """Return the prefixes of the data bucket that the pipeline writes to."""
        return outputs_of(self.prefix, self.data_bucket, self.model_bucket)

    @property
    def inputs(self) -> list[str]:
        """Return the prefixes from which input is read, each once and none below another."""
        prefixes = sorted({source.prefix or "" for source in self.channels.values()})
        return [
            prefix
            for prefix in prefixes
            if not any(prefix != other and prefix.startswith(other) for other in prefixes)
        ]


def outputs_of(prefix: str, data_bucket: s3.IBucket | None, model_bucket: s3.IBucket | None) -> list[str]:
    """Return the prefixes of the data bucket that a pipeline writes to.

    Includes models and captured requests if both buckets are the same, even if it is imported twice. None
    means a new bucket.
    """
    same = data_bucket and model_bucket and data_bucket.bucket_name == model_bucket.bucket_name
    written = [keys.data_sets_prefix(prefix), keys.record_sets_prefix(prefix), keys.triggers_prefix(prefix)]
    return [*written, keys.models_prefix(prefix), keys.captures_prefix(prefix)] if same else written


def with_prefixes(channels: Mapping[str, Source], prefix: str) -> dict[str, Source]:
    """Return the channels, each with the prefix of its input: its own or ``<prefix>input/<channel>/``."""
    return {
        name: source if source.prefix is not None else replace(source, prefix=keys.input_prefix(prefix, name))
        for name, source in channels.items()
    }
