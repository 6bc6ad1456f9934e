"""An S3 object as a file whose columns are fetched in windows, the next one ahead of the reader."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from amazon_estimators.s3 import InputObject, read_range

AT_ONCE = 4
READ_LIMIT = 8 * 2**20
"""Bytes of the largest read outside the spans: no directory of an honest file is larger.
zipfile makes ten times as much of one in memory."""


class ColumnFile(io.RawIOBase):
    """``spans`` are the byte ranges ``[start, stop)`` that will be read front to back, sorted and apart.

    Memory is bounded by two windows of ``window`` bytes a span. What lies in no span is read when asked for.
    """

    def __init__(
        self, s3: Any, found: InputObject, spans: Sequence[tuple[int, int]] = (), window: int = 1
    ) -> None:
        self._s3, self._found, self._at = s3, found, 0
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._starts = [start for start, _ in spans]
        self._columns = [_Column(self._read, self._pool, *span, window) for span in spans]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._found.size}[whence]
        if base + offset < 0:
            raise OSError(f"byte {base + offset} is before the file's start")
        self._at = base + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        stop = self._found.size if size < 0 else min(self._at + size, self._found.size)
        column = bisect_right(self._starts, self._at) - 1
        if column >= 0 and stop <= self._columns[column].stop:
            data = self._columns[column].read(self._at, stop)
        else:
            if stop - self._at > READ_LIMIT:
                raise OSError(f"{stop - self._at} bytes asked for at once; allowed: {READ_LIMIT}")
            data = self._read(self._at, stop)
        self._at += len(data)
        return data

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._columns.clear()  # they refer to this file, which a reader may still hold: windows go now
        super().close()

    def _read(self, start: int, stop: int) -> bytes:
        return read_range(self._s3, self._found, start, stop)


class _Column:
    """One span, of which a window is held and the next one is on its way."""

    def __init__(
        self, read: Callable[[int, int], bytes], pool: ThreadPoolExecutor, start: int, stop: int, window: int
    ) -> None:
        self._fetch, self._pool, self._window = read, pool, window
        self.start, self.stop = start, stop
        self._held = b""
        self._held_at = start
        self._following: Future[bytes] = pool.submit(read, start, min(start + window, stop))

    def read(self, start: int, stop: int) -> bytes:
        if start < self._held_at:
            return self._fetch(start, stop)
        while (end := self._held_at + len(self._held)) < stop:
            fetched = self._following.result()
            following = end + len(fetched)
            if following < self.stop:
                self._following = self._pool.submit(
                    self._fetch, following, min(following + self._window, self.stop)
                )
            else:
                self._following = Future()  # lets go of the last window
            keep = self._held[start - self._held_at :] if start < end else b""
            self._held, self._held_at = keep + fetched, end - len(keep)
        return self._held[start - self._held_at : stop - self._held_at]
