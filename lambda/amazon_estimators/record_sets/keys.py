"""The file names of a RecordSet, for the run time, the client and the constructs' IAM statements."""

from __future__ import annotations

MANIFEST_NAME = ".amazon.manifest"
"""Lists the shards; written last, so that a RecordSet with a manifest is complete."""

RECORD_SET_NAME = "record_set.json"
"""Beside the manifest: what is known of the RecordSet, so that nobody has to read the shards for it."""

SHARD_STEMS = {"recordio": ("matrix", "pbr"), "jsonlines": ("part", "jsonl"), "csv": ("part", "csv")}
"""Stem and extension of a shard's file name, by encoding."""


def shard_name(encoding: str, index: int) -> str:
    """Return the file name of a shard.

    Example:
        >>> shard_name("recordio", 3)
        'matrix_00003.pbr'
    """
    stem, extension = SHARD_STEMS[encoding]
    return f"{stem}_{index:05d}.{extension}"
