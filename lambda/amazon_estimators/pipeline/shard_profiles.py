"""Write the profile of each shard beside its receipt, and add up the profiles of a channel.

A profile shows people what their data look like. Training does not depend on it: a profile that is missing,
damaged or from another release is skipped and reported, and never ends an execution.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from amazon_estimators.errors import DamagedFileError
from amazon_estimators.pipeline import keys
from amazon_estimators.pipeline.receipts import Receipt
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.prefetch import ahead
from amazon_estimators.record_sets.profiles.document import REMEDY, ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import FeatureProfile, ProfileBuilder, too_wide
from amazon_estimators.record_sets.profiles.findings import warnings_of
from amazon_estimators.storage.s3 import list_stored, put_text, read_object

READS_AHEAD = 16
"""Profiles read concurrently: 10,000 of them take the time of 625."""
PROFILE_LIMIT = 32 * 2**20
"""Bytes of the largest profile accepted: one of 100,000 features takes up to 5 MB."""
MOST_TOLD = 3


def leave_profile(
    s3: Any, plan: Plan, channel: str, shard: int, builder: ProfileBuilder, *, shard_sha256: str
) -> None:
    """Write the profile of a shard's rows, unless it has no vectors. The same rows give the same profile."""
    profile = builder.profile()
    if profile is not None:
        text = ProfileDocument(profile, shard_sha256=shard_sha256).to_json()
        key = keys.shard_profile_key(plan.prefix, channel, shard)
        put_text(s3, plan.bucket, key, text, "application/json")


@dataclass
class ChannelProfile:
    """The profile of a channel, and what is missing from it.

    Attributes:
        document: The profile that is written beside ``record_set.json``; None if no shard has one.
        problems: Why shards are left out, for the first few; empty if none is, and for records that are text.
    """

    document: ProfileDocument | None = None
    problems: list[str] = field(default_factory=list)

    def told(self) -> list[str]:
        """Return what users must know: warnings, and why the profile is incomplete."""
        return [*(self.document.warnings if self.document else ()), *self.problems]


def add_up_profiles(
    s3: Any, plan: Plan, channel: str, receipts: Sequence[Receipt], *, counts_words: bool = False
) -> ChannelProfile:
    """Add up the profiles of a channel's shards, in memory that does not depend on their number.

    Raises ServiceError if S3 lists a profile but fails to return it: the next attempt may succeed.

    Args:
        s3: The client.
        plan: The plan of the RecordSet.
        channel: The name of the channel.
        receipts: The receipts of its shards that hold records.
        counts_words: True if the algorithm reads counts of words.
    """
    planned = plan.channels[channel]
    if not receipts[0].facts.feature_dim or too_wide(receipts[0].facts.feature_dim):
        return ChannelProfile()
    missing: list[str] = []

    def profiles() -> Iterator[FeatureProfile]:
        for profile, problem in _read_all(s3, plan, channel, receipts):
            if profile is None:
                missing.append(problem)
            else:
                yield profile

    total = FeatureProfile.merge(profiles())
    problems = missing[:MOST_TOLD]
    if missing:
        left_out = f"{len(missing)} of {len(receipts)} shards are not in the profile"
        problems = [f"{left_out}: {'; '.join(problems)}. {REMEDY}"]
    if total is None:
        return ChannelProfile(problems=problems)
    names = planned.schema.feature_names
    warnings = warnings_of(total, names, counts_words=counts_words)
    shards = len(receipts) - len(missing)
    return ChannelProfile(ProfileDocument(total, names, shards, len(missing), warnings), problems)


def _read_all(
    s3: Any, plan: Plan, channel: str, receipts: Sequence[Receipt]
) -> Iterator[tuple[FeatureProfile | None, str]]:
    """Yield the profile of each shard, or None and the reason."""
    prefix = keys.shard_profiles_prefix(plan.prefix, channel)
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
        profile, facts = document.profile, receipt.facts
        expected = (facts.feature_dim, facts.records, receipt.sha256)
        if (profile.features, profile.records, document.shard_sha256) != expected:
            return None, f"{uri} is the profile of another shard"
        return profile, ""

    yield from ahead(read, receipts, width=READS_AHEAD)
