"""What ``fit()`` is given to train on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.errors import RequestError
from amazon_estimators.record_sets.file_system_record_set import FileSystemRecordSet
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.summaries import Labels

Records = RecordSet | FileSystemRecordSet
UNKNOWN_LABELS = Labels(math.nan, math.nan, True)
"""Of a RecordSet that was written down by hand: there are labels, and no rule about their range can speak."""


def by_channel(given: Sequence[Records], algorithm: Algorithm, *, in_vpc: bool) -> dict[str, RecordSet]:
    """The RecordSets by channel, as the checks of ``algorithm`` look at them.

    RequestError for what is none, for two of one channel, and for file systems unless the job is ``in_vpc``.
    """
    found: dict[str, RecordSet] = {}
    for one in given:
        if not isinstance(one, RecordSet | FileSystemRecordSet):
            raise RequestError(
                f"records are {type(one).__name__}; expecting a RecordSet",
                remedy="Make one from arrays first: estimator.record_set(array).",
            )
        if one.channel in found:
            raise RequestError(
                f"two RecordSets are of channel {one.channel!r}",
                remedy="Give each its own: record_set(channel=…).",
            )
        rule = algorithm.channels.get(one.channel)
        if isinstance(one, FileSystemRecordSet):
            if not in_vpc:
                raise RequestError(
                    f"channel {one.channel} lies on a file system, which is reached from a VPC only",
                    remedy="Give the estimator subnets and security_group_ids.",
                )
            one = one.as_record_set(rule.distribution if rule else "FullyReplicated")  # noqa: PLW2901  # same records
        if rule and rule.label == "required" and not one.num_shards and one.labels is None:
            one = replace(one, labels=UNKNOWN_LABELS)  # noqa: PLW2901  # same records
        found[one.channel] = one
    return found
