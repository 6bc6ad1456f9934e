"""Follow a channel of a training job back to its RecordSet, data set version and versions of objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.pipeline.data_set import DataSet
from amazon_estimators.pipeline.keys import RECORD_SETS
from amazon_estimators.record_sets.keys import RECORD_SET
from amazon_estimators.record_sets.manifest import StoredRecordSet
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.storage.s3 import InputObject, is_there, read_object
from amazon_estimators.storage.s3_uri import Place


@dataclass(frozen=True, kw_only=True)
class ChannelOrigin:
    """What one channel of a training job was made of.

    Attributes:
        channel: Its name.
        record_set: The S3 URI that the job read: of a manifest or a prefix.
        fingerprint: The plan of the RecordSet; None if no pipeline encoded it.
        records: The number of its records; None if ``record_set.json`` is not there.
        shards: The number of its shards; None likewise.
        data_set: The version of the data; None if no pipeline encoded it.
        objects: The versions of objects that the data set holds for the channel; None if they are unknown.
        missing: Why something is unknown; empty if nothing is.
    """

    channel: str
    record_set: str
    fingerprint: str | None = None
    records: int | None = None
    shards: int | None = None
    data_set: str | None = None
    objects: Sequence[InputObject] | None = None
    missing: str = ""

    def facts(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        objects = None if self.objects is None else [{"uri": one.uri, **vars(one)} for one in self.objects]
        return {**vars(self), "objects": objects}


def channel_origin(s3: Any, channel: Mapping[str, Any]) -> ChannelOrigin:
    """Return the lineage of a channel, as DescribeTrainingJob has it. What cannot be read is ``missing``."""
    name, source = channel["ChannelName"], (channel.get("DataSource") or {}).get("S3DataSource")
    if source is None:
        return ChannelOrigin(channel=name, record_set="", missing="the channel is not on S3")
    uri = source["S3Uri"]
    place = Place.of(uri, what="channel").beside(RECORD_SET)
    try:
        if not is_there(s3, place.bucket, place.key):
            return ChannelOrigin(
                channel=name, record_set=uri, missing=f"{place.uri} is not there: it expired or was deleted"
            )
        stored = StoredRecordSet.from_json(read_object(s3, place.bucket, place.key), place.uri, RecordSet)
    except AmazonEstimatorsError as error:
        return ChannelOrigin(channel=name, record_set=uri, missing=error.message)
    objects, missing = _objects(s3, place, name, stored)
    return ChannelOrigin(
        channel=name,
        record_set=uri,
        fingerprint=stored.fingerprint,
        records=stored.record_set.num_records,
        shards=len(stored.shards),
        data_set=stored.data_set,
        objects=objects,
        missing=missing,
    )


def _objects(
    s3: Any, place: Place, channel: str, stored: StoredRecordSet[RecordSet]
) -> tuple[Sequence[InputObject] | None, str]:
    """Return the objects of a channel's data set, or None and why they are unknown."""
    if stored.data_set is None or stored.fingerprint is None:
        return None, "no pipeline encoded the RecordSet: its data has no version"
    # A RecordSet may be copied out of its pipeline; then its data set is not beside it.
    prefix, root, _ = place.key.rpartition(f"{RECORD_SETS}{stored.fingerprint}/")
    if not root:
        return None, "the RecordSet was copied: the list of its objects is with the original"
    try:
        data_set = DataSet.load(s3, place.bucket, prefix, stored.data_set)
    except AmazonEstimatorsError as error:
        return None, error.message
    return data_set.channels.get(channel, ()), ""
