"""Read files as blocks of records in columns, for both reader and checker.

There are three ways from bytes to columns, fastest first:

1. records that repeat the constant bytes of the previous one: their values are a column of a table;
2. records in the layout that the SageMaker Python SDK and this library write: parsed all at once;
3. records in any other protobuf layout (fields reordered, values unpacked, metadata): parsed by protobuf.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import numpy as np

from amazon_estimators.recordio.framing import WINDOW_BYTES, Frames, Window
from amazon_estimators.recordio.known_layout import Layout, parse_layout
from amazon_estimators.recordio.protobuf_fallback import Foreign, RefusedError, parse_foreign
from amazon_estimators.recordio.wire import (
    FRAME_BYTES,
    TENSORS,
    Array,
    Tensor,
    at_bytes,
    decode_varints,
    padded,
    runs_of,
)

_BY_TAG = {tensor.tag[0]: tensor for tensor in TENSORS}


class Kind(NamedTuple):
    """The properties that all records of a channel share."""

    tensor: Tensor
    sparse: bool
    label_tensor: Tensor | None


@dataclass(frozen=True)
class Block:
    """Consecutive records of one kind. Values, keys and labels of all records are concatenated.

    ``counts``, ``shapes``, ``key_counts`` and ``label_counts`` have one item per record, or a single one if
    all records are alike.
    """

    kind: Kind
    number: int
    """Number of the first record in its file."""
    offsets: Array | range
    """The position of each record in its file."""
    size: int
    """Bytes of all its records, including frames and padding."""
    counts: Array
    values: Array
    """In the tensor's dtype, or as one opaque item per record: see :meth:`flat_values`."""
    shapes: Array
    """Number of features according to the shape; -1 without shape."""
    key_counts: Array
    keys: Array
    label_counts: Array
    labels: Array

    def flat_values(self) -> Array:
        """Return the values, contiguous."""
        if self.values.dtype.kind != "V":
            return self.values
        return self.values.copy().view(self.kind.tensor.dtype)


def read_blocks(file: Any, name: str) -> Iterator[Block]:
    """Yield the records of a binary file object. A block is valid only until the next one is read.

    Raises :class:`amazon_estimators.errors.RecordIOError` for bytes that are not a record, after yielding the
    blocks before them.
    """
    window = Window(file, name)
    number, missing = 0, 0
    table: _Table | None = None
    while True:
        window.fill(missing)
        if table:
            for block in table.match(window, number):
                yield block
                number += len(block.offsets)
                window.consume(block.size)
            # What is left is mostly the start of one more such record, so read on.
            missing = table.size - window.data().size
            if missing > 0 and not window.ended:
                continue
        # The first record shows whether the others can be read as a table.
        frames = window.frames(at_most=1) if number == 0 else window.frames()
        yield from _parse(window, frames, number)
        if len(frames.starts):
            table = _Table.like_last(window, frames)
        number += len(frames.starts)
        window.consume(frames.used)
        if frames.problem:
            raise window.error(frames.problem, number, window.offset)
        if window.ended and not window.data().size:
            return
        missing = frames.missing


def _parse(window: Window, frames: Frames, number: int) -> Iterator[Block]:
    """Yield the records of ``frames`` as runs of one kind."""
    if not len(frames.starts):
        return
    memory = window.data_with_slack()
    layout = parse_layout(memory, frames.starts, frames.lengths)
    code = layout.tag << 16 | layout.label_tag << 8 | ((layout.keys_bytes > 0) | (layout.values_bytes == 0))
    code[~layout.good] = -1
    edges = [0, *(np.flatnonzero(np.diff(code)) + 1).tolist(), len(code)]
    offsets = window.offset + frames.starts - FRAME_BYTES
    for start, stop in pairwise(edges):
        run = slice(start, stop)
        block = None
        if code[start] >= 0:
            block = _from_layout(
                memory, layout, run, lengths=frames.lengths[run], number=number + start, offsets=offsets[run]
            )
        if block:
            yield block
        else:
            yield from _from_foreign(window, frames, run, number + start, offsets[run])


def _from_layout(
    memory: Array, layout: Layout, run: slice, *, lengths: Array, number: int, offsets: Array
) -> Block | None:
    """Return a run of records of the known layout; None if a varint in it is too long."""
    tensor = _BY_TAG[int(layout.tag[run.start])]
    label_tensor = _BY_TAG.get(int(layout.label_tag[run.start]))
    values = _packed(memory, layout.values_at[run], layout.values_bytes[run], tensor)
    keys = _varints(memory, layout.keys_at[run], layout.keys_bytes[run])
    labels = _packed(memory, layout.label_at[run], layout.label_bytes[run], label_tensor or tensor)
    if not (values and keys and labels):
        return None
    sparse = bool(layout.keys_bytes[run.start] or not layout.values_bytes[run.start])
    kind = Kind(tensor, sparse, label_tensor)
    size = _size(lengths)
    return Block(
        kind,
        number,
        offsets,
        size,
        values[1],
        values[0],
        layout.shape[run],
        keys[1],
        keys[0],
        labels[1],
        labels[0],
    )


def _packed(memory: Array, at: Array, length: Array, tensor: Tensor) -> tuple[Array, Array] | None:
    """Return packed values of many records and their number in each; None if a varint among them is too
    long."""
    if not tensor.width:
        varints = _varints(memory, at, length)
        return varints and (varints[0].astype(np.uint32).view(np.int32), varints[1])
    counts = length // tensor.width
    first = int(length[0])
    if first and (length == first).all():
        return at_bytes(memory, f"V{first}")[at].view(tensor.dtype), counts
    return runs_of(memory, at, length).view(tensor.dtype), counts


