"""The formats by name, and which of them an object is in."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any, Protocol, cast

from amazon_estimators.errors import InputError
from amazon_estimators.s3 import InputObject
from amazon_estimators.sources.source import Block, Layout, Piece, Schema, Source


class Format(Protocol):
    """What a format's module provides."""

    EXTENSIONS: tuple[str, ...]

    def look(self, s3: Any, found: InputObject, source: Source) -> Layout:
        """Read metadata only; raises InputError if the object is not of this format."""
        ...

    def read(self, s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block]:
        """The rows of a piece, a bounded block at a time."""
        ...


def formats() -> dict[str, Format]:
    """Every format by its name; a new one is a module with these three names and a line here."""
    from amazon_estimators.sources import delimited, npy

    modules: dict[str, ModuleType] = {"npy": npy, "csv": delimited}
    return {name: cast(Format, module) for name, module in modules.items()}


def format_of(found: InputObject, source: Source) -> tuple[str, Format]:
    """The format of an object, by ``source.format`` or by its extension. Raises InputError naming what is known."""
    known = formats()
    if source.format != "auto":
        if source.format not in known:
            raise InputError(f"format is {source.format!r}; allowed: auto, {', '.join(known)}")
        return source.format, known[source.format]
    for name, one in known.items():
        if found.key.lower().endswith(one.EXTENSIONS):
            return name, one
    extensions = ", ".join(extension for one in known.values() for extension in one.EXTENSIONS)
    raise InputError(
        f"{found.uri}: its extension names no format; known: {extensions}",
        remedy="Name the channel's format in its Source, or move the object out of the prefix.",
    )
