"""Encode blocks of rows whose records differ in length, without a Python loop over rows.

Sparse rows, integer values and integer labels make records whose length depends on their content. The module
computes the lengths from the inside out, positions each record, and writes each part of all records at once.

For example, sparse rows of 400 columns, {0: 1.0, 300: 2.0} and {5: 3.0}, as float32::

    row  values  keys            shape   tensor      value   map entry  payload  padded, with frame
    0    8       1 + 2 (varint)  1a 02…  10 + 5 + 4  19 + 2  21 + 10    31 + 2   8 + 36 = 44
    1    4       1               1a 02…   6 + 3 + 4  13 + 2  15 + 10    25 + 2   8 + 28 = 36

So the records start at bytes 0 and 44 of 80. A part such as ``values`` of 8 bytes takes 10 with tag and
length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amazon_estimators.recordio.values import check_length
from amazon_estimators.recordio.wire import (
    FEATURES_TAG,
    FRAME_BYTES,
    KEY,
    KEYS_TAG,
    LABEL_TAG,
    LENGTH_LIMIT,
    MAGIC_BYTES,
    SHAPE_TAG,
    VALUE_TAG,
    VALUES_TAG,
    VARINT_LIMIT,
    Array,
    Tensor,
    at_bytes,
    copy_runs,
    put_varints,
    tensor_prefix,
    varint,
    varint_sizes,
)

WIDTH_SHIFTS = (0, 3, 6, 9)
"""The bits at which a code holds the sizes of a record's four lengths, each below 8."""


@dataclass(frozen=True)
class Rows:
    """Consecutive rows: ``counts[i]`` of ``values`` (and of ``keys``, if sparse) belong to row ``i``."""

    tensor: Tensor
    counts: Array
    values: Array
    keys: Array | None = None
    columns: int = 0
    """Written as the shape of sparse rows; dense rows have none."""
    label_tensor: Tensor | None = None
    labels: Array | None = None


class _Packed:
    """The packed values or keys of all rows: ``length[i]`` bytes are row ``i``'s."""

    def __init__(self, values: Array, counts: Array, width: int) -> None:
        self.values, self.counts, self.width = values, counts, width
        stops = np.cumsum(counts)
        if width:
            self.length: Array = counts * width
            self.starts: Array = stops * width - self.length
        else:
            edges = np.zeros(len(values) + 1, np.int64)
            np.cumsum(varint_sizes(values), out=edges[1:])
            self.positions = edges[:-1]
            self.starts = edges[stops - counts]
            self.length = edges[stops] - self.starts

    def put(self, out: Array, places: Array) -> Array:
        """Write each row's bytes at its place; return the positions after them."""
        if self.width:
            copy_runs(out, places, self.values.view(np.uint8), self.starts, self.length)
        else:
            positions = self.positions + np.repeat(places - self.starts, self.counts)
            put_varints(out, positions, self.values)
        return places + self.length


class _Lengths:
    """Lengths, in bytes, of the nested parts of each record, innermost first."""

    def __init__(self, rows: Rows) -> None:
        self.values = _Packed(rows.values, rows.counts, rows.tensor.width)
        tensor = values = _field(self.values.length)
        self.shape = b""
        if rows.keys is not None:
            self.keys = _Packed(rows.keys, rows.counts, 0)
            packed = varint(rows.columns)
            self.shape = SHAPE_TAG + varint(len(packed)) + packed
            tensor = tensor + _field(self.keys.length) + len(self.shape)
        self.tensor = tensor
        tensor_width = varint_sizes(tensor)
        self.value = 1 + tensor_width + tensor
        value_width = varint_sizes(self.value)
        self.entry = len(KEY) + 1 + value_width + self.value
        entry_width = varint_sizes(self.entry)
        self.payload = 1 + entry_width + self.entry
        self.widths = entry_width, value_width, tensor_width, np.maximum(values - self.values.length - 1, 0)
        """Sizes of the lengths of entry, value, tensor and values; 0 for values that are not written."""
        self.head = FRAME_BYTES + self.payload - tensor + values - self.values.length
        if rows.labels is not None and rows.label_tensor is not None:
            width = rows.label_tensor.width
            self.label_bytes = varint_sizes(rows.labels) if not width else np.full(rows.labels.shape, width)
            # A label and all lengths around it are below 128, so its prefix has a fixed size.
            self.payload = (
                self.payload + len(tensor_prefix(LABEL_TAG, rows.label_tensor, 1)) + self.label_bytes
            )


def _field(length: Array) -> Array:
    """Return the size of a packed field with ``length`` bytes of content; an empty field is not written."""
    return np.where(length > 0, 1 + varint_sizes(length) + length, 0)


def check_lengths(rows: Rows, first_row: int) -> None:
    """Raise :class:`amazon_estimators.errors.InputError` for the first row whose record would be too long."""
    payload = _Lengths(rows).payload
    index = int(np.argmax(payload >= LENGTH_LIMIT)) if len(payload) else 0
    if len(payload):
        check_length(first_row + index, int(payload[index]))


