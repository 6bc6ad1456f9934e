"""Check strictly that the training container can read these files, and reads what was meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from amazon_estimators.errors import RecordIOError
from amazon_estimators.recordio.consistency import Channel
from amazon_estimators.recordio.framing import File, opened
from amazon_estimators.recordio.record_blocks import read_blocks
from amazon_estimators.summaries import LabelRange, Labels


@dataclass(frozen=True)
class Summary:
    """A summary of the files of one channel."""

    records: int
    feature_dim: int
    dtype: str
    """Dtype of the features: "float32", "float64" or "int32"."""
    sparse: bool
    labels: Labels | None
    """Range of all label values; None if records have no label."""
    bytes: int
    """Size of all files together."""


def check(files: Iterable[File] | File, *, allow_nonfinite: bool = False) -> Summary:
    """Check the files of one channel against every requirement of the first-party algorithms.

    Reads each file once, in memory bounded by the longest record.

    Args:
        files: Paths, or binary file objects read from their current position; a single file needs no list.
        allow_nonfinite: True accepts NaN and Inf. Default: refuse them.

    Returns:
        A summary of all files.

    Raises:
        RecordIOError: The first fault, with file, record number (from 0 in each file), byte offset of the
            record and reason. Refused are broken or missing frames and escaped multi-part records; records
            without a tensor under the key ``values``, or with bytes as features; a record whose number of
            features, tensor type, form (dense or sparse) or label differs from the channel's first record;
            sparse keys that are unsorted, repeated or beyond the shape, and a sparse record without shape;
            non-finite numbers; a file without records.
    """
    channel = Channel(allow_nonfinite=allow_nonfinite)
    records, size = 0, 0
    labels = LabelRange()
    for index, file in enumerate(_listed(files)):
        with opened(file) as (handle, known):
            name = known or f"file {index}"
            before = records
            for block in read_blocks(handle, name):
                channel.admit(block, name)
                labels.add(block.labels)
                records += len(block.offsets)
                size += block.size
            if records == before:
                raise RecordIOError("it holds no record", file=name)
    if channel.kind is None:
        raise RecordIOError("the channel has no files")
    kind = channel.kind
    return Summary(
        records,
        channel.feature_dim,
        kind.tensor.name,
        kind.sparse,
        labels.summary() if kind.label_tensor else None,
        size,
    )


def _listed(files: Any) -> Iterable[Any]:
    single = isinstance(files, str) or hasattr(files, "read") or hasattr(files, "__fspath__")
    return [files] if single else files
