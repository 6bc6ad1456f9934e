"""Read and write a ``model.tar.gz`` in memory: nothing is extracted, sizes are checked before believed."""

from __future__ import annotations

import gzip
import io
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amazon_estimators.errors import ModelError

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK\x03\x04"
MODEL_NAME = "model_algo-1"
"""The member that holds the model; its number is that of the instance that wrote it."""
MODEL_NAMES = re.compile(r"model_algo-[0-9]+")
MEMBERS_LIMIT = 1000
MAX_BYTES = 2 * 2**30
"""Most bytes that a model takes in memory when nothing else is said."""

_DAMAGED = (zlib.error, struct.error, EOFError, OSError, ValueError, LookupError, OverflowError)
TAR_ERRORS = (tarfile.TarError, RecursionError, *_DAMAGED)
ZIP_ERRORS = (zipfile.BadZipFile, NotImplementedError, RuntimeError, *_DAMAGED)
"""The exceptions that the standard library raises for damaged archives."""


@dataclass(frozen=True)
class Archive:
    """The content of a ``model.tar.gz``: the model's member by ``name``, and its other members."""

    name: str
    model: bytes = field(repr=False)
    beside: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def is_zip(self) -> bool:
        """True if the member is an archive itself, False if it is one file."""
        return self.model.startswith(ZIP_MAGIC)


def read_archive(data: bytes, *, max_bytes: int = MAX_BYTES) -> Archive:
    """Read a ``model.tar.gz``, or the ``model_algo-1`` that was taken out of one.

    Args:
        data: The whole file.
        max_bytes: Most bytes that the unpacked archive may take.

    Raises:
        ModelError: It is damaged, too large, or does not hold exactly one ``model_algo-<n>``.
    """
    if not data.startswith(GZIP_MAGIC):
        return Archive(MODEL_NAME, data)
    members = _tar_members(data, max_bytes)
    names = [name for name in members if MODEL_NAMES.fullmatch(name)]
    if len(names) != 1:
        held = ", ".join(sorted(members)[:10]) or "nothing"
        raise ModelError(
            f"the archive holds {len(names) or 'no'} model_algo-<n>; its members are {held}",
            remedy="Give the model.tar.gz of a training job of a first-party algorithm, with one "
            "model_algo-<n> in it.",
        )
    (name,) = names
    return Archive(name, members.pop(name), members)


def write_archive(model: bytes, beside: Mapping[str, bytes] | None = None) -> bytes:
    """Write a ``model.tar.gz``: the model as ``model_algo-1``, others beside it. Same input, same bytes."""
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for name, content in {MODEL_NAME: model, **(beside or {})}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def read_zip(data: bytes, *, max_bytes: int = MAX_BYTES) -> dict[str, bytes]:
    """Read the members of a zip archive, by name.

    Raises:
        ModelError: It is damaged, or takes more than ``max_bytes`` when unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            # zipfile hands out no more of a member than its size says, whatever the packed bytes hold.
            _check_size(len(listed), sum(entry.file_size for entry in listed), max_bytes)
            # Not is_dir(): it raises IndexError for a member without a name.
            files = [entry for entry in listed if not entry.filename.endswith("/")]
            members = {_bare(entry.filename): archive.read(entry) for entry in files}
    except ModelError:
        raise
    except ZIP_ERRORS as error:
        raise ModelError(f"the model's zip archive cannot be read: {error}") from error
    if len(members) != len(files):
        raise ModelError(f"the model's zip archive holds a name twice: {', '.join(sorted(members)[:10])}")
    return members


def write_zip(members: Mapping[str, bytes]) -> bytes:
    """Write a zip archive of these members. Same input, same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _tar_members(data: bytes, max_bytes: int) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    size = 0
    stream: Any = _Bounded(gzip.GzipFile(fileobj=io.BytesIO(data)), max_bytes)
    try:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                if not member.isreg():
                    continue
                if member.issparse():
                    raise ModelError(f"{member.name!r} is a sparse member, which no training job writes")
                size += member.size
                _check_size(len(members) + 1, size, max_bytes)
                name = _bare(member.name)
                if name in members:
                    raise ModelError(f"the archive holds {name!r} twice")
                file: Any = tar.extractfile(member)
                members[name] = file.read()
    except ModelError:
        raise
    except TAR_ERRORS as error:
        raise ModelError(
            f"the model archive cannot be read: {error}",
            remedy="Download it again: a model.tar.gz is a gzip-compressed tar archive.",
        ) from error
    return members


def _bare(name: str) -> str:
    return name.removeprefix("./")


def _check_size(members: int, size: int, max_bytes: int) -> None:
    if members > MEMBERS_LIMIT or size > max_bytes:
        raise ModelError(
            f"the archive lists at least {members:,} members of {size:,} bytes in all; "
            f"allowed: {MEMBERS_LIMIT:,} members and {max_bytes:,} bytes",
            remedy="Pass a higher max_bytes if you trust the file and have the memory.",
        )


class _Bounded:
    """A stream that ends in a ModelError where a bomb would go on."""

    def __init__(self, file: Any, limit: int) -> None:
        self._file, self._limit = file, limit
        # Headers and the padding of members come on top of their content.
        self._left = limit + MEMBERS_LIMIT * 4 * tarfile.BLOCKSIZE + tarfile.RECORDSIZE

    def read(self, size: int) -> bytes:
        data: bytes = self._file.read(min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise ModelError(
                f"the archive unpacks to more than {self._limit:,} bytes",
                remedy="Pass a higher max_bytes if you trust the file and have the memory.",
            )
        return data
