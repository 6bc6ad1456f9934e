"""Rules about the data of every algorithm: channels, content types, labels, features, shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Protocol

from amazon_estimators.algorithms.channel_rules import SHARDED, ChannelRule
from amazon_estimators.algorithms.filled_in import Fill
from amazon_estimators.algorithms.label_rule import label_fault
from amazon_estimators.algorithms.rules import Caution, Finding, Problem
from amazon_estimators.algorithms.training_data import Data
from amazon_estimators.hyperparameters.owner import Owner

if TYPE_CHECKING:
    from amazon_estimators.record_sets.record_set import RecordSet

CHANNELS = "common-info-all-im-models.md: the table of each algorithm's channels, input modes and file types"
LABELLED = "cdf-training.md: training of supervised algorithms expects the label with each record"
TENSORS = "the algorithm's page: only Float32 tensors are supported"
SHARES = "API_S3DataSource: don't choose more ML compute instances for training than available S3 objects"
FEATURES = "the algorithm's hyperparameters: feature_dim is the number of features in the input data"
DISTRIBUTION = "the algorithm's page: the S3DataDistributionType of each channel"


class TrainingRules(Owner, Protocol):
    """An algorithm's declarations that the rules here go by."""

    channels: ClassVar[Mapping[str, ChannelRule]]
    dtypes: ClassVar[tuple[str, ...]]
    fills: ClassVar[Mapping[str, Fill]]


def common_findings(algorithm: TrainingRules, data: Data) -> Iterator[Finding]:
    """Apply the rules that hold for every algorithm."""
    yield from _channel_findings(algorithm, data)
    for name, record_set in data.record_sets.items():
        rule = algorithm.channels.get(name)
        if rule is not None:
            yield from _record_set_findings(algorithm, rule, record_set)
            yield from _share_findings(name, record_set, data.instance_count)
    if "train" in data.record_sets:
        yield from _feature_findings(algorithm, data)
        yield from _batch_findings(algorithm, data)


def _channel_findings(algorithm: TrainingRules, data: Data) -> Iterator[Finding]:
    known = ", ".join(algorithm.channels)
    for name in data.record_sets:
        if name not in algorithm.channels:
            yield Problem(f"There is no channel {name!r}. Expecting: {known}.", source=CHANNELS)
    for name, rule in algorithm.channels.items():
        if rule.required and name not in data.record_sets:
            yield Problem(
                f"Must provide {name} channel. It is required and has no data: give it a RecordSet.",
                source=CHANNELS,
            )


def _record_set_findings(
    algorithm: TrainingRules, rule: ChannelRule, record_set: RecordSet
) -> Iterator[Finding]:
    channel = f"Channel {rule.name}"
    content_types = (rule.content_type, *rule.also)
    if record_set.content_type and record_set.content_type not in content_types:
        yield Problem(
            f"{channel} has content type {record_set.content_type}. Expecting: {' or '.join(content_types)}.",
            source=CHANNELS,
        )
    if record_set.distribution not in rule.distributions:
        allowed = " or ".join(rule.distributions)
        yield Problem(
            f"{channel} is distributed {record_set.distribution}. Expecting: {allowed}.",
            source=DISTRIBUTION,
        )
    if rule.vectors and record_set.dtype not in algorithm.dtypes:
        allowed = " or ".join(algorithm.dtypes)
        yield Problem(
            f"{channel} holds {record_set.dtype} values. Expecting: {allowed}; encode it again.",
            source=TENSORS,
        )
    if record_set.num_records < 1:
        yield Caution(f"{channel} has {record_set.num_records} records: there is nothing to train on.")
    fault = label_fault(rule, record_set.labels is not None)
    if fault == "missing":
        yield Problem(
            f"{channel} has no labels, and the algorithm learns from them. Name the label column.",
            source=LABELLED,
        )
    if fault == "unwanted":
        yield Caution(f"{channel} has labels, and the algorithm does not use them there.")


def _share_findings(name: str, record_set: RecordSet, instances: int) -> Iterator[Finding]:
    """Refuse to shard among more instances than there are shards, or records, that were counted."""
    if record_set.distribution != SHARDED:
        return
    for count, what in ((record_set.num_shards or instances, "shards"), (record_set.num_records, "records")):
        if 0 < count < instances:
            text = (
                f"Channel {name} has {count} {what} for {instances} instances. "
                f"Expecting: at least one per instance; train on {count} at most, or use FullyReplicated."
            )
            yield Problem(text, source=SHARES) if record_set.num_shards else Caution(text)


def _feature_findings(algorithm: TrainingRules, data: Data) -> Iterator[Finding]:
    feature_dim = algorithm.values.get("feature_dim")
    features = data.train.feature_dim
    if isinstance(feature_dim, int) and features and feature_dim != features:
        yield Problem(
            f"feature_dim is {feature_dim:,}, but channel train has {features:,} features. "
            f"Expecting: {features:,}; leave feature_dim out and it is filled in from the data.",
            source=FEATURES,
        )
    for name, record_set in data.record_sets.items():
        rule, columns = algorithm.channels.get(name), record_set.feature_dim
        if rule is not None and rule.vectors and columns and features and columns != features:
            yield Problem(
                f"Channel {name} has {columns:,} features, channel train {features:,}. "
                "Expecting: the same columns in every channel.",
                source=FEATURES,
            )


def _batch_findings(algorithm: TrainingRules, data: Data) -> Iterator[Finding]:
    """Warn of a mini-batch larger than the data, unless the same size would be filled in."""
    size, records = algorithm.values.get("mini_batch_size"), data.train.num_records
    fill = algorithm.fills.get("mini_batch_size")
    if isinstance(size, int) and size > records and (fill is None or size != fill(data)):
        yield Caution(
            f"mini_batch_size is {size:,}, but channel train has {records:,} records: "
            f"lower it to {records:,} or less, or leave it out, if training fails."
        )
