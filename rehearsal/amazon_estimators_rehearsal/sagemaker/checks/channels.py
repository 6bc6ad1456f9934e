"""Check a job's channels as a training container does before it reads data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amazon_estimators.algorithms import Algorithm
from amazon_estimators_rehearsal.sagemaker.errors import JobFailedError


def content_type_of(algorithm: Algorithm, channel: Mapping[str, Any]) -> str:
    """Return a channel's content type; by default the one that the algorithm reads it as.

    The SDK sends none for a RecordSet, and AWS trains its integration tests so.
    """
    return str(channel.get("ContentType") or algorithm.channels[channel["ChannelName"]].content_type)


def check_channels(algorithm: Algorithm, configured: Mapping[str, Mapping[str, Any]]) -> None:
    unknown = sorted(set(configured) - set(algorithm.channels))
    if unknown:
        raise JobFailedError(
            f"ClientError: Unknown channels {unknown}; there are {sorted(algorithm.channels)}."
        )
    for name, rule in algorithm.channels.items():
        if name not in configured:
            if rule.required:
                raise JobFailedError(
                    f"ClientError: Unable to initialize the algorithm. Channel {name!r} is required."
                )
            continue
        source = configured[name]["DataSource"]["S3DataSource"]
        distribution = source.get("S3DataDistributionType", "FullyReplicated")
        content_type = content_type_of(algorithm, configured[name]).partition(";")[0]
        if content_type not in (rule.content_type, *rule.also):
            allowed = " or ".join(repr(known) for known in (rule.content_type, *rule.also))
            raise JobFailedError(
                f"ClientError: Channel {name}: content type {content_type!r}; allowed: {allowed}."
            )
        if distribution not in rule.distributions:
            raise JobFailedError(
                f"ClientError: Channel {name}: {distribution}; allowed: {', '.join(rule.distributions)}."
            )
