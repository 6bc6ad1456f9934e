"""The formats by name, and which of them an object is in."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any, Protocol, cast

from amazon_estimators.errors import InputError
from amazon_estimators.sources.blocks import Block
from amazon_estimators.sources.files.compression import bare_key, compression_of
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import Source
from amazon_estimators.storage.s3 import InputObject


class Format(Protocol):
    """What a format's module provides."""

    def look(self, s3: Any, found: InputObject, source: Source) -> Layout:
        """Read metadata only; raises InputError if the object is not of this format."""
        ...

    def read(self, s3: Any, piece: Piece, source: Source, schema: Schema) -> Iterator[Block]:
        """The rows of a piece, a bounded block at a time."""
        ...


COMPRESSIBLE = ("csv", "libsvm")

MODULES = {
    "npy": "numpy_files.npy",
    "npz": "numpy_files.npz",
    "csv": "delimited.reader",
    "parquet": "parquet.reader",
    "libsvm": "libsvm",
    "recordio": "recordio_protobuf",
}
"""The module of each format; a new one is a module with the three names of Format and a line here."""

EXTENSIONS = {
    ".npy": "npy",
    ".npz": "npz",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".libsvm": "libsvm",
    ".svmlight": "libsvm",
    ".svm": "libsvm",
    ".pbr": "recordio",
    ".recordio": "recordio",
}
"""The format that a key's extension names, once the extension of a compression is taken off."""


def format_of(found: InputObject, source: Source) -> tuple[str, Format]:
    """The format of an object, by ``source.format`` or by extension. Raises InputError naming what is known.

    Only the module of that format is loaded: the table reader where nothing needs it stays out of memory.
    """
    if source.format == "auto":
        name = EXTENSIONS.get(PurePosixPath(bare_key(found)).suffix)
        if name is None:
            raise InputError(
                f"{found.uri}: its extension names no format; known: {', '.join(EXTENSIONS)}",
                remedy="Name the channel's format in its Source, or leave the object out there: "
                f"skip={[PurePosixPath(found.key).name]}.",
            )
    elif source.format in MODULES:
        name = source.format
    else:
        raise InputError(
            f"format is {source.format!r}; allowed: auto, {', '.join(MODULES)}", remedy="Change the Source."
        )
    if name not in COMPRESSIBLE and compression_of(found, source.compression) != "none":
        raise InputError(
            f"{found.uri} is compressed; only {' and '.join(COMPRESSIBLE)} may be, from outside",
            remedy="Upload it uncompressed: .npz and Parquet are compressed within.",
        )
    return name, cast(Format, import_module(f"amazon_estimators.sources.{MODULES[name]}"))
