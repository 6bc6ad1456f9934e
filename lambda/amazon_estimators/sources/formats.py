"""The table of input formats. A format is a module, or a folder, and a line here.

The table is plain data: at synth time a Source is checked against it without NumPy or a table reader.
``sources/readers.py`` loads the module of an object's format.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Literal

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
"""The compressions of whole objects, by key extension."""
COLUMNS = (
    *("label", "classes", "features", "exclude"),
    *("fill", "drop_incomplete", "one_hot", "unknown", "hashed", "scale"),
)
"""The options of every format that has columns."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """The facts about a format that are known without reading an object.

    Attributes:
        module: The module that reads feature vectors from it, as :class:`contract.Reader` defines; a name
            relative to this package. None if there is none.
        extensions: Key extensions in lower case, without a compression's.
        options: The options of Source that apply to it, besides those of every format.
        labels: Where the label is: in a ``"column"`` that the Source names; in ``"each"`` record; in
            ``"any"`` record or none of them; in the ``"line"``, which an encoding reads.
        names: True if columns can have names.
    """

    module: str | None
    extensions: tuple[str, ...] = ()
    options: tuple[str, ...]
    labels: Literal["column", "each", "any", "line"]
    names: bool = False

    @property
    def compressible(self) -> bool:
        """True if a whole object may be compressed."""
        return "compression" in self.options

    def load(self) -> ModuleType:
        """Import the module. Nothing that it needs is in memory before."""
        return import_module(f"{__package__}.{self.module}")


FORMATS: dict[str, Format] = {
    "npy": Format(
        module="numpy_files.npy",
        extensions=(".npy",),
        options=COLUMNS,
        labels="column",
    ),
    "csv": Format(
        module="delimited.reader",
        extensions=(".csv", ".tsv"),
        options=(
            "compression",
            *COLUMNS,
            "header",
            "delimiter",
            "quoting",
            "escape",
            "decimal",
            "quoted_newlines",
        ),
        labels="column",
        names=True,
    ),
    "parquet": Format(
        module="parquet.reader",
        extensions=(".parquet", ".pq"),
        options=COLUMNS,
        labels="column",
        names=True,
    ),
    "npz": Format(
        module="numpy_files.npz",
        extensions=(".npz",),
        options=COLUMNS,
        labels="column",
        names=True,
    ),
    "libsvm": Format(
        module="libsvm",
        extensions=(".libsvm", ".svmlight", ".svm"),
        options=("compression", "feature_count", "first_index", "keep_labels"),
        labels="each",
    ),
    "recordio": Format(
        module="recordio_protobuf",
        extensions=(".pbr", ".recordio"),
        options=("keep_labels",),
        labels="any",
    ),
    "jsonlines": Format(
        module=None,
        options=("compression", "keep_labels"),
        labels="line",
    ),
}
"""The formats by their names in ``Source(format=…)``."""


def vector_formats() -> tuple[str, ...]:
    """Return the names of the formats that hold feature vectors."""
    return tuple(name for name, entry in FORMATS.items() if entry.module)


def formats_with(option: str) -> tuple[str, ...]:
    """Return the names of the formats that an option of Source applies to.

    Example:
        >>> formats_with("keep_labels")
        ('libsvm', 'recordio', 'jsonlines')
    """
    return tuple(name for name, entry in FORMATS.items() if option in entry.options)


@cache
def extensions() -> dict[str, str]:
    """Return the format of each extension, for formats that hold feature vectors."""
    return {
        extension: name for name, entry in FORMATS.items() if entry.module for extension in entry.extensions
    }
