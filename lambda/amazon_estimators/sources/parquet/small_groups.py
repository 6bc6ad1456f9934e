"""Fetch small row groups many at a time, ahead of the reader.

A GET takes as long as the transfer of a megabyte. Hugging Face and streaming writers make row groups of a
thousand rows: with one GET after the other, waiting would take most of the time.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from amazon_estimators.prefetch import ahead
from amazon_estimators.sources.parquet.footer import Chunk
from amazon_estimators.storage.s3 import READS_AHEAD, InputObject, read_range

SMALL_GROUP = 256 * 2**10
"""Bytes that transfer faster than another request: a row group as small as this is fetched whole."""
RUN_BYTES = 4 * 2**20
"""Bytes of row groups fetched with one GET; READS_AHEAD such ranges are held or being fetched."""


class GroupSpan:
    """A row group, and the bytes ``[start, stop)`` of the file that its columns span."""

    def __init__(self, group: int, chunks: Mapping[int, Chunk]) -> None:
        self.group, self.chunks = group, chunks
        self.start = min(chunk.start for chunk in chunks.values())
        self.stop = max(chunk.stop for chunk in chunks.values())
        self._used = sum(chunk.stop - chunk.start for chunk in chunks.values())

    @property
    def fetched_whole(self) -> bool:
        """True if fetching the whole span costs less than a request per column."""
        size = self.stop - self.start
        return size <= SMALL_GROUP or 2 * self._used >= size


def fetched_ahead(
    s3: Any, input_object: InputObject, spans: Iterator[GroupSpan]
) -> Iterator[tuple[GroupSpan, Any]]:
    """Yield each row group with an S3 client to read it with.

    The client answers from memory for ranges that were fetched ahead. Large row groups are not fetched ahead.
    """

    def fetch(run: Sequence[GroupSpan]) -> tuple[Sequence[GroupSpan], Any]:
        if len(run) == 1:
            return run, s3
        start, stop = run[0].start, run[-1].stop
        return run, HeldRange(s3, input_object, start, read_range(s3, input_object, start, stop))

    for run, client in ahead(fetch, _runs(spans), width=READS_AHEAD):
        for span in run:
            yield span, client


def _runs(spans: Iterator[GroupSpan]) -> Iterator[list[GroupSpan]]:
    """Yield runs of neighbouring row groups, as many as one GET fetches."""
    run: list[GroupSpan] = []
    for span in spans:
        together = (
            run
            and all(neighbour.fetched_whole for neighbour in (run[-1], span))
            and run[-1].stop <= span.start
        )
        if run and not (together and span.stop - run[0].start <= RUN_BYTES):
            yield run
            run = []
        run.append(span)
    if run:
        yield run


class HeldRange:
    """Answers GETs within one range of an object from memory, and forwards all others."""

    def __init__(self, s3: Any, input_object: InputObject, start: int, data: bytes) -> None:
        self._s3, self._input_object, self._start = s3, input_object, start
        self._data = memoryview(data)

    def get_object(self, *, Bucket: str, Key: str, Range: str, **pinned: Any) -> Any:  # noqa: N803 - as S3 names them
        """Answer like S3."""
        first, last = (int(place) - self._start for place in Range.removeprefix("bytes=").split("-"))
        if Key == self._input_object.key and first >= 0 and last < len(self._data):
            return {"Body": io.BytesIO(self._data[first : last + 1])}
        return self._s3.get_object(Bucket=Bucket, Key=Key, Range=Range, **pinned)
