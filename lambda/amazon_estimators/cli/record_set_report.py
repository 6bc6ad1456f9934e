"""Gather the facts of a page about a RecordSet or RecordIO files, on disk or on S3."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from amazon_estimators.cli.files import MANIFEST_SUFFIXES, profile_beside, readables, record_set_of
from amazon_estimators.cli.terminal import Counted, byte_progress
from amazon_estimators.record_sets.keys import RECORD_SET
from amazon_estimators.record_sets.manifest import StoredRecordSet
from amazon_estimators.record_sets.profiles.comparison import compare
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.record_sets.profiles.findings import warnings_of
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.recordio.consistency import Channel
from amazon_estimators.recordio.record_blocks import Block, read_blocks
from amazon_estimators.reports.facts import ChannelFacts, ReportFacts
from amazon_estimators.storage.s3 import is_there, read_object
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of


def record_set_facts(names: Sequence[str], against: str | None) -> ReportFacts:
    """Return the facts about a RecordSet; without a profile beside it, its records are read.

    Args:
        names: A manifest, a directory or an S3 prefix; or ``.pbr`` files.
        against: A RecordSet to compare with.

    Raises:
        InputError: There is no such file, or it holds no RecordIO.
        RecordSetError: The two cannot be compared.
    """
    whole = record_set_of(names)
    document = profile_beside(whole) if whole else None
    stored = _stored_beside(whole) if whole else None
    if document is None:
        document = _profile_of(names)
    before = None if against is None else (profile_beside(against) or _profile_of([against]))
    channel = ChannelFacts(
        name=stored.record_set.channel if stored else "records",
        record_set=stored.record_set if stored else None,
        profile=document,
        before=before,
        comparison=compare(before, document) if before and document else None,
        against=f"Compared with {against}." if before else "There is nothing to compare with.",
    )
    return ReportFacts(
        title=whole or f"{len(names)} files",
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        about={
            "fingerprint": stored.fingerprint if stored else None,
            "data set version": stored.data_set if stored else None,
        },
        channels=[channel],
    )


def _stored_beside(name: str) -> StoredRecordSet[RecordSet] | None:
    """Return what ``record_set.json`` of a RecordSet holds; None without one."""
    is_manifest = name.endswith(MANIFEST_SUFFIXES)
    if not name.startswith("s3://"):
        path = Path(name).parent if is_manifest else Path(name)
        path = path / RECORD_SET
        return StoredRecordSet.from_json(path.read_bytes(), str(path), RecordSet) if path.is_file() else None
    s3: Any = client_of(None, "s3")
    root = Place.of(name, what="manifest") if is_manifest else Place.prefix(name, what="RecordSet")
    place = root.beside(RECORD_SET)
    if not is_there(s3, place.bucket, place.key):
        return None
    return StoredRecordSet.from_json(read_object(s3, place.bucket, place.key), place.uri, RecordSet)


def _profile_of(names: Sequence[str]) -> ProfileDocument | None:
    """Read records and return their profile; None without a record, or of more features than are profiled."""
    builder, channel, inputs = ProfileBuilder(), Channel(allow_nonfinite=False), readables(names)
    with byte_progress("Reading", sum(entry.size for entry in inputs)) as read:
        for entry in inputs:
            with entry.open() as file:
                for block in read_blocks(Counted(file, entry.name, read), entry.name):
                    channel.admit(block, entry.name)
                    _add(builder, block, channel.feature_dim)
    profile = builder.profile()
    if profile is None:
        return None
    return ProfileDocument(profile, shards=len(inputs), warnings=warnings_of(profile, None))


def _add(builder: ProfileBuilder, block: Block, features: int) -> None:
    values = block.flat_values().astype(np.float32)
    rows = len(block.offsets)
    if not block.kind.sparse:
        builder.add_dense(values.reshape(rows, -1))
        return
    counts = np.broadcast_to(block.key_counts, rows)
    ends = np.concatenate([[0], np.cumsum(counts)])
    builder.add_sparse(values, block.keys.view(np.int64), ends, features)
