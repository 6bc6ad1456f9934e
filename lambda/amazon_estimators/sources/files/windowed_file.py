"""Present an S3 object as a file whose columns are fetched in windows, one window ahead of the reader."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, cast

from amazon_estimators.storage.s3 import InputObject, read_range

AT_ONCE = 4
AT_A_TIME = 4
"""Up to this many windows are concatenated; more are copied into place, so that none is held twice."""
READ_LIMIT = 8 * 2**20
"""Bytes of the largest read outside the spans. No honest file has a larger directory, for which zipfile needs
ten times as much memory."""


class Span(NamedTuple):
    """The bytes ``[start, stop)``: read front to back, fetched ``window`` bytes at a time."""

    start: int
    stop: int
    window: int


class ColumnFile(io.RawIOBase):
    """A file with ``spans``, sorted and disjoint. Bytes outside them are read when asked for.

    Memory is bounded by two windows per span and the largest single read.
    """

    def __init__(self, s3: Any, input_object: InputObject, spans: Sequence[Span] = ()) -> None:
        self._s3, self._input_object, self._at = s3, input_object, 0
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._starts = [span.start for span in spans]
        self._columns = [_Column(self._read, self._pool, span) for span in spans]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._input_object.size}[whence]
        if base + offset < 0:
            raise OSError(f"byte {base + offset} is before the file's start")
        self._at = base + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        stop = self._input_object.size if size < 0 else min(self._at + size, self._input_object.size)
        data = self.read_at(self._at, stop)
        self._at += len(data)
        return data

    def read_at(self, start: int, stop: int) -> bytes:
        """Return the bytes ``[start, stop)``, whatever the file's position."""
        column = bisect_right(self._starts, start) - 1
        if column >= 0 and stop <= self._columns[column].stop:
            return self._columns[column].read(start, stop)
        if stop - start > READ_LIMIT:
            raise OSError(f"{stop - start} bytes asked for at once; allowed: {READ_LIMIT}")
        return self._read(start, stop)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._columns.clear()  # they refer to this file, which a reader may still hold: drop the windows now
        super().close()

    def _read(self, start: int, stop: int) -> bytes:
        return read_range(self._s3, self._input_object, start, stop)


class _Column:
    """One span: holds one window and fetches the next."""

    def __init__(self, fetch: Callable[[int, int], bytes], pool: ThreadPoolExecutor, span: Span) -> None:
        self._fetch, self._pool, self._window = fetch, pool, span.window
        self.stop = span.stop
        self._held = b""
        self._held_at = span.start
        self._following: Future[bytes] = pool.submit(
            fetch, span.start, min(span.start + span.window, span.stop)
        )

    def read(self, start: int, stop: int) -> bytes:
        if stop - start <= AT_A_TIME * self._window:
            return self._within(start, stop)
        out = bytearray(stop - start)
        for at in range(start, stop, self._window):
            following = min(at + self._window, stop)
            out[at - start : following - start] = self._within(at, following)
        return cast("bytes", out)  # a page may be large: do not copy it just to change its type

    def _within(self, start: int, stop: int) -> bytes:
        """Return bytes of a few windows."""
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
                self._following = Future()  # releases the last window
            keep = self._held[start - self._held_at :] if start < end else b""
            self._held, self._held_at = keep + fetched, end - len(keep)
        return self._held[start - self._held_at : stop - self._held_at]
