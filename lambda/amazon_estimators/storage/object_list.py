"""A list for millions of objects: keeps them compressed and opens a block at a time."""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self, overload

from amazon_estimators.storage.s3 import InputObject

BLOCK = 1_024
"""Objects per block. One block is open at a time."""
GZIP = zlib.MAX_WBITS | 16
LEVEL = 1


class ObjectList(Sequence[InputObject]):
    """The objects of one channel, in one bucket, in about 70 bytes each; a list of InputObjects takes 600.

    Reading is fastest in order. :meth:`members` returns the same content as the lines of a data set's file,
    which need not be made again.

    Example:
        >>> objects = ObjectList.of("data", "train", [InputObject("data", "a.csv", 9, "e", "v")])
        >>> objects[0].key, list(objects.sizes)
        ('a.csv', [9])
    """

    def __init__(self, bucket: str, channel: str) -> None:
        self.sizes: Sequence[int] = array("Q")
        """The bytes of each object, which are never compressed."""
        self._bucket = bucket
        self._channel = channel
        self._blocks: list[bytes] = []
        self._filling: list[str] = []
        self._picked: Sequence[int] | None = None
        self._open: tuple[int, list[dict[str, Any]]] = (-1, [])

    @classmethod
    def of(cls, bucket: str, channel: str, objects: Iterable[InputObject]) -> Self:
        """Make a list of existing objects."""
        made = cls(bucket, channel)
        for entry in objects:
            made.append(entry)
        return made

    def append(self, entry: InputObject) -> None:
        """Add an object of the list's bucket. Raises TypeError or OverflowError for an invalid size."""
        assert isinstance(self.sizes, array) and self._picked is None
        self.sizes.append(entry.size)
        row = {name: value for name, value in vars(entry).items() if name != "bucket"}
        self._filling.append(json.dumps({"channel": self._channel, **row}))
        if len(self._filling) == BLOCK:
            self._blocks.append(_member(self._filling))
            self._filling = []

    def pick(self, indexes: Iterable[int]) -> ObjectList:
        """Return the objects at these indexes as a list that shares this list's memory."""
        wanted = array("Q", indexes)
        chosen = ObjectList(self._bucket, self._channel)
        chosen.sizes = array("Q", map(self.sizes.__getitem__, wanted))
        chosen._blocks, chosen._filling = self._blocks, self._filling
        chosen._picked = wanted if self._picked is None else array("Q", map(self._picked.__getitem__, wanted))
        return chosen

    def members(self) -> Iterator[bytes]:
        """Yield gzip members with a line of JSON for each object, in order."""
        if self._picked is not None:
            yield from ObjectList.of(self._bucket, self._channel, self).members()
            return
        yield from self._blocks
        if self._filling:
            yield _member(self._filling)

    def __len__(self) -> int:
        return len(self.sizes)

    def __iter__(self) -> Iterator[InputObject]:
        return map(self._object, range(len(self)) if self._picked is None else self._picked)

    @overload
    def __getitem__(self, index: int) -> InputObject: ...
    @overload
    def __getitem__(self, index: slice) -> ObjectList: ...
    def __getitem__(self, index: int | slice) -> InputObject | ObjectList:
        if isinstance(index, slice):
            return self.pick(range(*index.indices(len(self))))
        at = range(len(self))[index]
        return self._object(at if self._picked is None else self._picked[at])

    def _object(self, at: int) -> InputObject:
        block, place = divmod(at, BLOCK)
        opened, rows = self._open
        if opened != block or place >= len(rows):
            rows = self._rows(block)
            self._open = (block, rows)
        return InputObject(bucket=self._bucket, **rows[place])

    def _rows(self, block: int) -> list[dict[str, Any]]:
        is_full = block < len(self._blocks)
        text = zlib.decompress(self._blocks[block], GZIP).decode() if is_full else "\n".join(self._filling)
        # No line holds a newline: JSON escapes it.
        rows: list[dict[str, Any]] = json.loads(f"[{text.rstrip().replace(chr(10), ',')}]")
        for row in rows:
            del row["channel"]
        return rows


def _member(lines: Sequence[str]) -> bytes:
    packer = zlib.compressobj(LEVEL, wbits=GZIP)  # its modification time is always 0: same lines, same bytes
    return packer.compress("".join(f"{line}\n" for line in lines).encode()) + packer.flush()
