"""Write a channel's records for the training container: one module per encoding."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from amazon_estimators.sources import Layout, Piece, Source
from amazon_estimators.sources.formats import FORMATS, vector_formats
from amazon_estimators.storage.object_list import ObjectList
from amazon_estimators.storage.s3 import InputObject

if TYPE_CHECKING:
    from amazon_estimators.encodings.contract import Facts, PlannedChannel
    from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
    from amazon_estimators.storage.multipart_upload import ObjectWriter


MODULES = {
    "recordio": "vectors",
    "jsonlines": "object2vec",
    "csv": "ip_insights",
    "files": "auxiliary_files",
}
"""The module of each encoding: a new one is a module with the functions of Encoding and a line here."""

NAMES = {
    "application/x-recordio-protobuf": "recordio",
    "application/jsonlines": "jsonlines",
    "text/csv": "csv",
    "text/plain": "files",
}
"""The encoding that makes shards of a content type."""


class Encoding(Protocol):
    """Defines what the module of an encoding provides."""

    def resolve(self, s3: Any, objects: ObjectList, source: Source) -> Source:
        """Return the source with what it leaves out found out over all objects."""
        ...

    def look(self, s3: Any, found: InputObject, source: Source) -> Layout:
        """Read metadata or first bytes of an object. Raises InputError if it cannot be encoded."""
        ...

    def encode(
        self,
        s3: Any,
        out: ObjectWriter,
        pieces: Iterable[Piece],
        planned: PlannedChannel,
        profile: ProfileBuilder,
    ) -> Facts:
        """Write the records of the pieces, in order, and add those that are vectors to ``profile``.

        Raises InputError naming object and row or line.
        """
        ...


def encoding_for(content_type: str) -> str:
    """Return the name of the encoding that makes shards of a content type."""
    return NAMES[content_type]


def formats_for(encoding: str) -> tuple[str, ...]:
    """Return the names of the formats that an encoding makes shards of.

    Vectors may come from any format that holds feature vectors, text only from lines of its own format.

    Example:
        >>> formats_for("jsonlines")
        ('jsonlines',)
    """
    return vector_formats() if encoding == "recordio" else tuple(name for name in FORMATS if name == encoding)


def encoding_named(name: str) -> Encoding:
    """Return an encoding. Only its own module is loaded: a synth needs the names, without NumPy."""
    return cast(Encoding, import_module(f"{__name__}.{MODULES[name]}"))
