"""Name a RecordSet by everything that its bytes and manifests depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from amazon_estimators.pipeline.channels import Channel
from amazon_estimators.pipeline.input_scan import Found

ENCODING_VERSION = 2
"""Increment it if the same input would yield different bytes: it is part of every fingerprint."""


def fingerprint_of(
    channels: Mapping[str, Channel], found: Mapping[str, Found], target_shard_bytes: int
) -> str:
    """Return the fingerprint: 24 hexadecimal digits of a SHA-256.

    It covers the input objects by key and version, how each channel is read, encoded and distributed, and the
    size of a shard. Hyperparameters are not part of it: the same data is encoded once for all of them.
    """
    digest = hashlib.sha256()
    digest.update(json.dumps([ENCODING_VERSION, target_shard_bytes]).encode())
    for name in sorted(channels):
        digest.update(json.dumps(channels[name].identity(), sort_keys=True).encode())
        digest.update(json.dumps(found[name].source.to_dict(), sort_keys=True).encode())
        for entry, _ in found[name].objects:
            digest.update(json.dumps(entry.identity()).encode())
    return digest.hexdigest()[:24]
