"""The bytes of a record: frame, protobuf tags, varints, and the prefix of a tensor's values.

A file is a sequence of frames: ``u32 magic, u32 length, payload, zero bytes to a multiple of 4``, little
endian. The upper three bits of the length word are MXNet's continue flag, always 0 here: the first-party
algorithms read only records of one part. A payload is one ``Record`` of ``record.proto``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MAGIC = 0xCED7230A
MAGIC_BYTES = MAGIC.to_bytes(4, "little")
FRAME_BYTES = 8
LENGTH_LIMIT = 1 << 29
"""Payloads are shorter than this many bytes: the length shares its word with the continue flag."""

KEY = b"\x0a\x06values"
"""Field 1 of a map entry: the key under which the algorithms expect features and label."""
FEATURES_TAG = b"\x0a"
LABEL_TAG = b"\x12"
VALUE_TAG = b"\x12"
VALUES_TAG = b"\x0a"
KEYS_TAG = b"\x12"
SHAPE_TAG = b"\x1a"

VARINT_LIMIT = 10
"""Bytes of the longest varint."""
RECORD_OVERHEAD = 128
"""An upper bound for the bytes of a record besides values and keys."""

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1


@dataclass(frozen=True)
class Tensor:
    """One tensor type of the protocol: its tag in ``Value`` and the dtype of its values."""

    name: str
    tag: bytes
    dtype: np.dtype[Any]
    width: int
    """Bytes per value; 0 where values are varints."""

    @property
    def read_dtype(self) -> np.dtype[Any]:
        """The dtype in which values are read. Writers keep int64, which shows values that do not fit in 32
        bits."""
        return self.dtype if self.width else np.dtype("<i4")


FLOAT32 = Tensor("float32", b"\x12", np.dtype("<f4"), 4)
FLOAT64 = Tensor("float64", b"\x1a", np.dtype("<f8"), 8)
INT32 = Tensor("int32", b"\x3a", np.dtype("<i8"), 0)
TENSORS = (FLOAT32, FLOAT64, INT32)


def padded(length: int) -> int:
    """Round ``length`` up to a multiple of 4."""
    return (length + 3) & ~3


def varint(value: int) -> bytes:
    """Return ``value`` (≥ 0) as a protobuf varint.

    Example:
        >>> varint(300).hex(" ")
        'ac 02'
    """
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tensor_prefix(map_tag: bytes, tensor: Tensor, length: int) -> bytes:
    """Return the bytes of a dense map entry before its ``length`` bytes of packed values."""
    head = VALUES_TAG + varint(length)
    head = tensor.tag + varint(len(head) + length) + head
    head = KEY + VALUE_TAG + varint(len(head) + length) + head
    return map_tag + varint(len(head) + length) + head


def at_bytes(buffer: Array, dtype: npt.DTypeLike) -> Array:
    """View ``buffer`` (1-D uint8) as an overlapping array whose item ``i`` starts at **byte** ``i``.

    Fancy indexing with byte positions gathers or scatters whole items at any alignment.
    """
    dtype = np.dtype(dtype)
    return np.ndarray(max(0, buffer.size - dtype.itemsize + 1), dtype, buffer, 0, (1,))


def varint_sizes(values: Array) -> Array:
    """Return the size of each of ``values`` as a varint, as int64; a negative integer takes 10 bytes."""
    sizes = np.ones(values.shape, np.uint8)
    if not values.size:
        return sizes.astype(np.int64)
    top = int(values.max())
    bits = 7
    while bits < 64 and top >> bits:
        sizes += (values >= (1 << bits)).view(np.uint8)
        bits += 7
    if int(values.min()) < 0:
        sizes[values < 0] = VARINT_LIMIT
    return sizes.astype(np.int64)


def put_varints(out: Array, positions: Array, values: Array) -> None:
    """Write each of ``values`` as a varint at byte ``positions`` of ``out`` (uint8). Positions ascend.

    Up to 9 bytes behind a varint become zero, unless the next one starts there.
    """
    if not values.size:
        return
    rest = values.astype(np.uint64) if int(values.min()) < 0 else values
    follows = np.zeros(rest.shape, bool)
    # From the last byte to the first: the next varint overwrites the zeros behind a short one.
    for index in reversed(range(len(varint(int(rest.max()))))):
        present = rest >= 1 << (7 * index)
        few = index and np.count_nonzero(present) < rest.size // 8
        chosen = np.flatnonzero(present) if few else slice(None)
        byte = (rest[chosen] >> (7 * index)).astype(np.uint8) & np.uint8(0x7F)
        byte |= follows[chosen].view(np.uint8) << np.uint8(7)
        out[index:][positions[chosen]] = byte
        follows = present


def decode_varints(stream: Array) -> tuple[Array, Array] | None:
    """Read the varints of ``stream`` (1-D uint8) as uint64, and the position of the last byte of each.

    Returns None if a varint is longer than the 10 bytes that protobuf allows, or the stream ends inside one.
    """
    ends = np.flatnonzero(stream < 0x80)
    if stream.size and (not ends.size or ends[-1] != stream.size - 1):
        return None
    starts = np.empty_like(ends)
    starts[:1] = 0
    np.add(ends[:-1], 1, out=starts[1:])
    extra = ends - starts
    longest = int(extra.max(initial=0))
    if longest > 9:
        return None
    values = (stream[starts] & 0x7F).astype(np.uint64)
    for index in range(1, longest + 1):
        rows = np.flatnonzero(extra >= index)
        byte = (stream[starts[rows] + index] & 0x7F).astype(np.uint64)
        values[rows] |= byte << np.uint64(7 * index)
    return values, ends


def copy_runs(target: Array, places: Array, source: Array, starts: Array, lengths: Array) -> None:
    """Copy ``lengths[i]`` bytes from byte ``starts[i]`` of ``source`` to byte ``places[i]`` of ``target``."""
    # Runs of 8 to 15 bytes are two items of 8 bytes, which may overlap, and so on for each power of two.
    power = np.frexp(lengths)[1]
    for exponent in np.flatnonzero(np.bincount(power)[1:]).tolist():
        runs = np.flatnonzero(power == exponent + 1)
        item = f"V{1 << exponent}"
        to, items = at_bytes(target, item), at_bytes(source, item)
        place, start = places[runs], starts[runs]
        to[place] = items[start]
        second = lengths[runs] - (1 << exponent)
        to[place + second] = items[start + second]


def runs_of(source: Array, starts: Array, lengths: Array) -> Array:
    """Return ``lengths[i]`` bytes from byte ``starts[i]`` of ``source``, for all ``i``, one after another."""
    stops = np.cumsum(lengths)
    target = np.empty(int(stops[-1]), np.uint8)
    copy_runs(target, stops - lengths, source, starts, lengths)
    return target
