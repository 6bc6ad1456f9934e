"""Seal a RecordSet: verify every shard, then write ``record_set.json`` and, last of all, the manifest."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators.algorithms.channel_rules import SHARDED
from amazon_estimators.errors import RecordSetError, SchemaError
from amazon_estimators.logs import note
from amazon_estimators.pipeline.channel_profile import ChannelProfile, add_up_profiles
from amazon_estimators.pipeline.receipts import Receipt, read_receipts
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.pipeline.training_request import training_request
from amazon_estimators.record_sets.keys import manifest_key, profile_key, record_set_key
from amazon_estimators.record_sets.manifest import StoredRecordSet, StoredShard, write
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.storage.s3 import list_stored, put_text, read_object
from amazon_estimators.summaries import Labels, Tokens
from amazon_estimators.text import counted

SETTLING = (0.5, 1.0, 2.0, 4.0)
"""Seconds between checks of shards whose receipt may still be on its way."""


@dataclass(frozen=True)
class Sealed:
    """A verified RecordSet and the receipts of its shards, without empty ones."""

    record_set: RecordSet
    receipts: list[Receipt]


def verified(s3: Any, plan: Plan, channel: str) -> dict[int, Receipt]:
    """Return the receipts of the shards that exist as they were encoded, by index."""
    return _verified(s3, plan, channel, _below_root(s3, plan, channel))


def _below_root(s3: Any, plan: Plan, channel: str) -> dict[str, tuple[str, int]]:
    """Return ETag and size of all that is stored of a channel, by key."""
    return {key: (etag, size) for key, etag, size in list_stored(s3, plan.bucket, plan.root(channel))}


def _verified(s3: Any, plan: Plan, channel: str, stored: Mapping[str, tuple[str, int]]) -> dict[int, Receipt]:
    return {
        receipt.shard: receipt
        for receipt in read_receipts(s3, plan.bucket, plan.prefix, channel)
        if stored.get(plan.shard_key(channel, receipt.shard)) == (receipt.etag, receipt.num_bytes)
    }


def seal_step(
    s3: Any, settings: Settings, planned: Mapping[str, Any], execution: Mapping[str, Any]
) -> dict[str, Any]:
    """Verify all shards, check hyperparameters against the data, then publish. After an error there is no
    manifest."""
    algorithm = algorithm_named(settings.algorithm).from_hyperparameters(planned["hyperparameters"])
    plan = Plan.load(s3, planned["bucket"], planned["prefix"])
    sealed = seal(s3, plan, instance_count=settings.instance_count)
    record_sets = {name: one.record_set for name, one in sealed.items()}
    request = training_request(
        settings,
        algorithm,
        record_sets,
        fingerprint=plan.fingerprint,
        data_set=plan.data_set,
        execution=execution["name"],
        started=execution["start_time"],
    )
    profiles = {
        name: add_up_profiles(s3, plan, name, one.receipts, counts_words=algorithm.counts_words)
        for name, one in sealed.items()
    }
    publish(s3, plan, sealed, profiles)
    receipts = [receipt for channel in sealed.values() for receipt in channel.receipts]
    note(
        record_set=plan.fingerprint,
        shards=len(receipts),
        records=sum(receipt.facts.records for receipt in receipts),
        dropped=sum(record_set.dropped for record_set in record_sets.values()),
        bytes=sum(receipt.num_bytes for receipt in receipts),
        features={name: profile.told() for name, profile in profiles.items() if profile.told()},
    )
    return request


def seal(s3: Any, plan: Plan, *, instance_count: int) -> dict[str, Sealed]:
    """Verify the RecordSets of a plan and return them by channel. Writes nothing.

    Raises RecordSetError if a shard is missing or does not match its receipt, SchemaError if shards disagree.
    """
    return {name: _sealed(s3, plan, name, instance_count) for name in plan.channels}


def publish(
    s3: Any, plan: Plan, sealed: Mapping[str, Sealed], profiles: Mapping[str, ChannelProfile]
) -> None:
    """Write ``record_set.json`` of each channel and then the manifests: from then on, the RecordSets are
    complete."""
    for name, profile in profiles.items():
        if profile.document is not None:
            key, text = profile_key(plan.root(name)), profile.document.to_json()
            put_text(s3, plan.bucket, key, text, "application/json")
    stored = [_stored(plan, name, channel) for name, channel in sealed.items()]
    write(stored, lambda key, text: put_text(s3, plan.bucket, key, text, "application/json"))


def _stored(plan: Plan, channel: str, sealed: Sealed) -> StoredRecordSet[RecordSet]:
    shards = tuple(
        StoredShard(
            plan.shard_key(channel, receipt.shard),
            receipt.facts.records,
            receipt.num_bytes,
            receipt.sha256,
            receipt.etag,
        )
        for receipt in sealed.receipts
    )
    return StoredRecordSet(sealed.record_set, shards, plan.fingerprint, plan.data_set)


def complete_record_sets(s3: Any, plan: Plan) -> dict[str, RecordSet] | None:
    """Return the RecordSets of a plan that was completed before; None if any part is missing or differs.

    A RecordSet is complete if its shards match their receipts, and its manifest and ``record_set.json`` are
    byte for byte what Seal would write. Otherwise it is sealed again.
    """
    found = {}
    for name in plan.channels:
        record_set = _complete(s3, plan, name)
        if record_set is None:
            return None
        found[name] = record_set
    return found


def _complete(s3: Any, plan: Plan, name: str) -> RecordSet | None:
    root = plan.root(name)
    stored = _below_root(s3, plan, name)
    if not {manifest_key(root), record_set_key(root)} <= stored.keys():
        return None
    receipts = _verified(s3, plan, name, stored)
    filled = [receipts[index] for index in sorted(receipts) if receipts[index].facts.records]
    if len(receipts) != plan.channels[name].shards or not filled:
        return None
    record_set = _described(plan, name, filled, _dropped(receipts))
    expected = _stored(plan, name, Sealed(record_set, filled))
    texts = {record_set_key(root): expected.to_json(), manifest_key(root): expected.manifest()}
    same = all(read_object(s3, plan.bucket, key) == text.encode() for key, text in texts.items())
    return record_set if same else None


def _settled(s3: Any, plan: Plan, name: str) -> dict[int, Receipt]:
    """Call :func:`verified` repeatedly while another execution may be about to write a receipt.

    With a KMS key, each upload has its own ETag, whatever the bytes. If another execution encodes the same
    shard, its object has a different ETag, and its receipt follows in a moment.
    """
    found = verified(s3, plan, name)
    for seconds in SETTLING:
        if len(found) == plan.channels[name].shards:
            break
        encoded = {receipt.shard for receipt in read_receipts(s3, plan.bucket, plan.prefix, name)}
        if encoded <= found.keys():
            break
        time.sleep(seconds)
        found = verified(s3, plan, name)
    return found


def _sealed(s3: Any, plan: Plan, name: str, instance_count: int) -> Sealed:
    planned = plan.channels[name]
    found = _settled(s3, plan, name)
    missing = [index for index in range(planned.shards) if index not in found]
    if missing:
        raise RecordSetError(
            f"channel {name}: {len(missing)} of {planned.shards} shards are missing or are not what "
            f"their encoder recorded, first s3://{plan.bucket}/{plan.shard_key(name, missing[0])}"
        )
    receipts = [found[index] for index in range(planned.shards) if found[index].facts.records]
    dropped = _dropped(found)
    least = instance_count if planned.distribution == SHARDED else 1
    if len(receipts) < least:
        raise _too_few(name, len(receipts), planned.shards, least, dropped)
    first = receipts[0].facts
    for receipt in receipts:
        facts = receipt.facts
        same = (facts.feature_dim, facts.dtype, facts.sparse, facts.labels is None)
        if same != (first.feature_dim, first.dtype, first.sparse, first.labels is None):
            raise SchemaError(
                f"channel {name}: shards {receipts[0].shard} and {receipt.shard} disagree: "
                f"{first} against {facts}",
                remedy="Give all files of a channel the same columns, and labels to all records or to none.",
            )
    return Sealed(_described(plan, name, receipts, dropped), receipts)


def _dropped(receipts: Mapping[int, Receipt]) -> int:
    """Return the rows that all shards left out, those without any record too."""
    return sum(receipt.facts.dropped for receipt in receipts.values())


def _too_few(name: str, filled: int, shards: int, least: int, dropped: int) -> RecordSetError:
    """Return the error for fewer shards with records than instances."""
    message = f"channel {name}: {filled} of {shards} shards hold records, for {counted(least, 'instance')}"
    if not dropped:
        return RecordSetError(
            message,
            remedy="Every training instance needs at least one record: add data or lower instance_count.",
        )
    return RecordSetError(
        f"{message}; rows left out because a value is missing: {dropped:,}",
        remedy="Fill gaps in the Source instead of drop_incomplete, so that rows are kept; or lower "
        "target_shard_size, so that there are more shards, or instance_count.",
    )


def _described(plan: Plan, name: str, receipts: list[Receipt], dropped: int) -> RecordSet:
    """Return the RecordSet of a channel, from the receipts of its shards that hold records."""
    planned, first = plan.channels[name], receipts[0].facts
    return RecordSet(
        s3_data=f"s3://{plan.bucket}/{manifest_key(plan.root(name))}",
        num_records=sum(receipt.facts.records for receipt in receipts),
        feature_dim=first.feature_dim,
        channel=name,
        distribution=planned.distribution,
        content_type=planned.content_type,
        labels=Labels.merge(receipt.facts.labels for receipt in receipts),
        dtype=first.dtype,
        sparse=first.sparse,
        num_bytes=sum(receipt.num_bytes for receipt in receipts),
        num_shards=len(receipts),
        tokens=Tokens.merge(receipt.facts.tokens for receipt in receipts),
        files=planned.names,
        read_as=planned.read_as,
        dropped=dropped,
    )
