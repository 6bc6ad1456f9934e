"""Read RecordIO-protobuf back as matrices, or as protobuf messages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from amazon_estimators.errors import RecordIOError
from amazon_estimators.recordio.consistency import Channel
from amazon_estimators.recordio.csr_rows import CsrParts
from amazon_estimators.recordio.framing import File, Window, opened
from amazon_estimators.recordio.protobuf_fallback import RefusedError, message
from amazon_estimators.recordio.record_blocks import read_blocks
from amazon_estimators.recordio.wire import FRAME_BYTES, Array


def read_records(file: File) -> Iterator[Any]:
    """Yield the records of a path or binary file object as ``record_pb2.Record`` messages.

    Checks only the frames, and that payloads are protobuf; :func:`check` checks the rest. Raises
    :class:`RecordIOError` for bytes that are not a record.
    """
    with opened(file) as (handle, name):
        window = Window(handle, name)
        number, missing = 0, 0
        while True:
            window.fill(missing)
            frames, data = window.frames(), window.data()
            for start, length in zip(frames.starts.tolist(), frames.lengths.tolist(), strict=True):
                try:
                    record = message(data[start : start + length].tobytes())
                except RefusedError as refused:
                    raise window.error(str(refused), number, window.offset + start - FRAME_BYTES) from None
                yield record
                number += 1
            window.consume(frames.used)
            if frames.problem:
                raise window.error(frames.problem, number, window.offset)
            if window.ended and not frames.missing:
                return
            missing = frames.missing


def read_matrix(file: File) -> tuple[Any, Array | None]:
    """Read all records of a path or binary file object as ``(features, labels)``.

    Features are an array of (records, features), float32, float64 or int32 as in the file; for sparse records
    a ``scipy.sparse.csr_matrix``, or :class:`CsrParts` if SciPy is not installed. Labels are (records,), or
    (records, values) if records carry several, or None. Non-finite numbers are read unchanged; otherwise the
    file must be one that :func:`check` accepts. Raises :class:`RecordIOError`.
    """
    with opened(file) as (handle, name):
        channel = Channel(allow_nonfinite=True)
        total = _bytes_left(handle)
        values, labels, keys, counts = (_Column(total) for _ in range(4))
        for block in read_blocks(handle, name):
            channel.admit(block, name)
            done = int(block.offsets[0]) + block.size
            values.add(block.values, done, block.kind.tensor.dtype)
            if block.kind.label_tensor:
                labels.add(block.labels, done)
            if block.kind.sparse:
                keys.add(block.keys.view(np.int64), done)
                counts.add(block.counts, done)
    if channel.kind is None:
        raise RecordIOError("it holds no record", file=name)
    label_values = labels.array() if channel.kind.label_tensor else None
    if label_values is not None and channel.label_dim > 1:
        label_values = label_values.reshape(-1, channel.label_dim)
    if not channel.kind.sparse:
        return values.array().reshape(-1, channel.feature_dim), label_values
    per_row = counts.array()
    indptr = np.zeros(len(per_row) + 1, np.int64)
    np.cumsum(per_row, out=indptr[1:])
    parts = CsrParts(values.array(), keys.array(), indptr, (len(per_row), channel.feature_dim))
    return _sparse(parts), label_values


def _sparse(parts: CsrParts) -> Any:
    try:
        from scipy.sparse import csr_matrix  # noqa: PLC0415 - optional
    except ImportError:
        return parts
    return csr_matrix((parts.data, parts.indices, parts.indptr), shape=parts.shape)


def _bytes_left(file: Any) -> int | None:
    """Return the number of bytes from the file's position to its end, or None if the file cannot tell."""
    try:
        here = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(here)
    except (AttributeError, OSError):
        return None
    return int(end - here)


class _Column:
    """An array that grows block by block; if the file size is known, it is usually allocated once."""

    def __init__(self, total: int | None) -> None:
        self.total = total
        self.used = 0
        self.memory: Array | None = None

    def add(self, items: Array, done: int, opaque: np.dtype[Any] | None = None) -> None:
        """Append ``items``, numbers or opaque runs of them; ``done`` bytes of the file have been read."""
        dtype = opaque if opaque and items.dtype.kind == "V" else items.dtype
        if self.memory is None:
            self.memory = np.empty(0, dtype)
        needed = self.used + items.size * items.itemsize // dtype.itemsize
        if needed > self.memory.size:
            # Expect as many items per byte as so far: exact if all records have the same length.
            ahead = needed if self.total is None else needed * max(0, self.total - done) // max(1, done) + 1
            grown = np.empty(needed + max(ahead, needed // 4), dtype)
            grown[: self.used] = self.memory[: self.used]
            self.memory = grown
        self.memory[self.used : needed].view(items.dtype)[:] = items
        self.used = needed

    def array(self) -> Array:
        return np.empty(0) if self.memory is None else self.memory[: self.used]
