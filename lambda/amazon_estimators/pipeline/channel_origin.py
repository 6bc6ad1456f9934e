"""Follow a channel of a training job back to its RecordSet, data set version and versions of objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.pipeline.data_set import DataSet
from amazon_estimators.pipeline.keys import data_set_key, record_set_root
from amazon_estimators.record_sets.keys import record_set_key
from amazon_estimators.record_sets.manifest import StoredRecordSet
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.storage.s3 import InputObject, is_there, read_object, stored_size
from amazon_estimators.storage.s3_uri import Place


@dataclass(frozen=True, kw_only=True)
class ChannelOrigin:
    """The way from one channel of a training job back to its data.

    Attributes:
        channel: Its name.
        record_set: The S3 URI that the job read: of a manifest or a prefix.
        fingerprint: The plan of the RecordSet; None if no pipeline encoded it.
        records: The number of its records; None if ``record_set.json`` is not there.
        shards: The number of its shards; None likewise.
        data_set: The version of the data; None if no pipeline encoded it.
        objects: The versions of objects that the data set holds for the channel; None if they are unknown.
        listed_at: The S3 URI of the list of all objects of the data set; None if there is none.
        missing: Why something is unknown; empty if nothing is.
        stored: What ``record_set.json`` holds; None if it is not there.
    """

    channel: str
    record_set: str
    fingerprint: str | None = None
    records: int | None = None
    shards: int | None = None
    data_set: str | None = None
    objects: Sequence[InputObject] | None = None
    listed_at: str | None = None
    missing: str = ""
    stored: StoredRecordSet[RecordSet] | None = None

    def facts(self) -> dict[str, Any]:
        """Return it as JSON has it, without ``stored``."""
        objects = None if self.objects is None else [{"uri": one.uri, **vars(one)} for one in self.objects]
        return {name: value for name, value in vars(self).items() if name != "stored"} | {"objects": objects}


def channel_origin(s3: Any, channel: Mapping[str, Any], *, most_bytes: int | None = None) -> ChannelOrigin:
    """Return the origin of a channel, as DescribeTrainingJob has it. What cannot be read is ``missing``.

    Args:
        s3: A client.
        channel: A member of the job's ``InputDataConfig``.
        most_bytes: The bytes of the largest list of objects to read. Default: any.
    """
    name, source = channel["ChannelName"], (channel.get("DataSource") or {}).get("S3DataSource")
    if source is None:
        return ChannelOrigin(channel=name, record_set="", missing="the channel is not on S3")
    uri = source["S3Uri"]
    root = Place.of(uri, what="channel").beside("")
    place = Place(root.bucket, record_set_key(root.key))
    try:
        if not is_there(s3, place.bucket, place.key):
            missing = f"{place.uri} is not there: it expired, was deleted, or there never was one"
            return ChannelOrigin(channel=name, record_set=uri, missing=missing)
        stored = StoredRecordSet.from_json(read_object(s3, place.bucket, place.key), place.uri, RecordSet)
    except AmazonEstimatorsError as error:
        return ChannelOrigin(channel=name, record_set=uri, missing=error.message)
    origin = ChannelOrigin(
        channel=name,
        record_set=uri,
        fingerprint=stored.fingerprint,
        records=stored.record_set.num_records,
        shards=len(stored.shards),
        data_set=stored.data_set,
        stored=stored,
    )
    return _with_objects(s3, place, origin, most_bytes)


def _with_objects(s3: Any, place: Place, origin: ChannelOrigin, most_bytes: int | None) -> ChannelOrigin:
    """Return an origin with the objects of its data set, or with the reason why they are unknown."""
    if origin.data_set is None or origin.fingerprint is None:
        return replace(origin, missing="no pipeline encoded the RecordSet: its data has no version")
    # A RecordSet may be copied out of its pipeline; then its data set is not beside it.
    prefix, root, _ = place.key.rpartition(record_set_root("", origin.fingerprint))
    if not root:
        missing = "the RecordSet was copied: the list of its objects is with the original"
        return replace(origin, missing=missing)
    key = data_set_key(prefix, origin.data_set)
    listed_at = f"s3://{place.bucket}/{key}"
    try:
        if most_bytes is not None and (stored_size(s3, place.bucket, key) or 0) > most_bytes:
            return replace(origin, listed_at=listed_at)
        data_set = DataSet.load(s3, place.bucket, prefix, origin.data_set)
    except AmazonEstimatorsError as error:
        return replace(origin, missing=error.message)
    return replace(origin, listed_at=listed_at, objects=data_set.channels.get(origin.channel, ()))
