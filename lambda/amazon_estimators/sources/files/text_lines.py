"""Read the lines of text that begin in a byte range, each of them whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amazon_estimators.errors import InputError
from amazon_estimators.sources.files.compression import compression_of, decompressed
from amazon_estimators.sources.layout import Piece
from amazon_estimators.sources.source import BLOCK_BYTES
from amazon_estimators.storage.s3 import read_ahead, read_range

LINE_LIMIT = 8 * 2**20
"""Bytes of the longest line or record accepted, including its end."""
STEP_BYTES = 2**20
"""Bytes of lines at a time: parsed, text takes many times its size."""
LAST_LOOK = 64 * 2**10
"""Bytes read at first after ``stop``, for the rest of the line that begins before it."""
BOM = b"\xef\xbb\xbf"


def whole_lines(s3: Any, piece: Piece, *, compression: str = "auto") -> Iterator[bytes]:
    """Yield the lines whose first byte lies in the bytes ``[start, stop)`` of the object, in blocks of whole
    lines.

    Every line ends in a newline: if the object's last line has none, one is added. A UTF-8 byte order mark is
    removed. A compressed object is one piece. A block is at most STEP_BYTES long, or one line. Raises
    InputError for a line longer than LINE_LIMIT.
    """
    name = compression_of(piece.source, compression)
    chunks = _range_of_lines(s3, piece) if name == "none" else decompressed(s3, piece.source, name)
    begun: list[bytes] = []
    length = 0
    for chunk in without_bom(chunks) if piece.start == 0 else chunks:
        start, end = 0, chunk.rfind(b"\n") + 1
        if end and length + chunk.find(b"\n") >= LINE_LIMIT:
            raise too_long(piece)
        while start < end:
            stop = chunk.rfind(b"\n", start, max(start, start + STEP_BYTES - length)) + 1
            stop = stop or chunk.index(b"\n", start) + 1
            yield b"".join((*begun, memoryview(chunk)[start:stop]))
            begun, length, start = [], 0, stop
        begun.append(chunk[end:])
        length += len(chunk) - end
        if length > LINE_LIMIT:
            raise too_long(piece)
    if length:
        yield b"".join((*begun, b"\n"))


def without_bom(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks without a leading UTF-8 byte order mark."""
    yield _front(chunks).removeprefix(BOM)  # in no variable, which would keep it in memory
    yield from chunks


def _front(chunks: Iterator[bytes]) -> bytes:
    """Return the first chunks, as many as a mark is long."""
    front = b""
    for chunk in chunks:
        front += chunk
        if len(front) >= len(BOM):
            break
    return front


def too_long(piece: Piece) -> InputError:
    """Return the error for a line or record longer than LINE_LIMIT."""
    limit = f"{LINE_LIMIT // 2**20} MiB"
    return InputError(
        f"{piece.source.uri}: a line longer than {limit} at or after byte {piece.start}",
        remedy=f"Break it into lines of at most {limit}; a quote left open can be the cause too.",
    )


def _range_of_lines(s3: Any, piece: Piece) -> Iterator[bytes]:
    """Read from the first line that begins at or after ``start`` to the end of the last that begins before
    ``stop``.

    A line begins after a newline, so reading starts one byte early to see if a line begins at ``start``.
    """
    input_object, begun = piece.source, piece.start == 0
    last = b"\n"
    skipped = 0
    for chunk in read_ahead(s3, input_object, piece.start - (not begun), piece.stop, chunk=BLOCK_BYTES):
        lines = chunk
        if not begun:
            newline = chunk.find(b"\n")
            if newline < 0:
                if (skipped := skipped + len(chunk)) > LINE_LIMIT:
                    raise too_long(piece)
                continue
            lines, begun = chunk[newline + 1 :], True
        if lines:
            last = lines[-1:]
            yield lines
    if not begun or last == b"\n":
        return
    yield from _rest_of_line(s3, piece)


def _rest_of_line(s3: Any, piece: Piece) -> Iterator[bytes]:
    at, step = piece.stop, LAST_LOOK
    while at < piece.source.size:
        chunk = read_range(s3, piece.source, at, min(at + step, piece.source.size))
        end = chunk.find(b"\n") + 1
        yield chunk[:end] if end else chunk
        if end:
            return
        at, step = at + len(chunk), min(2 * step, BLOCK_BYTES)
