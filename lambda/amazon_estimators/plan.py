"""Plan: from metadata alone, decide what every shard is made of, before anything is paid for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

from amazon_estimators.errors import InputError, NoInputError, SchemaError
from amazon_estimators.record_set import shard_name
from amazon_estimators.s3 import InputObject, get_json, list_objects, put_json, put_text
from amazon_estimators.settings import Settings
from amazon_estimators.sharding import pieces_of_shards, shard_count
from amazon_estimators.sources import Layout, Piece, Schema, Source, format_of

ENCODING_VERSION = 1
"""Raise it when the same input would make other bytes: it is part of every fingerprint."""

LOOKS_AT_ONCE = 16
JSON_LINES = "application/jsonlines"


@dataclass(frozen=True)
class PlannedChannel:
    """What all shards of one channel share."""

    source: Source
    schema: Schema
    shards: int
    encoding: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "source": self.source.to_dict(),
            "schema": self.schema.to_dict(),
            "shards": self.shards,
            "encoding": self.encoding,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        return cls(
            Source.from_dict(values["source"]),
            Schema.from_dict(values["schema"]),
            values["shards"],
            values["encoding"],
        )


@dataclass(frozen=True)
class Plan:
    """A RecordSet to be: where it lies and its channels by name."""

    bucket: str
    prefix: str
    fingerprint: str
    channels: Mapping[str, PlannedChannel]

    @property
    def shards(self) -> int:
        return sum(channel.shards for channel in self.channels.values())

    def shard_key(self, channel: str, index: int) -> str:
        return f"{self.prefix}{channel}/{shard_name(self.channels[channel].encoding, index)}"

    def save(self, s3: Any) -> None:
        channels = {name: channel.to_dict() for name, channel in self.channels.items()}
        put_json(
            s3, self.bucket, f"{self.prefix}plan.json", {"fingerprint": self.fingerprint, "channels": channels}
        )

    @classmethod
    def load(cls, s3: Any, bucket: str, prefix: str) -> Self:
        values = get_json(s3, bucket, f"{prefix}plan.json")
        channels = {name: PlannedChannel.from_dict(one) for name, one in values["channels"].items()}
        return cls(bucket, prefix, values["fingerprint"], channels)


def make_plan(s3: Any, settings: Settings, encoding: str) -> Plan:
    """Look at the input, cut it into shards and save the plan.

    Raises NoInputError for an empty channel, InputError or SchemaError for objects that cannot be encoded.
    """
    found = {name: _look(s3, settings, name) for name in settings.channels}
    fingerprint = _fingerprint(settings, found)
    prefix = f"{settings.prefix}recordsets/{fingerprint}/"
    channels, lines = {}, []
    for name, objects in found.items():
        schema, parts = objects[0][1].schema, _parts(settings, objects)
        channels[name] = PlannedChannel(settings.channels[name], schema, parts, encoding)
        for index, pieces in enumerate(pieces_of_shards(objects, parts)):
            lines.append(json.dumps({"channel": name, "index": index, "pieces": [one.to_dict() for one in pieces]}))
    plan = Plan(settings.data_bucket, prefix, fingerprint, channels)
    put_text(s3, plan.bucket, f"{prefix}pieces.jsonl", "".join(f"{line}\n" for line in lines), JSON_LINES)
    put_text(s3, plan.bucket, f"{prefix}shards.jsonl", "".join(_items(lines)), JSON_LINES)
    plan.save(s3)
    return plan


def _look(s3: Any, settings: Settings, channel: str) -> list[tuple[InputObject, Layout]]:
    source = settings.channels[channel]
    prefix = source.prefix or f"{settings.prefix}input/{channel}/"
    objects = list_objects(s3, settings.data_bucket, prefix)
    if not objects:
        raise NoInputError(f"channel {channel}: no object under s3://{settings.data_bucket}/{prefix}")

    def look(one: InputObject) -> Layout:
        return format_of(one, source)[1].look(s3, one, source)

    with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
        layouts = list(pool.map(look, objects))
    first = layouts[0].schema
    for one, layout in zip(objects, layouts, strict=True):
        if layout.schema != first:
            raise SchemaError(
                f"{objects[0].uri} and {one.uri} disagree: {_columns(first)} against {_columns(layout.schema)}",
                remedy="Give all files of a channel the same columns in the same order.",
            )
    return list(zip(objects, layouts, strict=True))


def _columns(schema: Schema) -> str:
    return f"{schema.width} columns" + (f" ({', '.join(schema.names[:10])})" if schema.names else " without names")


def _parts(settings: Settings, objects: list[tuple[InputObject, Layout]]) -> int:
    """Shards of a channel. Fewer records than instances would leave an instance without data: an InputError."""
    schema = objects[0][1].schema
    records = [layout.records for _, layout in objects]
    known = None if None in records else sum(count or 0 for count in records)
    if known is not None and known < settings.instance_count:
        raise InputError(
            f"{objects[0][0].uri} and its like hold {known} records for {settings.instance_count} instances",
            remedy="Every training instance needs at least one record: add data or lower instance_count.",
        )
    record_bytes = 4 * schema.feature_dim + 64
    output_bytes = known * record_bytes if known is not None else sum(found.size for found, _ in objects)
    parts = shard_count(
        output_bytes=output_bytes,
        target_bytes=settings.target_shard_bytes,
        instance_count=settings.instance_count,
    )
    return parts if known is None else min(parts, known // settings.instance_count * settings.instance_count)


def _fingerprint(settings: Settings, found: Mapping[str, list[tuple[InputObject, Layout]]]) -> str:
    """Names a RecordSet by all that its bytes depend on: 24 hexadecimal digits of a SHA-256."""
    digest = hashlib.sha256()
    shape = [ENCODING_VERSION, settings.instance_count, settings.target_shard_bytes]
    digest.update(json.dumps(shape).encode())
    for name in sorted(found):
        digest.update(json.dumps([name, settings.channels[name].to_dict()], sort_keys=True).encode())
        for one, _ in found[name]:
            digest.update(json.dumps(one.identity()).encode())
    return digest.hexdigest()[:24]


def _items(lines: list[str]) -> Iterator[str]:
    """One Map item a shard: where its line lies in pieces.jsonl. Small, however many pieces a shard has."""
    offset = 0
    for shard, line in enumerate(lines):
        length = len(line.encode())
        yield json.dumps({"shard": shard, "offset": offset, "length": length}) + "\n"
        offset += length + 1


def read_shard(s3: Any, plan: Plan, offset: int, length: int) -> tuple[str, int, list[Piece]]:
    """(channel, index in the channel, pieces) of one shard, from its line in pieces.jsonl."""
    span = f"bytes={offset}-{offset + length - 1}"
    answer = s3.get_object(Bucket=plan.bucket, Key=f"{plan.prefix}pieces.jsonl", Range=span)
    line = json.loads(answer["Body"].read())
    return line["channel"], line["index"], [Piece.from_dict(piece) for piece in line["pieces"]]
