"""Upload data in memory as a RecordSet: cut it into shards, encode block by block, write the manifest
last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.channel_rules import SHARDED
from amazon_estimators.client.matrix import Matrix, labels_of, matrix_of, split_frame, write_rows
from amazon_estimators.client.ruled_matrix import Ruled
from amazon_estimators.client.shard_writers import Shards
from amazon_estimators.client.text_records import write_lines
from amazon_estimators.errors import InputError, RequestError
from amazon_estimators.pipeline.sharding import DEFAULT_SHARD_BYTES, cut_evenly
from amazon_estimators.pipeline.understood import rule_lines
from amazon_estimators.record_sets.keys import manifest_key, profile_key
from amazon_estimators.record_sets.manifest import StoredRecordSet, StoredShard, write
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.record_sets.profiles.findings import warnings_of
from amazon_estimators.record_sets.read_as import ReadAs
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.sources import Source
from amazon_estimators.sources.in_memory import is_frame
from amazon_estimators.storage.multipart_upload import Uploads
from amazon_estimators.summaries import LabelRange, Labels

PART_BYTES = 8 * 2**20
"""Bytes of a part. 10,000 parts hold 80 GB, far more than any shard. Every open shard keeps a part in
memory."""
PARTS_SENT_AT_ONCE = 6
Progress = Callable[[int, int | None], None]
"""Called with the bytes uploaded and the total, None if unknown; never from two threads at once."""


@dataclass(frozen=True)
class Destination:
    """The destination of a RecordSet. ``prefix`` ends with a slash; ``extra`` holds the encryption of every
    object."""

    s3: Any
    bucket: str
    prefix: str
    extra: Mapping[str, Any]
    instance_count: int
    target_shard_bytes: int = DEFAULT_SHARD_BYTES


def encryption(*, encrypt: bool, kms_key: str | None) -> dict[str, Any]:
    """Return the parameters for S3: SSE-KMS with a key, SSE-S3 with ``encrypt``, otherwise none."""
    if kms_key:
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key, "BucketKeyEnabled": True}
    return {"ServerSideEncryption": "AES256"} if encrypt else {}


def upload_record_set(
    destination: Destination,
    algorithm: Algorithm,
    train: Any,
    labels: Any,
    *,
    channel: str,
    distribution: str | None,
    progress: Progress | None,
    source: Source | None = None,
) -> RecordSet:
    """Encode and upload a RecordSet. ``source`` has the rules by which columns become features.


    Raises InputError for data that cannot become a RecordSet, and then leaves nothing behind.
    """
    rule = algorithm.channels.get(channel)
    if rule is None:
        raise RequestError(
            f"{type(algorithm).__name__} has no channel {channel!r}; it has {', '.join(algorithm.channels)}"
        )
    distribution = distribution or rule.distribution
    if distribution not in rule.distributions:
        raise RequestError(
            f"distribution is {distribution!r}; allowed for channel {channel}: "
            f"{', '.join(rule.distributions)}"
        )
    report = _Report(progress)
    with Uploads(
        destination.s3,
        destination.bucket,
        part_bytes=PART_BYTES,
        threads=PARTS_SENT_AT_ONCE,
        extra=destination.extra,
        sent=report.sent,
    ) as uploads:
        shards = Shards(
            uploads,
            destination.prefix,
            rule,
            encoding=algorithm.encoding,
            instances=destination.instance_count if distribution == SHARDED else 1,
            target_bytes=destination.target_shard_bytes,
        )
        builder, names = ProfileBuilder(), None
        if algorithm.encoding == "recordio" and rule.vectors:
            facts, names = _write_records(shards, train, labels, source, report, builder)
        elif source is not None:
            raise RequestError(
                f"channel {channel} of {type(algorithm).__name__} has no columns for a Source",
                remedy="Leave source out.",
            )
        else:
            facts = write_lines(shards, algorithm, rule, train, labels)
        written = [writer.result() for writer in shards.writers]
        record_set = replace(
            facts,
            s3_data=f"s3://{destination.bucket}/{manifest_key(destination.prefix)}",
            channel=channel,
            distribution=distribution,
            content_type=rule.content_type,
            num_bytes=sum(one.size for one in written),
            num_shards=len(written),
        )
        stored = tuple(
            StoredShard(one.key, records, one.size, one.sha256, one.etag)
            for one, records in zip(written, shards.records, strict=True)
        )
        profile = builder.profile()
        if profile is not None:
            warnings = warnings_of(profile, names, counts_words=algorithm.counts_words)
            document = ProfileDocument(profile, names, len(written), warnings=warnings)
            uploads.put(profile_key(destination.prefix), document.to_json().encode(), "application/json")
        write(
            [StoredRecordSet(record_set, stored)],
            lambda key, text: uploads.put(key, text.encode(), "application/json"),
        )
    return record_set


class _Report:
    """Reports the bytes sent to S3 to a progress bar."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._lock = Lock()
        self._done = 0
        self.total: int | None = None

    def sent(self, count: int) -> None:
        with self._lock:
            self._done += count
            if self._progress:
                self._progress(self._done, None if self.total is None else max(self.total, self._done))


Written = tuple[RecordSet, tuple[str, ...] | None]
"""The facts about the records, and the names of the features."""