def _varints(memory: Array, at: Array, length: Array) -> tuple[Array, Array] | None:
    stream = runs_of(memory, at, length)
    decoded = decode_varints(stream)
    if decoded is None:
        return None
    values, ends = decoded
    return values, np.diff(np.searchsorted(ends, np.concatenate([[0], np.cumsum(length)])))


def _from_foreign(window: Window, frames: Frames, run: slice, number: int, offsets: Array) -> Iterator[Block]:
    data = window.data()

    def parsed() -> Iterator[tuple[int, Foreign]]:
        for index, row in enumerate(range(run.start, run.stop)):
            start = int(frames.starts[row])
            try:
                yield index, parse_foreign(data[start : start + int(frames.lengths[row])].tobytes())
            except RefusedError as refused:
                raise window.error(str(refused), number + index, int(offsets[index])) from None

    def kind(item: tuple[int, Foreign]) -> Kind:
        record = item[1]
        return Kind(record.tensor, bool(record.keys.size or not record.values.size), record.label_tensor)

    for same, group in groupby(parsed(), kind):
        indices, records = zip(*group, strict=True)
        yield Block(
            same,
            number + indices[0],
            offsets[list(indices)],
            _size(frames.lengths[run][list(indices)]),
            np.array([record.values.size for record in records]),
            np.concatenate([record.values for record in records]),
            np.array([record.features for record in records], np.int64),
            np.array([record.keys.size for record in records]),
            np.concatenate([record.keys for record in records]),
            np.array([record.labels.size for record in records]),
            np.concatenate([record.labels for record in records]),
        )


def _size(lengths: Array) -> int:
    return int((FRAME_BYTES + ((lengths + 3) & ~3)).sum())


class _Table:
    """Dense float records like one already read: of the same size, with the same bytes except for the
    values."""

    def __init__(self, record: Array, layout: Layout, payload: int) -> None:
        self.tensor = _BY_TAG[int(layout.tag[0])]
        self.label_tensor = _BY_TAG.get(int(layout.label_tag[0]))
        # One item is valid for all records.
        self.counts = layout.values_bytes // self.tensor.width
        self.shapes = layout.shape
        self.key_counts, self.keys = np.zeros(1, np.int64), np.zeros(0, np.uint64)
        self.label_counts = layout.label_bytes // (self.label_tensor or self.tensor).width
        self.label_dtype = (self.label_tensor or self.tensor).dtype
        self.no_labels = np.zeros(0, self.label_dtype)
        self.size = record.size
        self.values = slice(int(layout.values_at[0]), int(layout.values_at[0] + layout.values_bytes[0]))
        self.labels = slice(int(layout.label_at[0]), int(layout.label_at[0] + layout.label_bytes[0]))
        # All bytes except values and padding, as they repeat from record to record in a full window.
        edges = [0, self.values.start, self.values.stop, FRAME_BYTES + payload]
        if self.label_tensor:
            edges[3:] = [self.labels.start, self.labels.stop, FRAME_BYTES + payload]
        parts = (slice(*pair) for pair in zip(edges[::2], edges[1::2], strict=True))
        rows = max(1, WINDOW_BYTES // record.size)
        self.constant = [(part, np.tile(record[part], rows)) for part in parts if part.start < part.stop]
        self.rows = rows

    @classmethod
    def like_last(cls, window: Window, frames: Frames) -> _Table | None:
        """Return the table that starts with the last of ``frames``, if such records can form one."""
        start, length = int(frames.starts[-1]), int(frames.lengths[-1])
        memory = window.data_with_slack()[start - FRAME_BYTES :]
        layout = parse_layout(memory, np.array([FRAME_BYTES]), np.array([length]))
        tensors = [_BY_TAG.get(int(tag[0])) for tag in (layout.tag, layout.label_tag)]
        dense = layout.good[0] and layout.values_bytes[0] and not layout.keys_bytes[0]
        if not dense or any(tensor and not tensor.width for tensor in tensors):
            return None
        return cls(memory[: FRAME_BYTES + padded(length)].copy(), layout, length)

    def match(self, window: Window, number: int) -> Iterator[Block]:
        """Yield the records at the start of the window that belong to the table: one block or none."""
        data = window.data()
        rows = min(self.rows, data.size // self.size)
        for part, expected in self.constant:
            if not rows:
                return
            actual = self._column(data, rows, part).copy().view(np.uint8)
            same = actual == expected[: actual.size]
            if not same.all():
                rows = int(np.argmin(same)) // (part.stop - part.start)
        if not rows:
            return
        start = window.offset
        yield Block(
            kind=Kind(self.tensor, False, self.label_tensor),
            number=number,
            offsets=range(start, start + rows * self.size, self.size),
            size=rows * self.size,
            counts=self.counts,
            values=self._column(data, rows, self.values),
            shapes=self.shapes,
            key_counts=self.key_counts,
            keys=self.keys,
            label_counts=self.label_counts,
            labels=self._column(data, rows, self.labels).copy().view(self.label_dtype)
            if self.label_tensor
            else self.no_labels,
        )

    def _column(self, data: Array, rows: int, part: slice) -> Array:
        """Return the bytes at ``part`` of each record, as one opaque item per record."""
        return np.ndarray((rows,), f"V{part.stop - part.start}", data, part.start, (self.size,))
