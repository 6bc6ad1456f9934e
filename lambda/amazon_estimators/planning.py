"""Plan: from metadata alone, decide what every shard is made of, before anything is paid for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from amazon_estimators.ahead import ahead
from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.facts import SHARDED
from amazon_estimators.encodings import Encoding, encoding_for, encodings
from amazon_estimators.encodings.sizes import output_bytes
from amazon_estimators.errors import InputError, NoInputError, SchemaError
from amazon_estimators.plan import Plan, PlannedChannel, Shard
from amazon_estimators.s3 import InputObject, list_objects
from amazon_estimators.settings import Settings
from amazon_estimators.sharding import pieces_of_shards, shard_count
from amazon_estimators.sources import Layout, Piece, Schema, Source

ENCODING_VERSION = 1
"""Raise it when the same input would make other bytes: it is part of every fingerprint."""

LOOKS_AT_ONCE = 32
MOST_LOOKED_AT = 512
"""Objects of a channel that Plan looks at. Of more it looks at SAMPLED, and Encode looks at each before it reads."""
SAMPLED = 64


@dataclass(frozen=True)
class Found:
    """The objects of a channel and how each can be cut. ``looked``: whether at every one of them."""

    objects: list[tuple[InputObject, Layout]]
    looked: bool

    @property
    def schema(self) -> Schema:
        return self.objects[0][1].schema

    @property
    def records(self) -> int | None:
        """Records in all, if they are known."""
        if not self.looked or any(layout.records is None for _, layout in self.objects):
            return None
        return sum(layout.records or 0 for _, layout in self.objects)


def make_plan(s3: Any, settings: Settings, algorithm: type[Algorithm]) -> tuple[Plan, list[Shard]]:
    """Look at the input, cut it into shards and save the plan.

    Raises RequestError for channels the algorithm does not have, NoInputError for an empty channel, InputError or
    SchemaError for objects that cannot be encoded.
    """
    settings.check_channels(algorithm)
    found = {name: _found(s3, settings, algorithm, name) for name in settings.channels}
    fingerprint = _fingerprint(settings, algorithm, found)
    channels, pieces = {}, {}
    for name, one in found.items():
        channels[name], pieces[name] = _planned(s3, settings, algorithm, name, one)
    plan = Plan(settings.data_bucket, f"{settings.prefix}recordsets/{fingerprint}/", fingerprint, channels)
    return plan, plan.save(s3, pieces)


def find_objects(s3: Any, settings: Settings, channel: str) -> list[InputObject]:
    """The input of a channel: the newest version of each object under its prefix."""
    prefix = settings.input_prefix(channel)
    objects = list_objects(s3, settings.data_bucket, prefix)
    if not objects:
        raise NoInputError(f"channel {channel}: no object under s3://{settings.data_bucket}/{prefix}")
    return objects


def look_at(s3: Any, objects: list[InputObject], source: Source, encoding: Encoding) -> Found:
    """Look at every object, or at an even sample of very many, the first and the last among them.

    Raises SchemaError naming two objects that disagree.
    """
    looked = len(objects) <= MOST_LOOKED_AT
    step = (len(objects) - 1) / (SAMPLED - 1)
    sample = objects if looked else [objects[round(index * step)] for index in range(SAMPLED)]
    layouts = list(ahead(lambda one: encoding.look(s3, one, source), sample, width=LOOKS_AT_ONCE))
    first = layouts[0].schema
    for one, layout in zip(sample, layouts, strict=True):
        check_schema(first, sample[0].uri, layout.schema, one.uri)
    if looked and not any(layout.records is None for layout in layouts):
        return Found(list(zip(objects, layouts, strict=True)), looked=True)
    return Found([(one, Layout(schema=first, start=0, stop=one.size)) for one in objects], looked=False)


def check_schema(expected: Schema, example: str, actual: Schema, uri: str) -> None:
    """Raise SchemaError, naming both objects, unless their schemas are the same."""
    if actual != expected:
        raise SchemaError(
            f"{example} and {uri} disagree: {_columns(expected)} against {_columns(actual)}",
            remedy="Give all files of a channel the same columns in the same order.",
        )


def _columns(schema: Schema) -> str:
    return f"{schema.width} columns" + (
        f" ({', '.join(schema.names[:10])})" if schema.names else " without names"
    )


def _found(s3: Any, settings: Settings, algorithm: type[Algorithm], channel: str) -> Found:
    encoding = encodings()[encoding_for(algorithm.channels[channel].content_type)]
    return look_at(s3, find_objects(s3, settings, channel), settings.channels[channel], encoding)


def _planned(
    s3: Any, settings: Settings, algorithm: type[Algorithm], channel: str, found: Found
) -> tuple[PlannedChannel, Iterable[list[Piece]]]:
    rule, distribution = algorithm.channels[channel], settings.distribution(algorithm, channel)
    encoding, source = encoding_for(rule.content_type), settings.channels[channel]
    names: tuple[str, ...] | None = None
    pieces: Iterable[list[Piece]]
    if encoding == "files":
        names = tuple(one.key.rpartition("/")[2] for one, _ in found.objects)
        pieces = [[Piece(one, 0, one.size)] for one, _ in found.objects]
        parts = len(names)
    else:
        instances = settings.instance_count if distribution == SHARDED else 1
        parts = _parts(s3, settings, channel, found, encoding, instances)
        pieces = pieces_of_shards(found.objects, parts)
    planned = PlannedChannel(
        source=source,
        schema=found.schema,
        shards=parts,
        encoding=encoding,
        content_type=rule.content_type,
        distribution=distribution,
        example=found.objects[0][0].uri,
        looked=found.looked,
        names=names,
    )
    return planned, pieces


def _parts(s3: Any, settings: Settings, channel: str, found: Found, encoding: str, instances: int) -> int:
    """Shards of a channel. Fewer records than instances would leave an instance without data: an InputError."""
    known = found.records
    if known is not None and known < instances:
        raise InputError(
            f"channel {channel}: {known} records for {instances} instances",
            remedy="Every training instance needs at least one record: add data or lower instance_count.",
        )
    parts = shard_count(
        output_bytes=output_bytes(s3, found, settings.channels[channel], encoding),
        target_bytes=settings.target_shard_bytes,
        instance_count=instances,
    )
    return parts if known is None else min(parts, known // instances * instances)


def _fingerprint(settings: Settings, algorithm: type[Algorithm], found: Mapping[str, Found]) -> str:
    """Names a RecordSet by all that its bytes and its manifest depend on: 24 hexadecimal digits of a SHA-256."""
    digest = hashlib.sha256()
    digest.update(json.dumps([ENCODING_VERSION, settings.target_shard_bytes]).encode())
    for name in sorted(found):
        distribution = settings.distribution(algorithm, name)
        instances = settings.instance_count if distribution == SHARDED else 1
        shape = [name, algorithm.channels[name].content_type, distribution, instances]
        digest.update(json.dumps([*shape, settings.channels[name].to_dict()], sort_keys=True).encode())
        for one, _ in found[name].objects:
            digest.update(json.dumps(one.identity()).encode())
    return digest.hexdigest()[:24]
