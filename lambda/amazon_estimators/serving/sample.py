"""One record of the RecordSet that a model was trained on, as a request to its endpoint has it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.errors import AmazonEstimatorsError, RecordSetError
from amazon_estimators.record_sets import reading
from amazon_estimators.recordio import CsrParts, read_matrix
from amazon_estimators.recordio.wire import FRAME_BYTES
from amazon_estimators.storage.s3 import read_object
from amazon_estimators.storage.s3_uri import Place

CHANNEL = "train"
LONGEST_RECORD = 4 * 2**20
"""Bytes: what a serverless endpoint takes, and less than a real-time one does.

https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
"""
LONGEST_LINE = 2**16
MADE_UP: Mapping[str, Any] = {
    "token_pair": [{"in0": [0], "in1": [0]}],
    "entity_pair": [("unknown", "192.0.2.1")],
}
"""Rows of algorithms whose rows are no vectors, for want of the RecordSet."""


def sample_of(s3: Any, algorithm: type[Algorithm], job: Mapping[str, Any]) -> tuple[Any, str]:
    """Return one row for :func:`write_request`, and where it comes from.

    If the RecordSet can no longer be read, as it may have expired, the row is made up of zeros.

    Args:
        s3: A client.
        algorithm: The algorithm's class.
        job: DescribeTrainingJob's answer.
    """
    manifest = manifest_of(job)
    try:
        shard = reading.manifest_shards(s3, manifest)[0]
        return _row(s3, algorithm, shard), f"the first record of {manifest.uri}"
    except AmazonEstimatorsError as error:
        why = error.message
    rows = MADE_UP.get(algorithm.inference.rows)
    if rows is None:
        rows = _zeros(int(job["HyperParameters"]["feature_dim"]))
    return rows, f"made up, because the RecordSet cannot be read: {why}"


def manifest_of(job: Mapping[str, Any]) -> Place:
    """Return where the manifest lies of what a job, as DescribeTrainingJob tells it, was trained on."""
    uri = next(
        channel["DataSource"]["S3DataSource"]["S3Uri"]
        for channel in job["InputDataConfig"]
        if channel["ChannelName"] == CHANNEL
    )
    return Place.of(uri, what="manifest")


def _row(s3: Any, algorithm: type[Algorithm], shard: Place) -> Any:
    if algorithm.inference.rows == "vector":
        return _vector(s3, shard)
    body = s3.get_object(Bucket=shard.bucket, Key=shard.key, Range=f"bytes=0-{LONGEST_LINE - 1}")["Body"]
    line = body.read().decode(errors="replace").splitlines()[0]
    if algorithm.inference.rows == "entity_pair":
        return [tuple(next(csv.reader([line]))[:2])]
    try:
        record = json.loads(line)
    except ValueError as error:
        raise RecordSetError(
            f"{shard.uri}: its first record is longer than {LONGEST_LINE:,} bytes"
        ) from error
    return [{side: record[side] for side in ("in0", "in1")}]


def _vector(s3: Any, shard: Place) -> Any:
    """Read the first record: a frame of eight bytes says how long it is."""
    frame = read_object(s3, shard.bucket, shard.key, length=FRAME_BYTES)
    length = int.from_bytes(frame[4:], "little")
    if length > LONGEST_RECORD:
        raise RecordSetError(
            f"{shard.uri}: its first record has {length:,} bytes; allowed: {LONGEST_RECORD:,}"
        )
    body = read_object(s3, shard.bucket, shard.key, length=FRAME_BYTES + length + -length % 4)
    features, _ = read_matrix(io.BytesIO(body))
    return features


def _zeros(features: int) -> Any:
    """Return a row of zeros, sparse: it may be wide."""
    nothing = np.zeros(0, np.float32), np.zeros(0, np.int64), np.zeros(2, np.int64)
    return CsrParts(*nothing, (1, features))