def _write_records(  # noqa: PLR0917 - what record_set() is given
    shards: Shards,
    train: Any,
    labels: Any,
    source: Source | None,
    report: _Report,
    profile: ProfileBuilder,
) -> Written:
    if hasattr(train, "__next__"):
        if labels is not None:
            raise RequestError(
                "labels were given beside an iterator of blocks",
                remedy="Yield pairs instead: (features of the block, labels of the block).",
            )
        return _write_blocks(shards, train, source, profile)
    if source is not None:
        if isinstance(labels, str):
            source, labels = replace(source, label=labels), None
        matrix, label_array = _ruled(train, labels, source, 0)
    elif isinstance(labels, str):
        if not is_frame(train):
            raise RequestError(f"labels is {labels!r}, but only a data frame has named columns")
        matrix, values = split_frame(train, labels)
        label_array = values
    else:
        matrix = matrix_of(train)
        label_array = labels_of(labels, matrix.rows)
    report.total = matrix.rows * matrix.record_bytes
    for start, stop, writer in shards.ranges(matrix.rows, report.total):
        part = None if label_array is None else label_array[start:stop]
        write_rows(writer, matrix, start, stop, part, first_row=start, profile=profile)
    facts = RecordSet(
        "",
        matrix.rows,
        matrix.columns,
        labels=_range(label_array),
        sparse=matrix.sparse,
        read_as=None if source is None else _read_as(source, matrix),
        dropped=matrix.dropped,
    )
    return facts, _names(matrix)


def _ruled(train: Any, labels: Any, source: Source, first_row: int) -> tuple[Matrix, np.ndarray | None]:
    """Return rows as the features that a Source makes of them, and their labels."""
    matrix = Ruled(train, source, first_row=first_row)
    return matrix, matrix.labels(labels)


def _read_as(source: Source, matrix: Matrix) -> ReadAs:
    """Tell how the columns became features, as Plan tells it of files."""
    schema = matrix.schema
    assert schema is not None
    label = None if schema.label is None else str(schema.key(schema.label))
    return ReadAs(source.to_dict(), schema.feature_names, label, tuple(rule_lines(schema)))


def _write_blocks(
    shards: Shards, blocks: Iterator[Any], source: Source | None, profile: ProfileBuilder
) -> Written:
    """Write blocks of a data set of unknown size to one open shard per instance.

    The instances' shares differ by at most one record. Full shards are closed and as many new ones opened,
    but only when there is a record for each of them.
    """
    rows, dropped, first, names, read_as = 0, 0, None, None, None
    ranges: list[Labels] = []
    for block in blocks:
        train, labels = block if isinstance(block, tuple) and len(block) == 2 else (block, None)
        if source is None:
            matrix = matrix_of(train)
            values = labels_of(labels, matrix.rows)
        else:
            matrix, values = _ruled(train, labels, source, rows + dropped)
            read_as = read_as or _read_as(source, matrix)
        shape = (matrix.columns, matrix.sparse, values is not None)
        if first is not None and shape != first:
            raise InputError(
                f"the block from row {rows} disagrees with the first: {_shape(shape)} against {_shape(first)}"
            )
        if first is None:
            names = _names(matrix)
        first = shape
        _deal(shards, matrix, values, rows + dropped, profile)
        found = _range(values)
        ranges += [found] if found else []
        rows += matrix.rows
        dropped += matrix.dropped
    if first is None:
        raise InputError("the iterator yielded no block", remedy="Yield at least one block of rows.")
    shards.check_rows(rows)
    facts = RecordSet(
        "",
        rows,
        first[0],
        labels=Labels.merge(ranges),
        sparse=first[1],
        read_as=read_as,
        dropped=dropped,
    )
    return facts, names


def _names(matrix: Matrix) -> tuple[str, ...] | None:
    return None if matrix.names is None else tuple(matrix.names)


def _deal(
    shards: Shards, matrix: Matrix, labels: np.ndarray | None, first_row: int, profile: ProfileBuilder
) -> None:
    instances = shards.instances
    for start in range(0, matrix.rows, step := max(instances, shards.target_bytes // matrix.record_bytes)):
        stop = min(start + step, matrix.rows)
        current = shards.writers[-instances:]
        full = not current or current[0].size >= shards.target_bytes
        if full and (not current or stop - start >= instances):
            for writer in current:
                writer.close()
            current = [shards.open() for _ in range(instances)]
        base = len(shards.writers) - instances
        turns = _by_need(shards.records[base:], stop - start)
        row = start
        for index, share in enumerate(turns):
            if share:
                part = None if labels is None else labels[row : row + share]
                write_rows(
                    current[index], matrix, row, row + share, part, first_row=first_row + row, profile=profile
                )
                shards.records[base + index] += share
                row += share


def _by_need(held: Sequence[int], rows: int) -> list[int]:
    """Distribute ``rows`` so that all shards end up with the same number, or one more."""
    ends = cut_evenly(sum(held) + rows, len(held))
    wanted = [stop - start for start, stop in pairwise(ends)]
    return [want - have for want, have in zip(wanted, held, strict=True)]


def _shape(shape: tuple[int, bool, bool]) -> str:
    columns, sparse, labelled = shape
    return (
        f"{columns} features, {'sparse' if sparse else 'dense'}, {'with' if labelled else 'without'} labels"
    )


def _range(labels: np.ndarray | None) -> Labels | None:
    if labels is None or not len(labels):
        return None
    summary = LabelRange()
    summary.add(labels)
    return summary.summary()
