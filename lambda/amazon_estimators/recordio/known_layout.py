"""Parse records in the layout of the SageMaker Python SDK all at once: one step per field, not per record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amazon_estimators.recordio.wire import KEY, Array, at_bytes

_KEY_WORD = int.from_bytes(KEY, "little")


class _Cursor:
    """A position in each of many records, moved field by field. Rows of another layout are marked, not
    raised."""

    def __init__(self, memory: Array, positions: Array) -> None:
        self.words = at_bytes(memory, "<u8")
        self.at = positions
        self.good = np.ones(len(positions), bool)

    def _word(self) -> Array:
        return self.words[np.minimum(self.at, len(self.words) - 1)]

    def byte(self) -> Array:
        """The byte at each position, without moving."""
        return (self._word() & np.uint64(0xFF)).astype(np.int64)

    def expect(self, tag: int, where: Array | None = None) -> None:
        """Move over a byte that must be ``tag``, in the rows of ``where`` or in all."""
        same = self.byte() == tag
        self.good &= same if where is None else same | ~where
        self.at = self.at + (1 if where is None else where)

    def expect_key(self) -> None:
        self.good &= self._word() == np.uint64(_KEY_WORD)
        self.at = self.at + len(KEY)

    def varint(self, where: Array | None = None) -> Array:
        """Move over a varint of at most 8 bytes and return it; 0 in rows outside ``where``."""
        word = self._word()
        value = (word & np.uint64(0x7F)).astype(np.int64)
        more = (word & np.uint64(0x80)) != 0
        size = np.ones(len(value), np.int64)
        index = 1
        while index < 8 and more.any():
            word = word >> np.uint64(8)
            value |= np.where(more, (word & np.uint64(0x7F)).astype(np.int64) << (7 * index), 0)
            size += more
            more &= (word & np.uint64(0x80)) != 0
            index += 1
        if where is not None:
            value, size, more = value * where, size * where, more & where
        self.good &= ~more
        self.at = self.at + size
        return value

    def skip(self, lengths: Array, ends: Array) -> Array:
        """Move over ``lengths`` bytes, which must not pass ``ends``; return their start."""
        start = self.at
        self.good &= lengths <= ends - start
        self.at = start + lengths
        return start

    def arrive(self, ends: Array, where: Array | None = None) -> None:
        there = self.at == ends
        self.good &= there if where is None else there | ~where


@dataclass
class Layout:
    """Byte positions and lengths of each record's parts in the parsed memory, each of shape (records,)."""

    good: Array
    """False if the record has another layout; then the rest of its row is meaningless."""
    tag: Array
    values_at: Array
    values_bytes: Array
    keys_at: Array
    keys_bytes: Array
    shape: Array
    """The single number in the shape; -1 without shape."""
    label_tag: Array
    """Length of the label; 0 without label."""
    label_at: Array
    label_bytes: Array


def parse_layout(memory: Array, starts: Array, lengths: Array) -> Layout:
    """Parse payloads at ``starts``; ``memory`` extends at least 8 bytes beyond the last of them."""
    stops = starts + lengths
    cursor = _Cursor(memory, starts)
    tag, values_at, values_bytes, ends = _head(cursor, 0x0A, stops)
    has_keys = cursor.good & (cursor.at < ends) & (cursor.byte() == 0x12)
    cursor.expect(0x12, has_keys)
    keys_bytes = cursor.varint(has_keys)
    keys_at = cursor.skip(keys_bytes, ends)
    has_shape = cursor.good & (cursor.at < ends)
    cursor.expect(0x1A, has_shape)
    shape_bytes = cursor.varint(has_shape)
    shape_ends = cursor.at + shape_bytes
    shape = cursor.varint(has_shape)
    cursor.arrive(shape_ends)
    cursor.arrive(ends)
    labelled = cursor.good & (ends < stops)
    label_tag = np.zeros(len(starts), np.int64)
    label_at, label_bytes = label_tag.copy(), label_tag.copy()
    rows = np.flatnonzero(labelled)
    if rows.size:
        inner = _Cursor(memory, ends[rows])
        label_tag[rows], label_at[rows], label_bytes[rows], label_ends = _head(inner, 0x12, stops[rows])
        inner.arrive(label_ends)
        inner.arrive(stops[rows])
        inner.good &= label_bytes[rows] > 0
        cursor.good[rows] &= inner.good
    good = cursor.good & ((values_bytes > 0) | has_shape)
    good &= _whole(memory, tag, values_at, values_bytes) & _whole(memory, label_tag, label_at, label_bytes)
    good &= (keys_bytes == 0) | (memory[np.where(good, keys_at + keys_bytes - 1, 0)] < 0x80)
    return Layout(
        good, tag, values_at, values_bytes, keys_at, keys_bytes, np.where(has_shape, shape, -1),
        label_tag, label_at, label_bytes,
    )  # fmt: skip


def _head(cursor: _Cursor, map_tag: int, stops: Array) -> tuple[Array, Array, Array, Array]:
    """Parse a map entry to the end of its values: tensor tag, position and length of values, tensor's end."""
    cursor.expect(map_tag)
    length = cursor.varint()
    ends = cursor.at + length
    cursor.good &= length <= stops - cursor.at
    cursor.expect_key()
    cursor.expect(0x12)
    length = cursor.varint()
    cursor.good &= length == ends - cursor.at
    tag = cursor.byte()
    cursor.good &= (tag == 0x12) | (tag == 0x1A) | (tag == 0x3A)
    cursor.at = cursor.at + 1
    length = cursor.varint()
    cursor.good &= length == ends - cursor.at
    filled = (cursor.at < ends) & (cursor.byte() == 0x0A)
    cursor.expect(0x0A, filled)
    length = cursor.varint(filled)
    return tag, cursor.skip(length, ends), length, ends


def _whole(memory: Array, tag: Array, at: Array, length: Array) -> Array:
    """Return True if packed values are complete: whole varints, or a multiple of 4 or 8 bytes."""
    last = memory[np.clip(at + length - 1, 0, memory.size - 1)] < 0x80
    whole: Array = np.where(tag == 0x3A, last | (length == 0), length % np.where(tag == 0x1A, 8, 4) == 0)
    return whole
