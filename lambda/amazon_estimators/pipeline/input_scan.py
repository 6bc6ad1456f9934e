"""Inspect a channel's input: metadata and first bytes of every object, or of a sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, overload

from amazon_estimators.algorithms.label_rule import label_problem
from amazon_estimators.encodings import Encoding, encoding_named
from amazon_estimators.errors import InputError, NoInputError, RequestError
from amazon_estimators.pipeline.channels import Channel, unused_options
from amazon_estimators.prefetch import ahead
from amazon_estimators.sources import Layout, Schema, Source, format_of
from amazon_estimators.sources.files.compression import compression_of
from amazon_estimators.sources.partitions import columns_of
from amazon_estimators.sources.schema import check_schema
from amazon_estimators.storage.input_files import EMPTY, LOG_NAMES, InputFiles, LeftOut
from amazon_estimators.storage.object_list import ObjectList
from amazon_estimators.storage.s3 import InputObject

LOOKS_AT_ONCE = 32
MOST_LOOKED_AT = 512
"""The most objects per channel that Plan inspects. If there are more, it inspects SAMPLED of them, and Encode
inspects each object it reads."""
SAMPLED = 64


class Unseen(Sequence[tuple[InputObject, Layout]]):
    """Objects that were not inspected. Each is assumed to have a layout of bytes."""

    def __init__(self, objects: ObjectList, schema: Schema, compression: str) -> None:
        self.objects, self._schema, self._compression = objects, schema, compression

    def __len__(self) -> int:
        return len(self.objects)

    def __iter__(self) -> Iterator[tuple[InputObject, Layout]]:
        return ((found, self._layout(found)) for found in self.objects)

    @overload
    def __getitem__(self, index: int) -> tuple[InputObject, Layout]: ...
    @overload
    def __getitem__(self, index: slice) -> Unseen: ...
    def __getitem__(self, index: int | slice) -> tuple[InputObject, Layout] | Unseen:
        if isinstance(index, slice):
            return Unseen(self.objects[index], self._schema, self._compression)
        found = self.objects[index]
        return found, self._layout(found)

    def of_width(self, width: int) -> Unseen:
        """Return the same objects with another number of features, which is now known."""
        layout = self[0][1].of_width(width, known=True)
        return Unseen(self.objects, layout.schema, self._compression)

    def _layout(self, found: InputObject) -> Layout:
        whole = compression_of(found, self._compression) != "none"
        return Layout(schema=self._schema, start=0, stop=found.size, whole=whole)


@dataclass(frozen=True)
class Found:
    """The objects of a channel, and where each can be cut.

    Attributes:
        objects: The objects with rows, each with its layout.
        looked: True if Plan inspected every object. Otherwise the layouts are the bytes of whole objects.
        source: How to read them, including the options detected from them.
        left_out: The objects beside them that are not read.
    """

    objects: Sequence[tuple[InputObject, Layout]]
    looked: bool
    source: Source
    left_out: tuple[LeftOut, ...] = ()

    @property
    def schema(self) -> Schema:
        return self.objects[0][1].schema

    @property
    def sizes(self) -> Sequence[int]:
        """The bytes of each object."""
        if isinstance(self.objects, Unseen):
            return self.objects.objects.sizes
        return [entry.size for entry, _ in self.objects]

    @cached_property
    def formats(self) -> dict[str, tuple[InputObject, Layout]]:
        """The formats of feature vectors, each with its first object."""
        first: dict[str, tuple[InputObject, Layout]] = {}
        for entry, layout in self.objects:
            first.setdefault(format_of(entry, self.source)[0], (entry, layout))
        return first

    @property
    def records(self) -> int | None:
        """The number of records, or None if not all are counted."""
        total = 0
        for _, layout in self.objects:
            if layout.records is None:
                return None
            total += layout.records
        return total


def find(
    s3: Any,
    bucket: str,
    channel: Channel,
    objects: ObjectList,
    left_out: tuple[LeftOut, ...] = (),
) -> Found:
    """Inspect the objects of a channel; ``left_out`` are the objects beside them that are not input.

    Raises:
        NoInputError: No object is input.
        InputError: An object cannot be encoded, or belongs to a table whose log lists its valid files.
        SchemaError: Two objects disagree.
        RequestError: The algorithm needs a label and none is named.
    """
    # The starter, which may have listed the objects, does not know the patterns.
    if channel.files.include or channel.files.skip:
        why = channel.files.why_by_pattern
        objects = objects.pick(index for index, entry in enumerate(objects) if not why(entry.key))
    where = f"channel {channel.name}: "
    if not objects:
        others = f"; left out: {'; '.join(map(str, left_out))}" if left_out else ""
        raise NoInputError(f"{where}no object under s3://{bucket}/{channel.prefix}{others}")
    refuse_tables(
        channel.files, (entry.key for entry in objects), left_out, f"{where}s3://{bucket}/{channel.prefix}"
    )
    found = look_at(s3, objects, channel, encoding_named(channel.encoding))
    found = replace(found, left_out=(*left_out, *found.left_out))
    _check_options(channel, found)
    _check_label(channel, found)
    return found


def _check_options(channel: Channel, found: Found) -> None:
    """Raise RequestError for options of the Source that no format of the objects has."""
    if channel.of_other_files or not channel.source.explicit_options:
        return
    formats = tuple(found.formats) if channel.rule.vectors else ()
    directories = bool(formats and columns_of(found.objects[0][0], channel.source))
    if unused := unused_options(channel.rule, channel.source, formats, directories=directories):
        what = f"{' and '.join(formats)} files" if formats else "lines"
        raise RequestError(
            f"channel {channel.name} reads {what}, to which these options do not apply: {unused}",
            remedy="Leave them out of the Source.",
        )


def refuse_tables(rule: InputFiles, keys: Iterable[str], left_out: Iterable[LeftOut], where: str) -> None:
    """Raise InputError if keys are data of a table with a log. Paths are below ``where``."""
    for log, root in rule.tables_among(keys, left_out):
        raise InputError(
            f"{where}{root} has the {log}, which lists its valid files",
            remedy="Write the table's current rows as plain Parquet elsewhere, by Athena's UNLOAD or Spark. "
            "If every file there counts, leave the log out by the Source: "
            f"skip={[f'{root}{LOG_NAMES[log]}']}.",
        )


def look_at(s3: Any, objects: ObjectList, channel: Channel, encoding: Encoding) -> Found:
    """Inspect every object, or an even sample if there are many. It includes the first and the last.

    Objects without rows, such as Spark's empty parts, are skipped if others have rows.
    """
    empty = list(objects.pick(index for index, size in enumerate(objects.sizes) if not size))
    filled = objects.pick(index for index, size in enumerate(objects.sizes) if size) if empty else objects
    if empty and (not filled or channel.encoding == "files"):
        raise NoInputError(f"{empty[0].uri} is empty", remedy="Remove it, or upload it with some records.")
    source = encoding.resolve(s3, filled, replace(channel.source, prefix=channel.prefix))
    look_at_all = len(filled) <= MOST_LOOKED_AT
    step = (len(filled) - 1) / (SAMPLED - 1)
    sample = list(filled if look_at_all else filled.pick(round(index * step) for index in range(SAMPLED)))

    def look(found: InputObject) -> Layout | NoInputError:
        try:
            return encoding.look(s3, found, source)
        except NoInputError as error:
            return error

    looks = list(zip(sample, ahead(look, sample, width=LOOKS_AT_ONCE), strict=True))
    layouts = [(found, layout) for found, layout in looks if isinstance(layout, Layout)]
    without_rows = [(found, error) for found, error in looks if isinstance(error, NoInputError)]
    if not layouts:
        raise without_rows[0][1]
    # For sparse rows only the highest index may be known: a file that states its width decides.
    example, first = min(layouts, key=lambda looked: looked[1].schema.at_least)
    for found, layout in layouts:
        check_schema(first.schema, example.uri, layout.schema, found.uri)
    if any(layout.schema.at_least for _, layout in layouts):
        known = not first.schema.at_least
        width = first.schema.width if known else max(layout.schema.width for _, layout in layouts)
        layouts = [(found, layout.of_width(width, known=known)) for found, layout in layouts]
        first = first.of_width(width, known=known)
    empty += [found for found, _ in without_rows]
    left_out = _left_out(channel, empty)
    if look_at_all:
        return Found(layouts, looked=True, source=source, left_out=left_out)
    if without_rows:
        nothing = {entry.key for entry, _ in without_rows}
        filled = filled.pick(index for index, entry in enumerate(filled) if entry.key not in nothing)
    unseen = Unseen(filled, first.schema, source.compression)
    return Found(unseen, looked=False, source=source, left_out=left_out)


def widest(found: Mapping[str, Found]) -> dict[str, Found]:
    """Return the channels with a common number of features, if only the highest index of sparse rows is
    known.

    Train and test data are one data set: the channel with the most features decides.
    """
    width = max((channel.schema.width for channel in found.values() if channel.schema.sparse), default=0)
    return {
        name: replace(channel, objects=_of_width(channel.objects, width))
        if channel.schema.at_least
        else channel
        for name, channel in found.items()
    }


def _of_width(
    objects: Sequence[tuple[InputObject, Layout]], width: int
) -> Sequence[tuple[InputObject, Layout]]:
    if isinstance(objects, Unseen):
        return objects.of_width(width)
    return [(entry, layout.of_width(width, known=True)) for entry, layout in objects]


def _left_out(channel: Channel, empty: list[InputObject]) -> tuple[LeftOut, ...]:
    if not empty:
        return ()
    first = min(channel.files.below(found.key) for found in empty)
    return (LeftOut(EMPTY, len(empty), first),)


def _check_label(channel: Channel, found: Found) -> None:
    """Raise RequestError if the channel requires or forbids a label and the input does not comply."""
    if not channel.rule.vectors:
        return
    for name, (entry, layout) in found.formats.items():
        problem = label_problem(channel.rule, channel.source, name, layout.schema, entry.uri)
        if problem is not None:
            raise RequestError(problem.message, remedy=problem.remedy)
