"""Read the settings of a pipeline, as its construct writes them, and the input of an execution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from amazon_estimators.algorithms import Algorithm, algorithm_named
from amazon_estimators.errors import DamagedFileError, RequestError
from amazon_estimators.pipeline.channels import Channel, channels_of
from amazon_estimators.pipeline.data_set import check_version
from amazon_estimators.pipeline.deployed_settings import check_names
from amazon_estimators.sources import Source
from amazon_estimators.storage.documents import is_of
from amazon_estimators.storage.s3 import get_json
from amazon_estimators.text import is_unicode, shown

INPUT_KEYS = ("hyperparameters", "data_set", "reason")
"""The keys of an execution input, as in execution_input.schema.json."""

LONGEST_REASON = 1_000

MOST_SHOWN = 10
"""The most unknown keys of an input that an error names."""

LONGEST_PREFIX = 200
"""Bytes. A receipt's key is the prefix and up to 800 bytes more; S3 allows 1,024."""


def with_columns(
    s3: Any, channels: Mapping[str, Source], columns: Mapping[str, str] | None
) -> Mapping[str, Source]:
    """Return channels with all their columns, which lie on S3 if ``columns`` has their bucket and key.

    Raises ServiceError or DamagedFileError if they cannot be read.
    """
    if columns is None:
        return channels
    stored = get_json(s3, columns["bucket"], columns["key"])
    if not is_of(stored, dict[str, dict[str, Any]]):
        raise DamagedFileError(
            f"s3://{columns['bucket']}/{columns['key']} does not hold columns by channel: {shown(stored)}",
            remedy="Deploy the pipeline again.",
        )
    return {
        name: Source.from_dict(source.to_dict() | stored.get(name, {})) for name, source in channels.items()
    }


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a pipeline. ``hyperparameters`` as the service takes them, ``channels`` by name, sizes
    in bytes.

    ``instance_type`` is one type, or several in order of preference. ``distributions`` holds the distribution
    of channels that do not use the algorithm's default. ``volume_gib`` is the disk of each training instance;
    None for an instance with its own disks. ``tags`` are added to training jobs besides the library's own.
    ``prices`` are the price lists, as a file of prices has them, that count before those of the package.
    ``columns`` is the bucket and key of the columns that channels name, if they are too many for the
    definition: see :meth:`with_columns`.
    """

    pipeline: str
    algorithm: str
    hyperparameters: Mapping[str, str]
    instance_type: str | Sequence[str]
    instance_count: int
    data_bucket: str
    prefix: str
    job_name_prefix: str
    target_shard_bytes: int
    channels: Mapping[str, Source]
    distributions: Mapping[str, str] = field(default_factory=dict)
    volume_gib: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] | None = None
    prices: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read the settings. Raises RequestError for a setting that is missing, unknown or out of range."""
        check_names(cls, values, "pipeline")
        channels = {name: Source.from_dict(source) for name, source in values["channels"].items()}
        # A number that CloudFormation resolves arrives as a string.
        numbers = {name: _whole(name, values[name]) for name in ("instance_count", "target_shard_bytes")}
        if len(values["prefix"].encode()) > LONGEST_PREFIX:
            raise RequestError(
                f"prefix has {len(values['prefix'].encode())} bytes; allowed: up to {LONGEST_PREFIX}",
                remedy="Shorten the pipeline's prefix.",
            )
        return cls(**{**values, **numbers, "channels": channels})

    def with_columns(self, s3: Any) -> Self:
        """Return the settings with all columns of their channels, which may lie on S3.

        Raises ServiceError or DamagedFileError if they cannot be read.
        """
        return replace(self, channels=with_columns(s3, self.channels, self.columns), columns=None)

    def channels_for(self, algorithm: type[Algorithm]) -> dict[str, Channel]:
        """Return the channels by name. Raises RequestError unless the algorithm trains on them."""
        return channels_of(
            algorithm,
            self.channels,
            self.distributions,
            instance_count=self.instance_count,
            prefix=self.prefix,
        )

    def algorithm_for(self, execution_input: Mapping[str, Any]) -> Algorithm:
        """Return the algorithm with the execution's overrides merged in, and validate the whole set.

        Raises RequestError for an unknown key of the input, HyperparameterError naming the parameter.
        """
        if not isinstance(execution_input, Mapping):
            raise RequestError(
                f"execution input is {shown(execution_input)}; allowed: a JSON object",
                remedy="Start the execution with {} or with the keys that docs/triggers.md names.",
            )
        unknown = sorted(set(execution_input) - set(INPUT_KEYS))
        if unknown:
            names = ", ".join(map(shown, unknown[:MOST_SHOWN]))
            raise RequestError(
                f"execution input has {names}; allowed: {', '.join(INPUT_KEYS)}",
                remedy="Start the execution with {} or with the keys that docs/triggers.md names.",
            )
        if "data_set" in execution_input:
            check_version(execution_input["data_set"])
        check_reason(execution_input.get("reason", ""))
        overrides = execution_input.get("hyperparameters", {})
        if not isinstance(overrides, Mapping):
            raise RequestError(
                f"hyperparameters is {shown(overrides)}; allowed: an object of names and values",
                remedy='Write it like {"hyperparameters": {"k": "12"}}.',
            )
        algorithm = algorithm_named(self.algorithm).from_hyperparameters(self.hyperparameters)
        return algorithm.override(overrides) if overrides else algorithm


def check_reason(reason: object) -> None:
    """Raise RequestError unless this is a valid ``reason`` of an execution input."""
    if not isinstance(reason, str) or len(reason) > LONGEST_REASON or not is_unicode(reason):
        raise RequestError(
            f"reason is {shown(reason)}; allowed: a text of up to {LONGEST_REASON:,} characters",
            remedy="Shorten it or leave it out.",
        )


def _whole(name: str, value: Any) -> int:
    try:
        number = int(value) if isinstance(value, int | str) and not isinstance(value, bool) else 0
    except ValueError:
        number = 0
    if number < 1:
        raise RequestError(
            f"{name} is {shown(value)}; allowed: a whole number of at least 1",
            remedy="Deploy the pipeline again.",
        )
    return number
