"""Present an S3 object as a file whose columns are fetched in windows, ahead of the reader."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import accumulate
from typing import Any, NamedTuple, cast

from amazon_estimators.storage.s3 import READS_AHEAD, InputObject, read_range

AHEAD_BYTES = 16 * 2**20
"""Bytes fetched ahead of the window that is read."""
READ_LIMIT = 8 * 2**20
"""Bytes of the largest read outside the spans. No honest file has a larger directory, for which zipfile needs
ten times as much memory."""


class Span(NamedTuple):
    """The bytes ``[start, stop)``: read front to back, fetched ``window`` bytes at a time.

    Windows that start at ``likely_end`` or later are fetched when they are asked for, and not ahead.
    """

    start: int
    stop: int
    window: int
    likely_end: int


class ColumnFile(io.RawIOBase):
    """A file with disjoint spans. Bytes outside them are read when asked for.

    The spans of a part are read side by side, and one part after the other. Memory is bounded by a window of
    each span of a part, AHEAD_BYTES and the largest single read.
    """

    def __init__(self, s3: Any, input_object: InputObject, parts: Sequence[Sequence[Span]] = ()) -> None:
        self._s3, self._input_object, self._at = s3, input_object, 0
        self._windows = _Windows(self._read, parts)

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
        data = self._windows.read(start, stop)
        if data is not None:
            return data
        if stop - start > READ_LIMIT:
            raise OSError(f"{stop - start} bytes asked for at once; allowed: {READ_LIMIT}")
        return self._read(start, stop)

    def close(self) -> None:
        self._windows.close()  # they refer to this file, which a reader may still hold: drop the bytes now
        super().close()

    def _read(self, start: int, stop: int) -> bytes:
        return read_range(self._s3, self._input_object, start, stop)


class _Window(NamedTuple):
    start: int
    stop: int
    span: Span
    part: int


class _Windows:
    """The windows of all spans. Holds those that are read, and fetches the next ones in the order of reading.

    For example, a part has two columns of three windows each: the first windows of both come first, then the
    second windows, then the third, and then the next part.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], parts: Sequence[Sequence[Span]]) -> None:
        self._fetch, self._pool = fetch, ThreadPoolExecutor(READS_AHEAD)
        self._windows = sorted(
            _Window(start, min(start + span.window, span.stop), span, part)
            for part, spans in enumerate(parts)
            for span in spans
            for start in range(span.start, span.stop, span.window)
        )
        self._starts = [window.start for window in self._windows]
        likely = [at for at, window in enumerate(self._windows) if window.start < window.span.likely_end]
        self._order = sorted(likely, key=self._turn)
        self._places = {at: place for place, at in enumerate(self._order)}
        self._held: dict[int, Future[bytes]] = {}
        sizes = (self._windows[at].stop - self._windows[at].start for at in self._order)
        self._bytes_before = list(accumulate(sizes, initial=0))
        self._part = self._next = 0

    def read(self, start: int, stop: int) -> bytes | None:
        """Return the bytes ``[start, stop)`` of a span; None if they are in none."""
        first = at = bisect_right(self._starts, start) - 1
        if at < 0 or stop > self._windows[at].span.stop:
            return None
        self._let_go(first)
        window, data = self._windows[at], self._data(at)
        if stop <= window.stop:  # not copied: a column that is read at once is as large as its window
            return cast("bytes", memoryview(data)[start - window.start : stop - window.start])
        out, done = bytearray(stop - start), start
        while done < stop:
            window, data = self._windows[at], self._data(at)
            until = min(window.stop, stop)
            out[done - start : until - start] = memoryview(data)[done - window.start : until - window.start]
            if first < at - 1:
                del self._held[at - 1]
            at, done = at + 1, until
        return cast("bytes", out)  # a page may be large: do not copy it just to change its type

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._held.clear()

    def _turn(self, at: int) -> tuple[int, int, int]:
        start, _, span, part = self._windows[at]
        return part, (start - span.start) // span.window, start

    def _data(self, at: int) -> bytes:
        if (place := self._places.get(at)) is not None:
            self._fetch_ahead(place)
        if at not in self._held:  # needed now: another thread would only make this one wait
            window = self._windows[at]
            fetched: Future[bytes] = Future()
            fetched.set_result(self._fetch(window.start, window.stop))
            self._held[at] = fetched
        return self._held[at].result()

    def _let_go(self, at: int) -> None:
        """Let go of the windows that were read before this one."""
        window = self._windows[at]
        if window.part != self._part:
            self._part = window.part
            for earlier in [held for held in self._held if self._windows[held].part < self._part]:
                self._held.pop(earlier).cancel()
        at -= 1
        while at in self._held and self._windows[at].span is window.span:
            del self._held[at]
            at -= 1

    def _fetch_ahead(self, place: int) -> None:
        """Fetch the windows after the one at ``place`` of the order."""
        self._next = max(self._next, place + 1)
        until = self._bytes_before[place] + AHEAD_BYTES
        while self._next < len(self._order) and self._bytes_before[self._next] <= until:
            at = self._order[self._next]
            if at not in self._held:
                window = self._windows[at]
                self._held[at] = self._pool.submit(self._fetch, window.start, window.stop)
            self._next += 1
