"""The receipt of a shard: what Encode recorded of it, so that Seal can verify 10,000 shards with a few listings.

A receipt is an empty object whose *key* holds its content: listing the prefix, 1,000 keys a call, reads them all.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from amazon_estimators.record_set import Labels


@dataclass(frozen=True)
class Receipt:
    """One shard of a channel: ``shard`` is its index there, sizes in bytes, ``etag`` what S3 answered."""

    shard: int
    records: int
    num_bytes: int
    sha256: str
    etag: str
    feature_dim: int
    labels: Labels | None
    dtype: str = "float32"
    sparse: bool = False

    def key(self, prefix: str, channel: str) -> str:
        text = json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)
        return f"{prefix}receipts/{channel}/{self.shard:05d}/{base64.urlsafe_b64encode(text.encode()).decode()}"

    def leave(self, s3: Any, bucket: str, prefix: str, channel: str) -> None:
        s3.put_object(Bucket=bucket, Key=self.key(prefix, channel), Body=b"")

    @classmethod
    def from_key(cls, key: str) -> Self:
        values = json.loads(base64.urlsafe_b64decode(key.rpartition("/")[2]))
        labels = values["labels"]
        return cls(**{**values, "labels": Labels(**labels) if labels else None})


def read_receipts(s3: Any, bucket: str, prefix: str, channel: str) -> Iterator[Receipt]:
    """All receipts of a channel; a shard that was encoded twice under another ETag has two."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}receipts/{channel}/")
    for page in pages:
        for found in page.get("Contents", ()):
            yield Receipt.from_key(found["Key"])


class LabelRange:
    """Minimum, maximum and wholeness of labels seen block by block."""

    def __init__(self) -> None:
        self._minimum, self._maximum, self._integral = np.inf, -np.inf, True

    def add(self, labels: np.ndarray | None) -> None:
        if labels is None or not len(labels):
            return
        self._minimum = min(self._minimum, float(labels.min()))
        self._maximum = max(self._maximum, float(labels.max()))
        self._integral = self._integral and bool((labels == np.trunc(labels)).all())

    def summary(self) -> Labels | None:
        """None if there was no label."""
        if self._minimum > self._maximum:
            return None
        return Labels(self._minimum, self._maximum, self._integral)
