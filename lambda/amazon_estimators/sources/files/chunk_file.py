"""A readable file over chunks of bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any


class ChunkFile(io.RawIOBase):
    """Reads once, front to back. A read returns bytes of the current chunk only, which may be fewer than
    asked for."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if not len(self._rest):
            self._rest = memoryview(next(self._chunks, b""))
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
