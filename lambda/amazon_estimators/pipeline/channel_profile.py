"""Add up the profiles of a channel's shards, group by group.

Moments are sums of floating point numbers, which depend on the order of adding up. So the shards of a group
are added up first, and then the groups, whether a group's profile was written before or not: the same shards
have the same profile, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from amazon_estimators.pipeline.group_profiles import in_groups, read_group_profiles
from amazon_estimators.pipeline.receipts import Receipt
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.pipeline.shard_profiles import read_shard_profiles
from amazon_estimators.record_sets.profiles.document import REMEDY, ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import FeatureProfile, too_wide
from amazon_estimators.record_sets.profiles.findings import warnings_of

MOST_TOLD = 3


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
        receipts: The receipts of its shards that hold records, in the order of the shards.
        counts_words: True if the algorithm reads counts of words.
    """
    planned = plan.channels[channel]
    if not receipts[0].facts.feature_dim or too_wide(receipts[0].facts.feature_dim):
        return ChannelProfile()
    missing: list[str] = []

    def of_shards(group: Sequence[Receipt]) -> Iterator[FeatureProfile]:
        for profile, problem in read_shard_profiles(s3, plan, channel, group):
            if profile is None:
                missing.append(problem)
            else:
                yield profile

    def of_groups() -> Iterator[FeatureProfile]:
        groups = in_groups(receipts)
        for group, stored in zip(groups, read_group_profiles(s3, plan, channel, groups), strict=True):
            profile = stored or FeatureProfile.merge(of_shards(group))
            if profile is not None:
                yield profile

    total = FeatureProfile.merge(of_groups())
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
