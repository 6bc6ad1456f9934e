"""Check the pages of a Parquet column as their headers arrive, before memory is allocated for what they
claim."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, pairwise
from typing import Any

from amazon_estimators.errors import InputError
from amazon_estimators.sources.files.windowed_file import ColumnFile, Span
from amazon_estimators.sources.parquet import thrift
from amazon_estimators.sources.parquet.footer import Chunk
from amazon_estimators.storage.s3 import InputObject

PAGE_LIMIT = 48 * 2**20
"""Bytes of the largest page and its dictionary, decompressed: 6 million doubles. Reading needs up to three
times as much: the previous page, and this page both compressed and decompressed."""
FETCHED_TOGETHER = 2**20
"""Bytes of neighbouring columns fetched with one GET, if a window is smaller."""
HEADER_BYTES = 4096
"""Bytes of the longest header of a page of numbers; writers need 20 to 100."""
WORD_HEADER_BYTES = 5 * 4096
"""The same for words: writers put the smallest and the largest word there, up to 4 KiB each."""

# Field numbers as in parquet.thrift of apache/parquet-format.
_KIND, _UNPACKED, _PACKED = 1, 2, 3
_DATA, _DICTIONARY, _DATA_V2 = 5, 7, 8
_DATA_KIND, _DICTIONARY_KIND, _DATA_V2_KIND = 0, 2, 3
_values = thrift.struct({1: thrift.integer})
_header = thrift.struct(
    dict.fromkeys((_KIND, _UNPACKED, _PACKED), thrift.integer),
    dict.fromkeys((_DATA, _DICTIONARY, _DATA_V2), _values),
)


class LargerPage(Exception):  # noqa: N818 - not an error: reading goes on with more room for a page
    """Raised for a page that needs ``room`` bytes with its dictionary: more than was reserved."""

    def __init__(self, room: int) -> None:
        super().__init__(room)
        self.room = room


class PageFile(ColumnFile):
    """Presents an S3 object as a file of column chunks whose pages are checked before they are read.

    Args:
        s3: A client.
        input_object: The object.
        parts: The columns, each with its name in errors. Those of a part are read side by side, and the parts
            one after the other.
        window: The bytes of a column that are fetched at a time.
        room: The bytes that a page and its dictionary may take.
        share: The share of the row group's rows that will be read, from the first one on. Of the rest nothing
            is fetched ahead.
    """

    def __init__(
        self,
        s3: Any,
        input_object: InputObject,
        parts: Iterable[Iterable[tuple[str, Chunk]]],
        *,
        window: int,
        room: int,
        share: float,
    ) -> None:
        columns = [
            sorted((_Pages(where, chunk, room) for where, chunk in part), key=lambda pages: pages.start)
            for part in parts
        ]
        self._pages = sorted(chain.from_iterable(columns), key=lambda pages: pages.start)
        self._firsts = [pages.start for pages in self._pages]
        for pages, following in pairwise(self._pages):
            if pages.stop > following.start:
                raise ValueError(f"columns overlap at byte {following.start}")
        super().__init__(s3, input_object, [_spans(part, window, share) for part in columns])

    def read(self, size: int = -1) -> bytes:
        at = self.tell()
        number = bisect_right(self._firsts, at) - 1
        if number < 0 or size < 0 or at + size > self._pages[number].stop:
            raise OSError(f"{size} bytes from byte {at} are in no column")
        data = super().read(size)
        self._pages[number].pass_by(at, data, self.read_at)
        return data


class _Pages:
    """The pages of one column."""

    def __init__(self, where: str, chunk: Chunk, room: int) -> None:
        self._where, self._chunk, self._room = where, chunk, room
        self.start, self.stop = chunk.start, chunk.stop
        self._next = chunk.start
        self._header_bytes = WORD_HEADER_BYTES if chunk.holds_words else HEADER_BYTES
        self._dictionary = 0

    def likely_end(self, share: float) -> int:
        """Return the byte up to which the first rows lie, ``share`` of them, if pages are alike."""
        first = self._chunk.first_page
        return first + math.ceil(share * (self.stop - first))

    def pass_by(self, at: int, data: bytes, read_at: Callable[[int, int], bytes]) -> None:
        """Check every page whose header begins in ``data``, which starts at byte ``at``."""
        while self._next < at + len(data):
            start, stop = self._next, min(self._next + self._header_bytes, self.stop)
            whole = at <= start and stop <= at + len(data)
            header = bytes(data[start - at : stop - at]) if whole else bytes(read_at(start, stop))
            try:
                fields, length = _header(header, 0, thrift.STRUCT)
            except IndexError as error:
                raise ValueError(f"no page begins at byte {start} of {self.stop}") from error
            self._check(fields, start + length)
            self._next = start + length + fields[_PACKED]

    def _check(self, fields: dict[int, Any], start: int) -> None:
        packed, unpacked, kind = fields[_PACKED], fields[_UNPACKED], fields[_KIND]
        room = max(packed, unpacked + self._dictionary)
        most = min(self.stop - start, unpacked * 3 // 2 + self._header_bytes)
        if not 0 <= packed <= most or not 0 <= unpacked <= self._chunk.unpacked:
            raise InputError(
                f"{self._where}: the page at byte {start} claims {packed} bytes, {unpacked} decompressed; "
                f"the column has {self.stop - start} left and {self._chunk.unpacked}",
                remedy="The file is damaged: write it again.",
            )
        if room > PAGE_LIMIT:
            raise InputError(
                f"{self._where}: the page at byte {start} takes {room} bytes with its dictionary; "
                f"allowed: {PAGE_LIMIT}",
                remedy="Pages are read whole. Write it again with smaller ones (pyarrow: data_page_size, "
                "max_rows_per_page) or smaller row groups (fastparquet: row_group_offsets).",
            )
        self._check_values(fields, kind, unpacked)
        if room > self._room * 3 // 2:
            raise LargerPage(room)
        if kind == _DICTIONARY_KIND:
            self._dictionary = unpacked

    def _check_values(self, fields: dict[int, Any], kind: int, unpacked: int) -> None:
        number = {_DATA_KIND: _DATA, _DICTIONARY_KIND: _DICTIONARY, _DATA_V2_KIND: _DATA_V2}.get(kind)
        values = 0 if number is None else fields.get(number, {}).get(1, -1)
        most = unpacked // self._chunk.width if kind == _DICTIONARY_KIND else self._chunk.rows
        if not 0 <= values <= most:
            raise InputError(
                f"{self._where}: a page claims {values} values of {most}",
                remedy="The file is damaged: write it again.",
            )


def _spans(columns: Sequence[_Pages], window: int, share: float) -> list[Span]:
    """Return the ranges to fetch: windows of large columns, and small neighbouring columns together."""
    spans: list[Span] = []
    small = False
    for column in columns:
        last_was_small, small = small, column.stop - column.start <= window
        if small and last_was_small and spans[-1].stop == column.start:
            start = spans[-1].start
            if column.stop - start <= max(window, FETCHED_TOGETHER):
                spans[-1] = Span(start, column.stop, column.stop - start, column.stop)
                continue
        spans.append(Span(column.start, column.stop, window, column.likely_end(share)))
    return spans
