"""Find the format of an object, and the module that reads it."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Protocol, cast

from amazon_estimators.errors import InputError
from amazon_estimators.sources.blocks import Block
from amazon_estimators.sources.files.compression import bare_key, compression_of
from amazon_estimators.sources.formats import FORMATS, extensions, vector_formats
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import Source
from amazon_estimators.storage.object_list import ObjectList
from amazon_estimators.storage.s3 import InputObject


class Reader(Protocol):
    """Defines what the module of a format provides.

    Where a Source may leave something to be found out over all objects, the module has a function ``resolve``
    too: see :func:`resolve`.
    """

    def look(self, s3: Any, found: InputObject, source: Source) -> Layout:
        """Read metadata only. Raises InputError if the object is not of this format."""
        ...

    def read(self, s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block]:
        """Read the rows of a piece, a bounded block at a time."""
        ...


def resolve(s3: Any, objects: ObjectList, source: Source) -> Source:
    """Return the source with what it leaves out found out, over all objects, by the formats that can tell.

    Encode is handed the result, so that nothing is decided twice, or for one object alone.

    Raises:
        InputError: What is left out cannot be told from the objects.
        SchemaError: The objects tell different things.
    """
    readers: dict[str, tuple[Reader, array[int]]] = {}
    for index, found in enumerate(objects):
        name, reader = format_of(found, source)
        readers.setdefault(name, (reader, array("Q")))[1].append(index)
    for reader, indexes in readers.values():
        find_out = getattr(reader, "resolve", None)
        source = find_out(s3, objects.pick(indexes), source) if find_out else source
    return source


def format_of(found: InputObject, source: Source) -> tuple[str, Reader]:
    """Return the name of an object's format, and the module that reads it.

    Only that module is loaded: where nothing needs the table reader it stays out of memory.

    Args:
        found: The object; its key's extension counts if ``source.format`` is ``"auto"``.
        source: How the channel is read.

    Raises:
        InputError: No format goes by that extension or name, or the object is compressed and may not be.
    """
    if source.format == "auto":
        known = extensions()
        name = known.get(PurePosixPath(bare_key(found)).suffix)
        if name is None:
            raise InputError(
                f"{found.uri}: its extension names no format; known: {', '.join(known)}",
                remedy="Name the channel's format in its Source, or leave the object out there: "
                f"skip={[PurePosixPath(found.key).name]}.",
            )
    elif source.format in vector_formats():
        name = source.format
    else:
        raise InputError(
            f"format is {source.format!r}; allowed: auto, {', '.join(vector_formats())}",
            remedy="Change the Source.",
        )
    entry = FORMATS[name]
    if not entry.compressible and compression_of(found, source.compression) != "none":
        allowed = [other for other in vector_formats() if FORMATS[other].compressible]
        raise InputError(
            f"{found.uri} is compressed; only {' and '.join(allowed)} may be, from outside",
            remedy="Upload it uncompressed: .npz and Parquet are compressed within.",
        )
    return name, cast(Reader, entry.load())
