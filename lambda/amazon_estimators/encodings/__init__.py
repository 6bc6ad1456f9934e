"""How a channel's records are written for the training container: one module an encoding."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from amazon_estimators.s3 import InputObject
from amazon_estimators.sources import Layout, Piece, Source

if TYPE_CHECKING:
    from amazon_estimators.plan import PlannedChannel
    from amazon_estimators.receipts import Facts
    from amazon_estimators.upload import ObjectWriter


class Encoding(Protocol):
    """What an encoding's module provides."""

    CONTENT_TYPE: str

    def look(self, s3: Any, found: InputObject, source: Source) -> Layout:
        """What metadata or the first bytes tell of an object. Raises InputError if it cannot be encoded."""
        ...

    def encode(self, s3: Any, out: ObjectWriter, pieces: Iterable[Piece], planned: PlannedChannel) -> Facts:
        """Write the records of the pieces, in order. Raises InputError naming object and row or line."""
        ...


def encoding_for(content_type: str) -> str:
    """The name of the encoding that makes shards of a content type."""
    return next(name for name, one in encodings().items() if content_type == one.CONTENT_TYPE)


def encodings() -> dict[str, Encoding]:
    """Every encoding by name: ``csv`` is IP Insights' entity and address, ``files`` auxiliary files."""
    from amazon_estimators.encodings import files, ip_insights, object2vec, vectors  # noqa: PLC0415 - they import plan

    modules: dict[str, ModuleType] = {
        "recordio": vectors,
        "jsonlines": object2vec,
        "csv": ip_insights,
        "files": files,
    }
    return {name: cast(Encoding, module) for name, module in modules.items()}
