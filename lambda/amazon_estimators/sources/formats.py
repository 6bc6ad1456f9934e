"""The table of input formats. A format is a module, or a folder, and a line here.

The table is plain data: a Source is checked against it at synth time, without NumPy or a table reader.
``sources/readers.py`` loads the module of the format that an object is in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Literal

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
"""The compressions of whole objects, by the extension of a key."""
COLUMNS = (
    *("label", "features", "exclude"),
    *("fill", "drop_incomplete", "one_hot", "unknown", "hashed", "scale"),
)
"""The options of a format that has columns."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format: the facts that are known without reading an object.

    Attributes:
        module: Reads feature vectors from it, as :class:`contract.Reader` defines; named from this package.
            None if nothing does.
        extensions: Of keys, in lower case, without the extension of a compression.
        options: The options of Source that say something of it, beside those of every format.
        labels: Where a record has its label: in a ``"column"`` that the Source names; with ``"each"`` record;
            with ``"any"`` record, or with none of them; in the ``"line"``, which an encoding reads.
        names: True if columns can have names.
    """

    module: str | None
    extensions: tuple[str, ...] = ()
    options: tuple[str, ...]
    labels: Literal["column", "each", "any", "line"]
    names: bool = False

    @property
    def compressible(self) -> bool:
        """True if an object may be compressed as a whole."""
        return "compression" in self.options

    def load(self) -> ModuleType:
        """Import the module. Until then nothing that it needs is in memory."""
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
        options=("compression",),
        labels="line",
    ),
}
"""The formats by the name that ``Source(format=…)`` gives them."""


def vector_formats() -> tuple[str, ...]:
    """Return the names of the formats that feature vectors are read from."""
    return tuple(name for name, entry in FORMATS.items() if entry.module)


def formats_with(option: str) -> tuple[str, ...]:
    """Return the names of the formats that an option of Source says something of.

    Example:
        >>> formats_with("keep_labels")
        ('libsvm', 'recordio')
    """
    return tuple(name for name, entry in FORMATS.items() if option in entry.options)


@cache
def extensions() -> dict[str, str]:
    """Return the format of each extension, of those that feature vectors are read from."""
    return {
        extension: name for name, entry in FORMATS.items() if entry.module for extension in entry.extensions
    }
