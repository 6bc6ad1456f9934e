"""The data passed to ``fit()``, by channel: for the rules, and for CreateTrainingJob."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.channel_rules import ChannelRule
from amazon_estimators.client.s3_channels import ANY_LABELS, ChannelInput, is_channel_input, look_at
from amazon_estimators.errors import RequestError
from amazon_estimators.record_sets.file_system_record_set import FileSystemRecordSet
from amazon_estimators.record_sets.record_set import RecordSet

Records = RecordSet | FileSystemRecordSet
Given = Records | str | ChannelInput
"""Data of a channel: RecordSets, the URI of a prefix, or an input such as the SDK's ``TrainingInput``."""


@dataclass(frozen=True)
class TrainingData:
    """Holds the data of a training job by channel.

    Rules check ``record_sets``; ``channels`` are the elements of ``InputDataConfig``.
    """

    record_sets: dict[str, RecordSet]
    channels: list[dict[str, Any]]


def training_data(
    given: Given | Sequence[Records] | Mapping[str, Given],
    algorithm: Algorithm,
    *,
    in_vpc: bool,
    session: Any,
) -> TrainingData:
    """Return the data by channel. If two RecordSets have the same channel, the last is used, with a warning.

    Raises RequestError for anything but :data:`Given`, and for file systems unless the job is ``in_vpc``;
    InputError for an object on S3 that does not match its content type.
    """
    record_sets: dict[str, RecordSet] = {}
    channels: dict[str, dict[str, Any]] = {}
    for channel, one in _by_channel(given):
        if channel in channels:
            warnings.warn(
                f"two RecordSets are of channel {channel!r}: the last one is used", UserWarning, stacklevel=4
            )
        rule = algorithm.channels.get(channel)
        if isinstance(one, RecordSet):
            record_set, config = _record_set(one, channel, rule)
            record_set = _labelled(record_set, rule)
        elif isinstance(one, FileSystemRecordSet):
            record_set, config = _file_system(one, channel, rule, in_vpc=in_vpc)
            record_set = _labelled(record_set, rule)
        else:
            record_set, config = look_at(channel, one, algorithm, session)
        record_sets[channel], channels[channel] = record_set, {"ChannelName": channel, **config}
    return TrainingData(record_sets, [*channels.values()])


def _by_channel(given: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(given, Mapping):
        for channel, one in given.items():
            yield str(channel), _known(one)
        return
    for one in given if isinstance(given, list | tuple) else [given]:
        yield getattr(_known(one), "channel", "train"), one


def _known(one: Any) -> Any:
    if isinstance(one, RecordSet | FileSystemRecordSet) or is_channel_input(one):
        return one
    raise RequestError(
        f"records are {type(one).__name__}; expecting a RecordSet, an S3 URI or a TrainingInput",
        remedy="Make a RecordSet from arrays first: estimator.record_set(array).",
    )


def _record_set(given: RecordSet, channel: str, rule: ChannelRule | None) -> tuple[RecordSet, dict[str, Any]]:
    """Return shards by prefix; their content type defaults to the algorithm's."""
    content_type = given.content_type or (rule.content_type if rule else "")
    record_set = replace(given, channel=channel, content_type=content_type)
    return record_set, RecordSet.s3_input(record_set)


def _labelled(record_set: RecordSet, rule: ChannelRule | None) -> RecordSet:
    """Assume that uncounted records have the labels that the algorithm requires."""
    if rule and rule.label == "required" and not record_set.num_shards and record_set.labels is None:
        return replace(record_set, labels=ANY_LABELS)
    return record_set


def _file_system(
    given: FileSystemRecordSet, channel: str, rule: ChannelRule | None, *, in_vpc: bool
) -> tuple[RecordSet, dict[str, Any]]:
    if not in_vpc:
        raise RequestError(
            f"channel {channel} lies on a file system, which is reached from a VPC only",
            remedy="Give the estimator subnets and security_group_ids.",
        )
    config = given.file_system_source()
    if rule:
        config.setdefault("ContentType", rule.content_type)
    return given.as_record_set(rule.distribution if rule else "FullyReplicated"), config
