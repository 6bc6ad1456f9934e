"""Encode local files to local shards and a manifest, with the Plan, Encode and Seal of a pipeline."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.client.local_s3 import Directory
from amazon_estimators.errors import AmazonEstimatorsError, InputError, RequestError
from amazon_estimators.pipeline.channel_profile import add_up_profiles
from amazon_estimators.pipeline.channels import Channel
from amazon_estimators.pipeline.data_set import DataSet
from amazon_estimators.pipeline.encode import encode_shard
from amazon_estimators.pipeline.input_scan import refuse_tables
from amazon_estimators.pipeline.plan import make_plan, prepare
from amazon_estimators.pipeline.seal import seal
from amazon_estimators.record_sets.keys import manifest_key, profile_key
from amazon_estimators.record_sets.manifest import StoredRecordSet, StoredShard, write
from amazon_estimators.record_sets.read_as import ReadAs
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.sources import Piece, Source
from amazon_estimators.storage.input_files import InputFiles, LeftOut, data_files
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of

BUCKET = "local-files"
"""Stands for the file system where the data plane needs a bucket; users never see it."""
NO_TABLE_READER = "CSV, Parquet, libsvm and zstd are read by pyarrow, which is not installed"
TABLES = "Install the extra tables, in a clone: pip install '.[cli,tables]'. .npy and .npz work without."


def encode_files(
    files: Sequence[Path],
    out: Path,
    algorithm: type[Algorithm],
    *,
    channel: str,
    source: Source,
    instance_count: int,
    target_shard_bytes: int,
    prefix: str,
    progress: Callable[[int, int], None],
) -> RecordSet:
    """Encode files into the directory ``out``, which must be empty or new. The manifest is written last.

    A directory among ``files`` stands for all data files below it. ``prefix`` is the future S3 URI of the
    shards, for the manifest. ``progress`` is called with the shards done and their total. Raises InputError
    naming file, row and column, and then leaves nothing behind.
    """
    if out.exists() and any(out.iterdir()):
        raise RequestError(
            f"{out} is not empty", remedy="Name a new directory, so that old and new shards do not mix."
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside the result, on the same disk: shards are moved into place, not copied.
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as work:
        planned, data_set, s3 = _local_channel(files, algorithm, channel, source, instance_count, Path(work))
        with local_errors():
            plan, shards = make_plan(
                s3,
                {channel: planned},
                data_set,
                bucket=BUCKET,
                prefix="",
                target_shard_bytes=target_shard_bytes,
            )
            for done, shard in enumerate(shards):
                progress(done, len(shards))
                encode_shard(s3, plan, shard.offset, shard.length)
            progress(len(shards), len(shards))
            sealed = seal(s3, plan, instance_count=instance_count)[channel]
            profile = add_up_profiles(
                s3, plan, channel, sealed.receipts, counts_words=algorithm.counts_words
            ).document
        out.mkdir(exist_ok=True)
        names = [plan.shard_file(channel, receipt.shard) for receipt in sealed.receipts]
        for name, receipt in zip(names, sealed.receipts, strict=True):
            shutil.move(s3.path(plan.shard_key(channel, receipt.shard)), out / name)
    record_set = replace(
        sealed.record_set, s3_data=manifest_key(prefix), read_as=_in_local_terms(sealed.record_set.read_as)
    )
    root = Place.of(prefix, what="prefix").key
    stored = tuple(
        StoredShard(root + name, receipt.facts.records, receipt.num_bytes, receipt.sha256, etag=None)
        for name, receipt in zip(names, sealed.receipts, strict=True)
    )

    def put(key: str, text: str) -> None:
        (out / key.removeprefix(root)).write_text(text, encoding="utf-8")

    if profile is not None:
        put(profile_key(root), profile.to_json())
    write([StoredRecordSet(record_set, stored)], put)
    return record_set


def plan_files(
    files: Sequence[Path],
    algorithm: type[Algorithm],
    *,
    channel: str,
    source: Source,
    instance_count: int,
    target_shard_bytes: int,
) -> tuple[ReadAs, list[list[Piece]]]:
    """Return how Plan understands files, and the pieces of each shard. Encodes and writes nothing.

    Raises the errors that :func:`encode_files` raises before it encodes.
    """
    with tempfile.TemporaryDirectory() as work:
        planned, data_set, s3 = _local_channel(files, algorithm, channel, source, instance_count, Path(work))
        with local_errors():
            plan, pieces = prepare(
                s3,
                {channel: planned},
                data_set,
                bucket=BUCKET,
                prefix="",
                target_shard_bytes=target_shard_bytes,
            )
            shards = [list(shard) for shard in pieces[channel]]
    read_as = _in_local_terms(plan.channels[channel].read_as)
    assert read_as is not None
    return read_as, shards


def plan_prefix(
    uri: str,
    algorithm: type[Algorithm],
    *,
    channel: str,
    source: Source,
    instance_count: int,
    target_shard_bytes: int,
    session: Any = None,
) -> tuple[ReadAs, list[list[Piece]]]:
    """Return how Plan understands the objects below an S3 URI, and the pieces of each shard.

    Writes nothing. Raises the errors of Plan.
    """
    place, s3 = Place.of(uri, what="input"), client_of(session, "s3")
    planned = _channel(algorithm, channel, place.key, source, instance_count)
    data_set = DataSet.take(s3, place.bucket, {channel: planned.files})
    plan, pieces = prepare(
        s3,
        {channel: planned},
        data_set,
        bucket=place.bucket,
        prefix="",
        target_shard_bytes=target_shard_bytes,
    )
    read_as = plan.channels[channel].read_as
    assert read_as is not None
    return read_as, [list(shard) for shard in pieces[channel]]


def _channel(
    algorithm: type[Algorithm], channel: str, prefix: str, source: Source, instance_count: int
) -> Channel:
    rule = algorithm.channels.get(channel)
    if rule is None:
        raise RequestError(
            f"{algorithm.__name__} has no channel {channel!r}; it has {', '.join(algorithm.channels)}"
        )
    sharded = rule.distribution == "ShardedByS3Key"
    return Channel(channel, prefix, source, rule, rule.distribution, instance_count if sharded else 1)


def _local_channel(  # noqa: PLR0917 - both callers' arguments
    files: Sequence[Path],
    algorithm: type[Algorithm],
    channel: str,
    source: Source,
    instance_count: int,
    work: Path,
) -> tuple[Channel, DataSet, Directory]:
    """Return the channel, its files as a data set, and a directory that plays S3."""
    named, left_out = local_files(files, InputFiles("", source.include, source.skip))
    source = replace(source, include=(), skip=())  # a file that is named explicitly is read
    planned = _channel(algorithm, channel, "", source, instance_count)
    inputs = {str(path): path for path in named}
    if len(inputs) < len(named):
        raise InputError("a file is listed twice", remedy="List each file once: its rows would count twice.")
    if missing := [name for name, path in inputs.items() if not path.is_file()]:
        raise InputError(f"there is no file {', '.join(missing)}")
    s3 = Directory(work, inputs)
    objects = {channel: s3.input_objects(BUCKET, channel)}
    return planned, DataSet("local", datetime.now(UTC), objects, {channel: left_out}), s3


@contextmanager
def local_errors() -> Iterator[None]:
    """Turn errors into ones that name files instead of objects, and the package to install."""
    try:
        yield
    except AmazonEstimatorsError as error:
        raise _in_local_words(error) from error
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise InputError(NO_TABLE_READER, remedy=TABLES) from error


def _in_local_terms(read_as: ReadAs | None) -> ReadAs | None:
    lines = read_as and tuple(line.replace(f"s3://{BUCKET}/", "") for line in read_as.lines)
    return replace(read_as, lines=lines) if read_as and lines else read_as


def local_files(paths: Sequence[Path], rule: InputFiles) -> tuple[list[Path], tuple[LeftOut, ...]]:
    """Return the files, with the data files below directories, and what is left out there.

    Raises:
        InputError: A directory holds no data, or a table whose log lists its valid files.
    """
    named: list[Path] = []
    left_out: list[LeftOut] = []
    for path in paths:
        if not path.is_dir():
            named.append(path)
            continue
        files, others = data_files(path, rule)
        if not files:
            reasons = f"; left out: {'; '.join(map(str, others))}" if others else ""
            raise InputError(
                f"{path} holds no files to encode{reasons}", remedy="Name files, or a directory of files."
            )
        refuse_tables(InputFiles(f"{path}/"), map(str, files), others, f"{path}/")
        named += files
        left_out += others
    return named, tuple(left_out)


def _in_local_words(error: AmazonEstimatorsError) -> AmazonEstimatorsError:
    """Return the same error, naming files instead of objects."""
    local = type(error).__new__(type(error))
    AmazonEstimatorsError.__init__(local, error.message.replace(f"s3://{BUCKET}/", ""), remedy=error.remedy)
    return local
