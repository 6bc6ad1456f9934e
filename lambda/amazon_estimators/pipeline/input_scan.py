"""Inspect a channel's input: metadata and first bytes, of every object or of a sample."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from amazon_estimators.algorithms.label_rule import label_problem
from amazon_estimators.encodings import Encoding, encoding_named
from amazon_estimators.errors import InputError, NoInputError, RequestError
from amazon_estimators.pipeline.channels import Channel
from amazon_estimators.prefetch import ahead
from amazon_estimators.sources import Layout, Schema, format_of
from amazon_estimators.sources.files.compression import compression_of
from amazon_estimators.sources.schema import check_schema
from amazon_estimators.storage.input_files import LOG_NAMES, InputFiles, LeftOut
from amazon_estimators.storage.s3 import InputObject

LOOKS_AT_ONCE = 32
MOST_LOOKED_AT = 512
"""Objects of a channel that Plan looks at. Of more it looks at SAMPLED, and Encode at each one it reads."""
SAMPLED = 64


@dataclass(frozen=True)
class Found:
    """The objects of a channel and how each can be cut.

    ``looked`` is True if every object was inspected. If not, the layouts are the bytes of whole objects.
    """

    objects: list[tuple[InputObject, Layout]]
    looked: bool

    @property
    def schema(self) -> Schema:
        return self.objects[0][1].schema

    @property
    def records(self) -> int | None:
        """The number of records, or None if not all are counted."""
        counts = [layout.records for _, layout in self.objects]
        return None if None in counts else sum(count or 0 for count in counts)


def find(
    s3: Any,
    bucket: str,
    channel: Channel,
    objects: list[InputObject],
    left_out: tuple[LeftOut, ...] = (),
) -> Found:
    """Look at the objects of a channel; ``left_out`` is what lies beside them and is not input.

    Raises:
        NoInputError: No object is input.
        InputError: An object cannot be encoded, or belongs to a table whose log says which files count.
        SchemaError: Two objects disagree.
        RequestError: The algorithm learns from a label and none is named.
    """
    # The starter, which may have listed the objects, knows no patterns.
    objects = [found for found in objects if not channel.files.why_by_pattern(found.key)]
    where = f"channel {channel.name}: "
    if not objects:
        others = f"; left out: {'; '.join(map(str, left_out))}" if left_out else ""
        raise NoInputError(f"{where}no object under s3://{bucket}/{channel.prefix}{others}")
    keys = [found.key for found in objects]
    refuse_tables(channel.files, keys, left_out, f"{where}s3://{bucket}/{channel.prefix}")
    found = look_at(s3, objects, channel, encoding_named(channel.encoding))
    _check_label(channel, found)
    return found


def refuse_tables(rule: InputFiles, keys: Iterable[str], left_out: Iterable[LeftOut], where: str) -> None:
    """Raise InputError if keys are data of a table with a log. ``where`` names what paths are below."""
    for log, root in rule.tables_among(keys, left_out):
        raise InputError(
            f"{where}{root} has the {log}, which says which of its files count",
            remedy="Write the table's current rows as plain Parquet elsewhere, by Athena's UNLOAD or Spark. "
            "If every file there counts, leave the log out by the Source: "
            f"skip={[f'{root}{LOG_NAMES[log]}']}.",
        )


def look_at(s3: Any, objects: list[InputObject], channel: Channel, encoding: Encoding) -> Found:
    """Inspect every object, or an even sample of very many that includes the first and the last."""
    empty = next((one.uri for one in objects if not one.size), None)
    if empty:
        raise InputError(f"{empty} is empty", remedy="Remove it, or upload it with some records.")
    sample, source = objects, channel.source
    if len(objects) > MOST_LOOKED_AT:
        step = (len(objects) - 1) / (SAMPLED - 1)
        sample = [objects[round(index * step)] for index in range(SAMPLED)]
    layouts = list(ahead(lambda one: encoding.look(s3, one, source), sample, width=LOOKS_AT_ONCE))
    first = layouts[0].schema
    for one, layout in zip(sample, layouts, strict=True):
        check_schema(first, sample[0].uri, layout.schema, one.uri)
    if sample is objects:
        return Found(list(zip(objects, layouts, strict=True)), looked=True)
    whole = [compression_of(one, source.compression) != "none" for one in objects]
    unseen = [
        Layout(schema=first, start=0, stop=one.size, whole=unit)
        for one, unit in zip(objects, whole, strict=True)
    ]
    return Found(list(zip(objects, unseen, strict=True)), looked=False)


def _check_label(channel: Channel, found: Found) -> None:
    """Raise RequestError if the channel needs a label, or takes none, and the input is not like that."""
    if not channel.rule.vectors:
        return
    formats = {format_of(one, channel.source)[0]: (one, layout) for one, layout in reversed(found.objects)}
    for name, (one, layout) in reversed(formats.items()):
        problem = label_problem(channel.rule, channel.source, name, layout.schema, one.uri)
        if problem is not None:
            raise RequestError(problem.message, remedy=problem.remedy)
