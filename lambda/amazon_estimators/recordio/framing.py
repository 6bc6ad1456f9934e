"""Read a file's frames through a sliding window, in memory bounded by the longest record.

Two records of one float32 feature each, 1.0 and 2.0, are 56 bytes; a frame starts at 0 and at 28::

    0a 23 d7 ce  14 00 00 00  0a 12 0a 06 76 61 6c 75 65 73 12 08 12 06 0a 04 00 00 80 3f
    0a 23 d7 ce  14 00 00 00  0a 12 0a 06 76 61 6c 75 65 73 12 08 12 06 0a 04 00 00 00 40
    magic        20 bytes     payload

The next frame starts after the payload and its padding to a multiple of 4, 8 + 20 bytes later. A window that
ends at byte 40 holds one whole record, and lacks 16 bytes of the next.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from amazon_estimators.errors import RecordIOError
from amazon_estimators.recordio.wire import FRAME_BYTES, LENGTH_LIMIT, MAGIC, Array, padded

WINDOW_BYTES = 1 << 21
SLACK = 16
"""Bytes after the window that may be read but never used: vector code reads a word ahead."""

File = IO[bytes] | str | os.PathLike[str]


@contextmanager
def opened(file: Any) -> Iterator[tuple[Any, str]]:
    """Open a path, or take a binary file object as it is; yield it with its name for errors."""
    if hasattr(file, "read"):
        yield file, str(getattr(file, "name", "") or "")
    else:
        with Path(file).open("rb") as handle:
            yield handle, str(file)


class Frames(NamedTuple):
    """Whole records at the start of the window: positions and lengths of their payloads."""

    starts: Array
    lengths: Array
    used: int
    """Bytes of the window that these records take."""
    missing: int
    """Bytes the window lacks for the next record; 0 if the bytes there are not a record."""
    problem: str
    """Why the bytes after them are not a record; empty if they may be one."""


class Window:
    """``data()`` holds the bytes read and not yet consumed; ``offset`` is their position in the file."""

    def __init__(self, file: Any, name: str) -> None:
        self.file, self.name = file, name
        self.offset = 0
        self.ended = False
        self._memory = np.zeros(WINDOW_BYTES + SLACK, np.uint8)
        self._start = self._stop = 0

    def data(self) -> Array:
        return self._memory[self._start : self._stop]

    def data_with_slack(self) -> Array:
        return self._memory[self._start : self._stop + SLACK]

    def consume(self, count: int) -> None:
        self._start += count
        self.offset += count

    def fill(self, missing: int) -> None:
        """Read until the window is full and holds ``missing`` more bytes than now, or the file ends."""
        rest = self._stop - self._start
        self._memory[:rest] = self.data()
        self._start, self._stop = 0, rest
        while not self.ended:
            capacity = self._memory.size - SLACK
            if self._stop == capacity:
                if capacity >= rest + missing:
                    return
                # Double by the bytes that have arrived, not by a length the file claims.
                self._memory = np.concatenate([self._memory, np.zeros(capacity, np.uint8)])
                continue
            self._stop += self._read(capacity)

    def _read(self, capacity: int) -> int:
        room = self._memory[self._stop : capacity].data
        if hasattr(self.file, "readinto"):
            count = self.file.readinto(room) or 0
        else:
            content = self.file.read(len(room)) or b""
            count = len(content)
            room[:count] = content
        self.ended = count == 0
        return int(count)

    def frames(self, at_most: int = WINDOW_BYTES) -> Frames:
        """Return the whole records in the window, or the first ``at_most`` of them."""
        data = self.data()
        # One record needs no search for the magic words of the others.
        chain = _chain(data, at_most) if at_most > 1 else np.zeros(1, np.int64)
        words = data[: data.size & ~3].data.cast("I")
        starts: list[int] = []
        lengths: list[int] = []
        at, end = int(chain[-1]), data.size
        missing, problem = 0, ""
        while at < end and len(chain) - 1 + len(starts) < at_most:
            if end - at < FRAME_BYTES:
                missing = FRAME_BYTES - (end - at)
                problem = f"{end - at} bytes after the last record" if self.ended else ""
                break
            length = words[at // 4 + 1]
            if words[at // 4] != MAGIC:
                problem = f"the magic number is 0x{words[at // 4]:08X}, not 0x{MAGIC:08X}"
                break
            if length >= LENGTH_LIMIT:
                problem = f"the continue flag is {length >> 29}: the algorithms read no records in parts"
                break
            size = FRAME_BYTES + padded(length)
            if at + size > end:
                missing = at + size - end
                if self.ended:
                    there = end - at - FRAME_BYTES
                    problem = (
                        f"truncated: {there} of {length} bytes of its payload are present"
                        if there < length
                        else f"the zero bytes that pad it to a multiple of 4 are missing ({missing})"
                    )
                break
            starts.append(at + FRAME_BYTES)
            lengths.append(length)
            at += size
        known = data[: data.size & ~3].view("<u4")[chain[:-1] // 4 + 1]
        return Frames(
            np.concatenate([chain[:-1] + FRAME_BYTES, np.array(starts, np.int64)]),
            np.concatenate([known.astype(np.int64), np.array(lengths, np.int64)]),
            at,
            missing,
            problem,
        )

    def error(self, reason: str, record: int, at: int) -> RecordIOError:
        """Return the error for the bytes at byte ``at`` of the file."""
        return RecordIOError(reason, file=self.name, record=record, offset=at)


def _chain(data: Array, at_most: int) -> Array:
    """Return where the first records start, as long as each ends at a magic word.

    The last item is the end of the last record: for the two records above ``[0, 28, 56]``. A magic word
    inside a payload only breaks the chain.
    """
    words = data[: data.size & ~3].view("<u4")
    magic = np.flatnonzero(words[:-1] == MAGIC)[: at_most + 1]
    if not magic.size or magic[0] != 0:
        return np.zeros(1, np.int64)
    lengths = words[magic + 1].astype(np.int64)
    ends = magic + FRAME_BYTES // 4 + (lengths + 3) // 4
    whole = (ends <= words.size) & (lengths < LENGTH_LIMIT)
    whole[1:] &= ends[:-1] == magic[1:]
    count = min(at_most, int(np.argmin(whole)) if not whole.all() else whole.size)
    return 4 * np.concatenate([magic[:count], ends[count - 1 : count] if count else magic[:1]])