def encode(rows: Rows, first_row: int) -> memoryview:
    """Return the records of ``rows``. ``first_row`` is the number of the first row, for errors."""
    lengths = _Lengths(rows)
    sizes = FRAME_BYTES + ((lengths.payload + 3) & ~3)
    too_long = np.flatnonzero(lengths.payload >= LENGTH_LIMIT)
    if too_long.size:
        check_length(first_row + int(too_long[0]), int(lengths.payload[too_long[0]]))
    stops = np.cumsum(sizes)
    starts = stops - sizes
    out = np.zeros(int(stops[-1]) + VARINT_LIMIT, np.uint8)
    # From values to labels, and heads last: what follows varints is written after them, see put_varints.
    place = lengths.values.put(out, starts + lengths.head)
    if rows.keys is not None:
        place = _put_prefix(out, place, KEYS_TAG, lengths.keys.length)
        place = lengths.keys.put(out, place)
        _put_constant(out, place, lengths.shape)
        place = place + len(lengths.shape)
    if rows.labels is not None and rows.label_tensor is not None:
        _put_labels(out, place, rows.labels, rows.label_tensor, lengths.label_bytes)
    _put_head(out, starts, rows.tensor, lengths)
    return out[:-VARINT_LIMIT].data


def _put_constant(out: Array, places: Array, content: bytes) -> None:
    at_bytes(out, f"V{len(content)}")[places] = np.frombuffer(content, f"V{len(content)}")


def _put_head(out: Array, starts: Array, tensor: Tensor, lengths: _Lengths) -> None:
    """Write frame headers and nested prefixes up to the packed values."""
    # Rows whose four lengths take the same numbers of bytes share a head layout: there are a handful.
    kind = sum(width << shift for width, shift in zip(lengths.widths, WIDTH_SHIFTS, strict=True))
    for code in np.flatnonzero(np.bincount(kind)):
        rows = np.flatnonzero(kind == code)
        entry, value, inner, packed = (int(code) >> shift & 7 for shift in WIDTH_SHIFTS)
        parts: list[Array | bytes] = [
            MAGIC_BYTES, _le32(lengths.payload[rows]),
            FEATURES_TAG, _varint_columns(lengths.entry[rows], entry), KEY,
            VALUE_TAG, _varint_columns(lengths.value[rows], value),
            tensor.tag, _varint_columns(lengths.tensor[rows], inner),
        ]  # fmt: skip
        if packed:
            parts += [VALUES_TAG, _varint_columns(lengths.values.length[rows], packed)]
        _put_rows(out, starts[rows], parts)


def _put_rows(out: Array, starts: Array, parts: list[Array | bytes]) -> None:
    """Write parts: constant bytes, or a uint8 matrix with a row for each start."""
    constant = b"".join(part if isinstance(part, bytes) else bytes(part.shape[1]) for part in parts)
    block = np.full(len(starts), np.frombuffer(constant, f"V{len(constant)}"))
    column = 0
    for part in parts:
        if isinstance(part, bytes):
            column += len(part)
            continue
        item = f"V{part.shape[1]}"
        np.ndarray(block.shape, item, block, column, block.strides)[:] = part.view(item)[:, 0]
        column += part.shape[1]
    at_bytes(out, block.dtype)[starts] = block


def _le32(values: Array) -> Array:
    return values.astype("<u4").view(np.uint8).reshape(-1, 4)


def _varint_columns(values: Array, width: int) -> Array:
    """Return ``values``, each ``width`` bytes long as a varint, as a matrix of their bytes."""
    columns = np.empty((len(values), width), np.uint8)
    for index in range(width):
        more = 0x80 if index < width - 1 else 0
        columns[:, index] = values >> (7 * index) & 0x7F | more
    return columns


def _put_prefix(out: Array, places: Array, tag: bytes, length: Array) -> Array:
    """Write tag and length of a packed field unless it is empty; return the position of its content."""
    filled = np.flatnonzero(length)
    out[places[filled]] = tag[0]
    put_varints(out, places[filled] + 1, length[filled])
    return places + _field(length) - length


def _put_labels(out: Array, places: Array, labels: Array, tensor: Tensor, sizes: Array) -> None:
    if tensor.width:
        prefix = tensor_prefix(LABEL_TAG, tensor, tensor.width)
        _put_constant(out, places, prefix)
        at_bytes(out, f"V{tensor.width}")[places + len(prefix)] = labels.view(f"V{tensor.width}")
        return
    for size in np.flatnonzero(np.bincount(sizes)):
        rows = np.flatnonzero(sizes == size)
        prefix = tensor_prefix(LABEL_TAG, tensor, int(size))
        _put_constant(out, places[rows], prefix)
        content = places[rows] + len(prefix)
        put_varints(out, content, labels[rows])
