"""Stream a compressed object from its first byte, in memory bounded by a chunk."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from posixpath import splitext
from typing import Any

from isal import isal_zlib

from amazon_estimators.errors import InputError
from amazon_estimators.sources.files.chunk_file import ChunkFile
from amazon_estimators.sources.formats import COMPRESSIONS
from amazon_estimators.storage.s3 import InputObject, read_ahead

MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}

READ_BYTES = 2**20
"""Compressed bytes fetched at a time."""
STEP_BYTES = 2**20
"""The most decompressed bytes yielded at a time, however far the data expand."""


def compression_of(input_object: InputObject, option: str = "auto") -> str:
    """Return ``"none"``, ``"gzip"`` or ``"zstd"``: the option, or else what the key's extension says."""
    if option != "auto":
        return option
    return COMPRESSIONS.get(splitext(input_object.key.lower())[1], "none")


def bare_key(input_object: InputObject) -> str:
    """Return the key in lower case without its compression extension. The extension before that names the
    format."""
    key = input_object.key.lower()
    stem, extension = splitext(key)
    return stem if extension in COMPRESSIONS else key


def decompressed(s3: Any, input_object: InputObject, compression: str) -> Iterator[bytes]:
    """Yield the content of a compressed object in steps of at most STEP_BYTES, over all concatenated members.

    Raises InputError for data that are not of this ``compression``, or that end early.
    """
    chunks = read_ahead(s3, input_object, 0, input_object.size, chunk=READ_BYTES)
    steps = {"gzip": _gunzip, "zstd": _unzstd}[compression]
    try:
        ended = yield from steps(chunks)
    except _CorruptError as error:
        raise InputError(
            f"{input_object.uri} is not a {compression} file, or it is damaged: {error}",
            remedy="Compress and upload it again, or give it the right extension.",
        ) from error
    if not ended:
        raise InputError(
            f"{input_object.uri} ends inside its {compression} data", remedy="Compress it again."
        )


class _CorruptError(Exception):
    """Raised with the decompressor's error text."""


def _gunzip(chunks: Iterator[bytes]) -> Generator[bytes, None, bool]:
    """Returns True if the last member was complete. As in gzip, zero bytes after a member are padding."""
    member: Any = None
    for chunk in chunks:
        data = chunk
        while data:
            if member is None:
                data = data.lstrip(b"\0")
                if not data:
                    break
                member = isal_zlib.decompressobj(isal_zlib.MAX_WBITS | 16)
            try:
                yield from (step,) if (step := member.decompress(data, STEP_BYTES)) else ()
            except isal_zlib.IsalError as error:  # type: ignore[misc] # its stub has a value where the class is
                raise _CorruptError(str(error)) from error
            data = member.unused_data if member.eof else member.unconsumed_tail
            if member.eof:
                member = None
    return member is None


def _unzstd(chunks: Iterator[bytes]) -> Generator[bytes, None, bool]:
    """Returns True: for a frame that ends early the decompressor raises an error itself."""
    import pyarrow as pa  # noqa: PLC0415 - the table reader is loaded only where something needs it

    try:
        with pa.CompressedInputStream(pa.PythonFile(ChunkFile(chunks), mode="r"), "zstd") as stream:
            while step := stream.read(STEP_BYTES):
                yield step
    except OSError as error:
        raise _CorruptError(str(error)) from error
    return True
