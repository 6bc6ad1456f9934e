"""Write the profile of each shard beside its receipt, and read those of a group of shards.

A profile shows people what their data look like. Training does not depend on it: a profile that is missing,
damaged or from another release is skipped and reported, and never ends an execution.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from amazon_estimators.errors import DamagedFileError
from amazon_estimators.pipeline import keys
from amazon_estimators.pipeline.receipts import Receipt
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.prefetch import ahead
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import FeatureProfile, ProfileBuilder
from amazon_estimators.storage.s3 import list_stored, put_text, read_object

READS_AHEAD, FEATURES_AHEAD = 16, 2**18
"""Read concurrently at most: profiles, and features in them. Those of 100,000 features hold 20 MB each."""
PROFILE_LIMIT = 32 * 2**20
"""Bytes of the largest profile accepted: one of 100,000 features takes up to 5 MB."""


def leave_profile(
    s3: Any, plan: Plan, channel: str, shard: int, builder: ProfileBuilder, *, shard_sha256: str
) -> None:
    """Write the profile of a shard's rows, unless it has no vectors. The same rows give the same profile."""
    profile = builder.profile()
    if profile is not None:
        text = ProfileDocument(profile, shard_sha256=shard_sha256).to_json()
        key = keys.shard_profile_key(plan.prefix, channel, shard)
        put_text(s3, plan.bucket, key, text, "application/json")


def reads_ahead(features: int) -> int:
    """Return how many profiles are read concurrently.

    Example:
        >>> reads_ahead(50), reads_ahead(100_000)
        (16, 2)
    """
    return min(READS_AHEAD, FEATURES_AHEAD // features)


def read_shard_profiles(
    s3: Any, plan: Plan, channel: str, receipts: Sequence[Receipt]
) -> Iterator[tuple[FeatureProfile | None, str]]:
    """Yield the profiles of shards of one group, in the order of their receipts; None and the reason for one
    that does not count."""
    group = keys.group_of(receipts[0].shard)
    prefix = keys.shard_profiles_of_group_prefix(plan.prefix, channel, group)
    sizes = {key: size for key, _, size in list_stored(s3, plan.bucket, prefix)}

    def read(receipt: Receipt) -> tuple[FeatureProfile | None, str]:
        key = keys.shard_profile_key(plan.prefix, channel, receipt.shard)
        uri = f"s3://{plan.bucket}/{key}"
        if key not in sizes:
            return None, f"there is no {uri}: an older release encoded the shard"
        if sizes[key] > PROFILE_LIMIT:
            return None, f"{uri} is not a profile: it has {sizes[key]:,} bytes"
        try:
            document = ProfileDocument.from_json(read_object(s3, plan.bucket, key), uri)
        except DamagedFileError as error:
            return None, error.message
        facts = receipt.facts
        if document.identity != (facts.feature_dim, facts.records, receipt.sha256):
            return None, f"{uri} is the profile of another shard"
        return document.profile, ""

    yield from ahead(read, receipts, width=reads_ahead(receipts[0].facts.feature_dim))
