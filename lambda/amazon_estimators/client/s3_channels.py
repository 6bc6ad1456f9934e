"""Use data on S3 as channels, checked as far as the first object allows."""

from __future__ import annotations

import csv
import io
import json
import warnings
import zlib
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.channel_rules import CSV, JSON_LINES, RECORDIO, ChannelRule
from amazon_estimators.algorithms.training_data import UNKNOWN_RECORDS
from amazon_estimators.errors import InputError, RecordIOError, RequestError
from amazon_estimators.hyperparameters.hyperparameter import HyperparameterWarning
from amazon_estimators.record_sets.reading import manifest_shards
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of
from amazon_estimators.summaries import Labels

HEAD_BYTES = 2**20
"""Bytes of the first object that are read."""
ANY_LABELS = Labels(float("nan"), float("nan"), True)
"""Labels exist, but no rule about their range applies."""


@runtime_checkable
class ChannelInput(Protocol):
    """An input of the SageMaker SDK, such as ``TrainingInput``; ``config`` is a channel without its name."""

    config: Mapping[str, Any]


def is_channel_input(given: Any) -> bool:
    """Return True for the URI of a prefix and for inputs of the SageMaker SDK."""
    return isinstance(given, str) or isinstance(getattr(given, "config", None), Mapping)


def look_at(
    channel: str, given: str | ChannelInput, algorithm: Algorithm, session: Any
) -> tuple[RecordSet, dict[str, Any]]:
    """Return what the first object shows about a channel, and the channel without its name.

    A URI without a content type is read as the algorithm's own format. If S3 denies access, a warning says
    that the data are not checked. Raises InputError if there is no object, or the first does not match the
    content type.
    """
    rule = algorithm.channels.get(channel) or ChannelRule(channel, required=False)
    config = _config(given, rule)
    content_type, _, parameters = str(config.setdefault("ContentType", rule.content_type)).partition(";")
    source = config.get("DataSource", {}).get("S3DataSource", {})
    record_set = RecordSet(
        source.get("S3Uri", ""),
        UNKNOWN_RECORDS,
        0,
        s3_data_type=source.get("S3DataType", "S3Prefix"),
        channel=channel,
        distribution=source.get("S3DataDistributionType", "FullyReplicated"),
        content_type=content_type.strip(),
        labels=ANY_LABELS if rule.label == "required" else None,
    )
    if record_set.s3_data_type in ("S3Prefix", "ManifestFile") and record_set.s3_data:
        head = _first_object(record_set, session, gzip=config.get("CompressionType") == "Gzip")
        if head is not None:
            _read(record_set, rule, head, parameters)
    return record_set, config


def _config(given: str | ChannelInput, rule: ChannelRule) -> dict[str, Any]:
    """Return the channel. Like the SDK, it replicates data passed as a URI, if the algorithm allows it."""
    if not isinstance(given, str):
        return {name: value for name, value in given.config.items() if name != "ChannelName"}
    Place.of(given, what="records")
    replicated = "FullyReplicated"
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": given,
        "S3DataDistributionType": replicated if replicated in rule.distributions else rule.distribution,
    }
    return {"DataSource": {"S3DataSource": source}}


class _Head:
    """The beginning of an object, with its URI for messages."""

    def __init__(self, uri: str, data: bytes) -> None:
        self.uri, self.data = uri, data

    @property
    def line(self) -> str:
        return self.data.partition(b"\n")[0].rstrip(b"\r").decode("utf-8", errors="replace")


def _first_object(record_set: RecordSet, session: Any, *, gzip: bool) -> _Head | None:
    s3 = client_of(session, "s3")
    try:
        place = _first_place(s3, record_set)
        if place is None:
            raise InputError(
                f"there is no object under {record_set.s3_data}", remedy="Check the URI of the channel."
            )
        got = s3.get_object(Bucket=place.bucket, Key=place.key, Range=f"bytes=0-{HEAD_BYTES - 1}")
        data = got["Body"].read()
    except s3.exceptions.ClientError as error:
        warnings.warn(
            f"cannot read {record_set.s3_data}, so its content is not checked: {error}",
            HyperparameterWarning,
            stacklevel=6,
        )
        return None
    if gzip:
        try:
            data = zlib.decompressobj(31).decompress(data, HEAD_BYTES)
        except zlib.error as error:
            raise InputError(
                f"{place.uri} is not gzip: {error}", remedy="Leave the compression out."
            ) from None
    return _Head(place.uri, data)


