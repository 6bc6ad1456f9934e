"""Find the format of an object, and the module that reads it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import PurePosixPath
from posixpath import splitext
from typing import Any, cast

from amazon_estimators.errors import InputError
from amazon_estimators.sources.contract import Reader, Rows
from amazon_estimators.sources.files.compression import bare_key, compression_of
from amazon_estimators.sources.formats import FORMATS, Format, extensions, formats_with, vector_formats
from amazon_estimators.sources.partitions import Partitioned, columns_of
from amazon_estimators.sources.ruled import Ruled
from amazon_estimators.sources.source import Source
from amazon_estimators.storage.object_list import ObjectList
from amazon_estimators.storage.s3 import InputObject

MOST_SKIPPED = 8
"""Names of files, or else patterns, that an error proposes to skip."""


def resolve(s3: Any, objects: ObjectList, source: Source) -> Source:
    """Return the source with the options it leaves open, as the formats detect them from all objects.

    Encode receives the result, so nothing is decided twice, or for one object alone.

    Raises:
        InputError: The objects do not show an option that is left open.
        SchemaError: The objects disagree.
    """
    readers: dict[str, tuple[Rows, array[int]]] = {}
    if source.format == "auto" and (
        unknown := [input_object for input_object in objects if _format_name(input_object) is None]
    ):
        raise _unknown(unknown)
    for index, input_object in enumerate(objects):
        name, reader = format_of(input_object, source)
        readers.setdefault(name, (reader, array("Q")))[1].append(index)
    for reader, indexes in readers.values():
        find_out = getattr(reader, "resolve", None)
        source = find_out(s3, objects.pick(indexes), source) if find_out else source
    return source


def format_of(input_object: InputObject, source: Source) -> tuple[str, Rows]:
    """Return the name of an object's format, and the module that reads it.

    Only that module is loaded, so the table reader stays out of memory unless the format needs it.

    Args:
        input_object: The object; its key's extension counts if ``source.format`` is ``"auto"``.
        source: How the channel is read.

    Raises:
        InputError: No format has that extension or name, or the object is compressed and may not be.
    """
    if source.format == "auto":
        known_name = _format_name(input_object)
        if known_name is None:
            raise _unknown([input_object])
        name = known_name
    elif source.format in vector_formats():
        name = source.format
    else:
        raise InputError(
            f"format is {source.format!r}; allowed: auto, {', '.join(vector_formats())}",
            remedy="Change the Source.",
        )
    entry = FORMATS[name]
    if not entry.compressible and compression_of(input_object, source.compression) != "none":
        allowed = [other for other in vector_formats() if FORMATS[other].compressible]
        raise InputError(
            f"{input_object.uri} is compressed; only {' and '.join(allowed)} may be, from outside",
            remedy="Upload it uncompressed: .npz and Parquet compress their content themselves.",
        )
    reader = _reader(entry, input_object, source)
    rules = source.rules
    if not rules:
        return name, cast(Rows, reader)
    if "fill" not in entry.options:
        raise InputError(
            f"{input_object.uri}: format {name!r} has no columns for {', '.join(sorted(rules.named))}",
            remedy=f"Leave them out of the Source; they are for {', '.join(formats_with('fill'))}.",
        )
    return name, Ruled(reader, below_header="header" in entry.options)


def _format_name(input_object: InputObject) -> str | None:
    """Return the format that an object's extension names."""
    return extensions().get(splitext(bare_key(input_object))[1])


def _unknown(objects: Sequence[InputObject]) -> InputError:
    """Return the error for objects whose extensions no format has, with the patterns that skip them all."""
    names = [PurePosixPath(input_object.key).name for input_object in objects]
    patterns = [f"*{suffix}" if (suffix := PurePosixPath(name).suffix) else name for name in names]
    skip = names if len(names) <= MOST_SKIPPED else [*dict.fromkeys(patterns)][:MOST_SKIPPED]
    more = f", and {len(names) - 1:,} more" if len(names) > 1 else ""
    return InputError(
        f"{objects[0].uri}{more}: its extension is not a known format; known: {', '.join(extensions())}",
        remedy=f"Name the channel's format in its Source, or leave such objects out there: skip={skip}.",
    )


def reader_of(input_object: InputObject, source: Source) -> Reader:
    """Return what reads an object before rules apply: where the source has rules, it yields tables.

    Raises what :func:`format_of` raises.
    """
    name, _ = format_of(input_object, source)
    return _reader(FORMATS[name], input_object, source)


def _reader(entry: Format, input_object: InputObject, source: Source) -> Reader:
    reader = cast(Reader, entry.load())
    return Partitioned(reader) if columns_of(input_object, source) else reader
