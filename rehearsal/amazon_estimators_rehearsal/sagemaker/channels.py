"""List the objects of a channel and distribute them to the training instances."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from amazon_estimators_rehearsal.sagemaker.errors import JobFailedError

MAX_MANIFEST_BYTES = 64 * 1024 * 1024
MAX_KEYS = 1_000_000


def channel_objects(s3: Any, channel: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return bucket and key of every object of a channel, in the service's order.

    Raises:
        JobFailedError: The channel has no objects, or cannot be read; in the service's words if they are
            known.
    """
    source = channel["DataSource"]["S3DataSource"]
    name, uri = channel["ChannelName"], source["S3Uri"]
    bucket, key = split_uri(uri)
    if source["S3DataType"] == "ManifestFile":
        objects = parse_manifest(read_object(s3, bucket, key, limit=MAX_MANIFEST_BYTES), uri)
    elif source["S3DataType"] == "S3Prefix":
        objects = _listed(s3, bucket, key)
    else:
        raise JobFailedError(
            f"ClientError: Channel {name}: S3DataType {source['S3DataType']} holds no training records."
        )
    if not objects:
        raise JobFailedError(
            f"ClientError: No S3 objects found under S3 URL {uri!r} given in input data source."
        )
    return sorted(objects)


def shares(
    objects: Sequence[tuple[str, str]], channel: Mapping[str, Any], instances: int
) -> list[list[tuple[str, str]]]:
    """Return the objects of each instance. ShardedByS3Key assigns them in turn; FullyReplicated copies all.

    Raises:
        JobFailedError: An instance gets no object: then the algorithms fail.
    """
    distribution = channel["DataSource"]["S3DataSource"].get("S3DataDistributionType", "FullyReplicated")
    if distribution == "FullyReplicated":
        return [list(objects) for _ in range(instances)]
    dealt = [list(objects[first::instances]) for first in range(instances)]
    for index, share in enumerate(dealt):
        if not share:
            raise JobFailedError(
                f"ClientError: Channel {channel['ChannelName']}: host algo-{index + 1} received no data: "
                f"{len(objects)} S3 objects are sharded among {instances} instances."
            )
    return dealt


def parse_manifest(text: bytes, uri: str) -> list[tuple[str, str]]:
    """Return the objects a manifest lists: ``[{"prefix": "s3://bucket/folder/"}, "relative key", …]``."""
    try:
        manifest = json.loads(text)
    except ValueError as error:
        raise JobFailedError(f"ClientError: The manifest {uri} is not JSON: {error}") from error
    first = manifest[0] if isinstance(manifest, list) and manifest else None
    if not isinstance(first, dict) or not isinstance(first.get("prefix"), str):
        raise JobFailedError(f'ClientError: The manifest {uri} does not begin with {{"prefix": "s3://…"}}.')
    keys = manifest[1:]
    if len(keys) > MAX_KEYS or not all(isinstance(key, str) and key for key in keys):
        raise JobFailedError(
            f"ClientError: The manifest {uri} must name at most {MAX_KEYS:,} keys, all non-empty strings."
        )
    if len(set(keys)) != len(keys):
        raise JobFailedError(f"ClientError: The manifest {uri} names a key twice.")
    return [split_uri(first["prefix"] + key) for key in keys]


def read_object(s3: Any, bucket: str, key: str, *, limit: int | None = None) -> bytes:
    """Return an object's bytes.

    Raises:
        JobFailedError: S3 refused (the text is S3's), or the object is larger than ``limit`` bytes.
    """
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
        if limit is not None and answer["ContentLength"] > limit:
            raise JobFailedError(
                f"ClientError: s3://{bucket}/{key} has {answer['ContentLength']:,} bytes; at most {limit:,}."
            )
        return bytes(answer["Body"].read())
    except ClientError as error:
        detail = error.response["Error"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        raise JobFailedError(
            f"ClientError: Data download failed:{detail.get('Code')} ({status}): {detail.get('Message')} "
            f"(s3://{bucket}/{key})"
        ) from error


def split_uri(uri: str) -> tuple[str, str]:
    """Return the bucket and key of an S3 URI."""
    parts = urlsplit(uri, allow_fragments=False)
    if parts.scheme != "s3" or not parts.netloc:
        raise JobFailedError(f"ClientError: {uri!r} is not an S3 URI.")
    query = f"?{parts.query}" if parts.query else ""
    return parts.netloc, parts.path.removeprefix("/") + query


def _listed(s3: Any, bucket: str, prefix: str) -> list[tuple[str, str]]:
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [(bucket, item["Key"]) for page in pages for item in page.get("Contents", []) if item["Size"]]
    except ClientError as error:
        raise JobFailedError(f"ClientError: Data download failed:{error} (s3://{bucket}/{prefix})") from error
