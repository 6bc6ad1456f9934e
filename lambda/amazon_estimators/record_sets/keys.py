"""Name the objects of a RecordSet, once for the run time, the client and the constructs' IAM statements.

A channel's RecordSet is under one key prefix, its ``root``:

    matrix_00000.pbr, matrix_00001.pbr, …   or part_00000.jsonl, or files/<the user's own names>
    feature_profile.json
    record_set.json
    .amazon.manifest
"""

from __future__ import annotations

MANIFEST = ".amazon.manifest"
RECORD_SET = "record_set.json"
PROFILE = "feature_profile.json"
FILES = "files/"
SHARDS = {"recordio": ("matrix_", "pbr"), "jsonlines": ("part_", "jsonl"), "csv": ("part_", "csv")}
"""Stem and extension of a shard's file name, by encoding."""


def manifest_key(root: str) -> str:
    """Return the key of the manifest. It is written last: a RecordSet with a manifest is complete."""
    return f"{root}{MANIFEST}"


def record_set_key(root: str) -> str:
    """Return the key of the facts beside the manifest, which save reading the shards."""
    return f"{root}{RECORD_SET}"


def profile_key(root: str) -> str:
    """Return the key of the profile of the features, of records that are vectors."""
    return f"{root}{PROFILE}"


def files_root(root: str) -> str:
    """Return the prefix of an auxiliary channel's files. It is separate because users choose their names."""
    return f"{root}{FILES}"


def shard_name(encoding: str, index: int) -> str:
    """Return the file name of a shard.

    Example:
        >>> shard_name("recordio", 3)
        'matrix_00003.pbr'
    """
    stem, extension = SHARDS[encoding]
    return f"{stem}{index:05d}.{extension}"


def shard_patterns(root: str) -> list[str]:
    """Return IAM patterns that match the keys of all shards and files under ``root``, and no others.

    Example:
        >>> shard_patterns("train/")
        ['train/matrix_*', 'train/part_*', 'train/files/*']
    """
    stems = dict.fromkeys(stem for stem, _ in SHARDS.values())
    return [*(f"{root}{stem}*" for stem in stems), f"{files_root(root)}*"]