def _first_place(s3: Any, record_set: RecordSet) -> Place | None:
    place = Place.of(record_set.s3_data, what="records")
    if record_set.s3_data_type == "ManifestFile":
        return manifest_shards(s3, place)[0]
    listed = s3.list_objects_v2(Bucket=place.bucket, Prefix=place.key).get("Contents", ())
    return next((Place(place.bucket, one["Key"]) for one in listed if one["Size"]), None)


def _read(record_set: RecordSet, rule: ChannelRule, head: _Head, parameters: str) -> None:
    """Read features, type and labels from the first record."""
    if record_set.content_type == RECORDIO:
        _read_recordio(record_set, head)
    elif record_set.content_type == CSV:
        _read_csv(record_set, rule, head, parameters)
    elif record_set.content_type == JSON_LINES:
        try:
            if {"in0", "in1"} <= set(json.loads(head.line)):
                return
        except (ValueError, TypeError):
            pass
        raise InputError(
            f"{head.uri} is not JSON Lines with in0 and in1; it begins {head.line[:80]!r}",
            remedy="Make a RecordSet of it: estimator.record_set(pairs, labels).",
        )


def _read_recordio(record_set: RecordSet, head: _Head) -> None:
    from amazon_estimators.recordio import read_records  # noqa: PLC0415
    from amazon_estimators.recordio.wire import MAGIC_BYTES  # noqa: PLC0415

    if not head.data.startswith(MAGIC_BYTES):
        raise InputError(
            f"{head.uri} is not RecordIO-protobuf; it begins {head.data[:20]!r}",
            remedy="State its content type, TrainingInput(uri, content_type='text/csv;label_size=1'), or "
            "encode it.",
        )
    try:
        record = next(read_records(io.BytesIO(head.data)))
    except (RecordIOError, StopIteration):
        return  # the first record is longer than the head: its features are unknown
    record_set.labels = ANY_LABELS if "values" in record.label else None
    values = dict(record.features).get("values")
    kind = values.WhichOneof("value") if values is not None else None
    if values is None or kind not in ("float32_tensor", "float64_tensor", "int32_tensor"):
        return
    tensor = getattr(values, kind)
    record_set.sparse = bool(tensor.keys)
    record_set.dtype = kind.removesuffix("_tensor")
    record_set.feature_dim = int(tensor.shape[0]) if tensor.shape else len(tensor.values)
    if record_set.sparse and not tensor.shape:
        record_set.feature_dim = 0


def _read_csv(record_set: RecordSet, rule: ChannelRule, head: _Head, parameters: str) -> None:
    fields = next(csv.reader([head.line]), [])
    if not rule.vectors:
        return
    label_size = _label_size(parameters, rule, record_set.channel)
    if not fields or not all(_is_number(field) for field in fields):
        raise InputError(
            f"{head.uri} has a first line that is not all numbers: {head.line[:80]!r}",
            remedy="Remove the header and encode text as numbers: SageMaker reads CSV without a header.",
        )
    record_set.feature_dim = max(0, len(fields) - label_size)
    record_set.labels = ANY_LABELS if label_size else None


def _label_size(parameters: str, rule: ChannelRule, channel: str) -> int:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "label_size":
            if not value.strip().isdecimal():
                raise RequestError(f"label_size of channel {channel} is {value!r}; expecting 0 or 1")
            return int(value)
    if rule.label != "required":
        warnings.warn(
            f"channel {channel} is text/csv without label_size: the first column is read as the label. "
            "Set text/csv;label_size=0 if there is none.",
            HyperparameterWarning,
            stacklevel=7,
        )
    return 1


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
