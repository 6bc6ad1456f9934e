"""What holds for the data of every algorithm: channels, content types, labels, features, shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Protocol

from amazon_estimators.algorithms.channel_rules import SHARDED, ChannelRule
from amazon_estimators.algorithms.filled_in import Fill
from amazon_estimators.algorithms.label_rule import label_fault
from amazon_estimators.algorithms.rules import Finding, Problem
from amazon_estimators.algorithms.training_data import Data
from amazon_estimators.hyperparameters.owner import Owner

if TYPE_CHECKING:
    from amazon_estimators.record_sets.record_set import RecordSet


class TrainingRules(Owner, Protocol):
    """An algorithm's declarations that the rules here go by."""

    channels: ClassVar[Mapping[str, ChannelRule]]
    dtypes: ClassVar[tuple[str, ...]]
    fills: ClassVar[Mapping[str, Fill]]


def common_findings(algorithm: TrainingRules, data: Data) -> Iterator[Finding]:
    """The rules that no algorithm has to name."""
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
            yield Problem(f"There is no channel {name!r}. Expecting: {known}.")
    for name, rule in algorithm.channels.items():
        if rule.required and name not in data.record_sets:
            yield Problem(f"Channel {name} is required and has no data. Give it a RecordSet.")


def _record_set_findings(
    algorithm: TrainingRules, rule: ChannelRule, record_set: RecordSet
) -> Iterator[Finding]:
    channel = f"Channel {rule.name}"
    if record_set.content_type != rule.content_type:
        given, allowed = record_set.content_type, rule.content_type
        yield Problem(f"{channel} has content type {given}. Expecting: {allowed}.")
    if record_set.distribution not in rule.distributions:
        allowed = " or ".join(rule.distributions)
        yield Problem(f"{channel} is distributed {record_set.distribution}. Expecting: {allowed}.")
    if rule.vectors and record_set.dtype not in algorithm.dtypes:
        allowed = " or ".join(algorithm.dtypes)
        yield Problem(f"{channel} holds {record_set.dtype} values. Expecting: {allowed}; encode it again.")
    if record_set.num_records < 1:
        yield Problem(f"{channel} has {record_set.num_records} records. Expecting: at least 1.")
    fault = label_fault(rule, record_set.labels is not None)
    if fault == "missing":
        yield Problem(f"{channel} has no labels, and the algorithm learns from them. Name the label column.")
    if fault == "unwanted":
        yield Problem(
            f"{channel} has labels, and the algorithm takes none there. Name no label column; of libsvm and "
            "RecordIO drop the labels, Source(keep_labels=False)."
        )


def _share_findings(name: str, record_set: RecordSet, instances: int) -> Iterator[Finding]:
    """Every instance needs a shard of its own, else it starts without data and the job fails."""
    if record_set.distribution != SHARDED:
        return
    for count, what in ((record_set.num_shards or instances, "shards"), (record_set.num_records, "records")):
        if 0 < count < instances:
            yield Problem(
                f"Channel {name} has {count} {what} for {instances} instances. "
                f"Expecting: at least one per instance; train on {count} at most, or use FullyReplicated."
            )


def _feature_findings(algorithm: TrainingRules, data: Data) -> Iterator[Finding]:
    given = algorithm.values.get("feature_dim")
    features = data.train.feature_dim
    if isinstance(given, int) and given != features:
        yield Problem(
            f"feature_dim is {given:,}, but channel train has {features:,} features. "
            f"Expecting: {features:,}; leave feature_dim out and it is filled in from the data."
        )
    for name, record_set in data.record_sets.items():
        rule = algorithm.channels.get(name)
        if rule is not None and rule.vectors and record_set.feature_dim != features:
            yield Problem(
                f"Channel {name} has {record_set.feature_dim:,} features, channel train {features:,}. "
                "Expecting: the same columns in every channel."
            )


def _batch_findings(algorithm: TrainingRules, data: Data) -> Iterator[Finding]:
    """What would be filled in anyway is fine: some containers are always sent the same size."""
    size, records = algorithm.values.get("mini_batch_size"), data.train.num_records
    fill = algorithm.fills.get("mini_batch_size")
    if isinstance(size, int) and size > records and (fill is None or size != fill(data)):
        yield Problem(
            f"mini_batch_size is {size:,}, but channel train has {records:,} records. "
            f"Expecting: at most {records:,}; lower it, or leave it out for a fitting one."
        )
