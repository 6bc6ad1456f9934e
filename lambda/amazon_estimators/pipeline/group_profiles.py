"""Add up the profiles of a hundred shards as soon as all of them are encoded.

S3 lists what was written before, so the Encode that writes the last receipt of a group sees all the others.
Several that end together write the same bytes. Seal reads one profile for each group in place of a hundred.
Where a group has none, Seal reads those of its shards: the result is the same, and takes longer.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from math import inf
from typing import Any

from amazon_estimators.errors import DamagedFileError, ServiceError
from amazon_estimators.logs import note
from amazon_estimators.pipeline import keys
from amazon_estimators.pipeline.receipts import Receipt, read_receipts_of_group
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.pipeline.shard_profiles import PROFILE_LIMIT, read_shard_profiles, reads_ahead
from amazon_estimators.prefetch import ahead
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import FeatureProfile, too_wide
from amazon_estimators.storage.s3 import list_stored, put_text, read_object

LONGEST, SPARE = 60.0, 30.0
"""Seconds after which Encode leaves a group to Seal, and those before Lambda would end the function: a shard
that has a receipt must not fail any more."""


def in_groups(receipts: Sequence[Receipt]) -> list[list[Receipt]]:
    """Return receipts, which are in the order of their shards, by group."""
    return [list(group) for _, group in groupby(receipts, lambda receipt: keys.group_of(receipt.shard))]


def has_groups(plan: Plan, channel: str, receipt: Receipt) -> bool:
    """Return True for a channel of vectors in more shards than one group has."""
    features = receipt.facts.feature_dim
    return plan.channels[channel].shards > keys.SHARDS_OF_GROUP and bool(features) and not too_wide(features)


def leave_group_profile(s3: Any, plan: Plan, channel: str, receipt: Receipt, *, ends: float = inf) -> None:
    """Write the profile of the group of a shard, if all its shards have a receipt and a profile.

    Raises nothing: the shard is complete, and without the profile of its group Seal reads those of shards.
    """
    if not has_groups(plan, channel, receipt):
        return
    try:
        _leave(s3, plan, channel, keys.group_of(receipt.shard), ends)
    except Exception as error:
        note(group_profile=f"{type(error).__name__}: {error}")


def _leave(s3: Any, plan: Plan, channel: str, group: int, ends: float) -> None:
    stop = min(time.monotonic() + LONGEST, ends - SPARE)

    def check_time() -> None:
        if time.monotonic() > stop:
            raise TimeoutError("too little time is left to add up the profiles of the group")

    check_time()
    first = group * keys.SHARDS_OF_GROUP
    shards = range(first, min(first + keys.SHARDS_OF_GROUP, plan.channels[channel].shards))
    found = {
        receipt.shard: receipt
        for receipt in read_receipts_of_group(s3, plan.bucket, plan.prefix, channel, group)
    }
    if not found.keys() >= set(shards):
        return
    receipts = [found[shard] for shard in shards if found[shard].facts.records]
    if not receipts:
        return

    def profiles() -> Iterator[FeatureProfile]:
        for profile, problem in read_shard_profiles(s3, plan, channel, receipts):
            if profile is None:
                raise DamagedFileError(problem)
            check_time()
            yield profile

    total = FeatureProfile.merge(profiles())
    assert total is not None
    document = ProfileDocument(total, shards=len(receipts), shard_sha256=_digest_of(receipts))
    key = keys.group_profile_key(plan.prefix, channel, group)
    put_text(s3, plan.bucket, key, document.to_json(), "application/json")


def read_group_profiles(
    s3: Any, plan: Plan, channel: str, groups: Sequence[Sequence[Receipt]]
) -> Iterator[FeatureProfile | None]:
    """Yield the profile of each group; None for one without a profile of exactly these shards.

    A profile that S3 lists and fails to return is not missed either: it only saves time.

    Args:
        s3: The client.
        plan: The plan of the RecordSet.
        channel: The name of the channel.
        groups: The receipts of each group's shards that hold records.
    """
    sizes: dict[str, int] = {}
    if has_groups(plan, channel, groups[0][0]):
        prefix = keys.group_profiles_prefix(plan.prefix, channel)
        sizes = {key: size for key, _, size in list_stored(s3, plan.bucket, prefix)}

    def read(receipts: Sequence[Receipt]) -> FeatureProfile | None:
        key = keys.group_profile_key(plan.prefix, channel, keys.group_of(receipts[0].shard))
        if not 0 < sizes.get(key, 0) <= PROFILE_LIMIT:
            return None
        try:
            document = ProfileDocument.from_json(read_object(s3, plan.bucket, key), key)
        except (DamagedFileError, ServiceError) as error:
            note(group_profile=f"{type(error).__name__}: {error}")
            return None
        records = sum(receipt.facts.records for receipt in receipts)
        expected = (receipts[0].facts.feature_dim, records, _digest_of(receipts))
        return document.profile if document.identity == expected else None

    yield from ahead(read, groups, width=reads_ahead(groups[0][0].facts.feature_dim))


def _digest_of(receipts: Sequence[Receipt]) -> str:
    """Return the digest of which shards, of which content, are added up in which order."""
    lines = "".join(f"{receipt.shard} {receipt.sha256}\n" for receipt in receipts)
    return hashlib.sha256(lines.encode()).hexdigest()
