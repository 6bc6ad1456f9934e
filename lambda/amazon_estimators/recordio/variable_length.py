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
    Array,
    Tensor,
    at_bytes,
    put_varints,
    segments,
    tensor_prefix,
    varint,
    varint_sizes,
)


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


class _Lengths:
    """Lengths, in bytes, of the nested parts of each record, innermost first."""

    def __init__(self, rows: Rows) -> None:
        self.value_sizes, self.value_bytes = _packed(rows.values, rows.counts, rows.tensor.width)
        tensor = _field(self.value_bytes)
        self.shape = b""
        if rows.keys is not None:
            self.key_sizes, self.key_bytes = _packed(rows.keys, rows.counts, 0)
            packed = varint(rows.columns)
            self.shape = SHAPE_TAG + varint(len(packed)) + packed
            tensor = tensor + _field(self.key_bytes) + len(self.shape)
        self.tensor = tensor
        self.value = 1 + varint_sizes(tensor) + tensor
        self.entry = len(KEY) + 1 + varint_sizes(self.value) + self.value
        self.payload = 1 + varint_sizes(self.entry) + self.entry
        if rows.labels is not None and rows.label_tensor is not None:
            width = rows.label_tensor.width
            self.label_bytes = varint_sizes(rows.labels) if not width else np.full(rows.labels.shape, width)
            # A label and all lengths around it are below 128, so its prefix has a fixed size.
            self.payload = (
                self.payload + len(tensor_prefix(LABEL_TAG, rows.label_tensor, 1)) + self.label_bytes
            )


def _packed(values: Array, counts: Array, width: int) -> tuple[Array, Array]:
    """Return the size of each value (empty for fixed widths) and of each row's packed bytes."""
    if width:
        return counts[:0], counts * width
    sizes = varint_sizes(values)
    total = np.zeros(len(values) + 1, np.int64)
    np.cumsum(sizes, out=total[1:])
    stops = np.cumsum(counts)
    return sizes, total[stops] - total[stops - counts]


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
    out = np.zeros(int(stops[-1]), np.uint8)
    place = _put_head(out, stops - sizes, rows.tensor, lengths)
    place = _put_values(
        out,
        place,
        rows.values,
        rows.counts,
        width=rows.tensor.width,
        sizes=lengths.value_sizes,
        packed=lengths.value_bytes,
    )
    if rows.keys is not None:
        place = _put_prefix(out, place, KEYS_TAG, lengths.key_bytes)
        place = _put_values(
            out, place, rows.keys, rows.counts, width=0, sizes=lengths.key_sizes, packed=lengths.key_bytes
        )
        _put_constant(out, place, lengths.shape)
        place = place + len(lengths.shape)
    if rows.labels is not None and rows.label_tensor is not None:
        _put_labels(out, place, rows.labels, rows.label_tensor, lengths.label_bytes)
    return out.data


def _put_constant(out: Array, places: Array, content: bytes) -> None:
    at_bytes(out, f"V{len(content)}")[places] = np.frombuffer(content, f"V{len(content)}")


def _put_head(out: Array, starts: Array, tensor: Tensor, lengths: _Lengths) -> Array:
    """Write frame headers and nested prefixes up to the packed values; return the positions of the values."""
    widths = [varint_sizes(part) for part in (lengths.entry, lengths.value, lengths.tensor)]
    filled = lengths.value_bytes > 0
    widths.append(np.where(filled, varint_sizes(lengths.value_bytes), 0))
    # Rows whose four lengths take the same numbers of bytes share a head layout: there are a handful.
    kind = widths[0] + 8 * widths[1] + 64 * widths[2] + 512 * widths[3]
    places = np.empty_like(starts)
    for code in np.flatnonzero(np.bincount(kind)):
        rows = np.flatnonzero(kind == code)
        entry, value, inner, packed = (int(code) >> shift & 7 for shift in (0, 3, 6, 9))
        parts: list[Array | bytes] = [
            MAGIC_BYTES, _le32(lengths.payload[rows]),
            FEATURES_TAG, _varint_columns(lengths.entry[rows], entry), KEY,
            VALUE_TAG, _varint_columns(lengths.value[rows], value),
            tensor.tag, _varint_columns(lengths.tensor[rows], inner),
        ]  # fmt: skip
        if packed:
            parts += [VALUES_TAG, _varint_columns(lengths.value_bytes[rows], packed)]
        places[rows] = starts[rows] + _put_rows(out, starts[rows], parts)
    return places


def _put_rows(out: Array, starts: Array, parts: list[Array | bytes]) -> int:
    """Write parts (constant bytes, or a uint8 matrix with a row for each start); return their width."""
    width = sum(len(part) if isinstance(part, bytes) else part.shape[1] for part in parts)
    block = np.empty((len(starts), width), np.uint8)
    column = 0
    for part in parts:
        columns = np.frombuffer(part, np.uint8) if isinstance(part, bytes) else part
        block[:, column : column + columns.shape[-1]] = columns
        column += columns.shape[-1]
    at_bytes(out, f"V{width}")[starts] = block.view(f"V{width}")[:, 0]
    return width


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
    after = places.copy()
    sizes = np.where(length > 0, varint_sizes(length), 0)
    for size in np.flatnonzero(np.bincount(sizes)):
        if size:
            rows = np.flatnonzero(sizes == size)
            after[rows] += _put_rows(out, places[rows], [tag, _varint_columns(length[rows], int(size))])
    return after


def _put_values(
    out: Array, places: Array, values: Array, counts: Array, *, width: int, sizes: Array, packed: Array
) -> Array:
    """Write each row's packed values at its position; return the positions after them."""
    if width:
        at_bytes(out, f"V{width}")[segments(places, counts, width)] = values.view(f"V{width}")
    elif values.size:
        inside = np.cumsum(sizes) - sizes
        inside += np.repeat(places - (np.cumsum(packed) - packed), counts)
        put_varints(out, inside, values, sizes)
    return places + packed


def _put_labels(out: Array, places: Array, labels: Array, tensor: Tensor, sizes: Array) -> None:
    for size in np.flatnonzero(np.bincount(sizes)):
        rows = np.flatnonzero(sizes == size)
        prefix = tensor_prefix(LABEL_TAG, tensor, int(size))
        _put_constant(out, places[rows], prefix)
        content = places[rows] + len(prefix)
        if tensor.width:
            at_bytes(out, f"V{size}")[content] = np.ascontiguousarray(labels[rows]).view(f"V{size}")
        else:
            put_varints(out, content, labels[rows], sizes[rows])
