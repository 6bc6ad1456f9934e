"""Read and write Thrift's compact protocol, the encoding of Parquet's footers and page headers.

A :data:`Reader` takes the bytes, the offset of a value and its kind; it returns the value and the offset
after it. It raises ValueError for an unexpected kind, and IndexError if the bytes end too early. Fields
without a reader are skipped. No count is trusted: values are read one by one, and each takes at least a byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from amazon_estimators.recordio.wire import varint

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
INTEGERS = (I16, I32, I64)
VARINT_BITS = 64
DEEPEST = 32
"""The deepest nesting of structs and lists accepted; Parquet has eight levels."""

Reader = Callable[[bytes, int, int], tuple[Any, int]]
NONE: Mapping[int, Reader] = MappingProxyType({})


def struct(needed: Mapping[int, Reader], optional: Mapping[int, Reader] = NONE) -> Reader:
    """Return a reader of structs: the fields that have a reader, by number. It raises ValueError if a needed
    one is missing."""
    readers = {**needed, **optional}

    def read(data: bytes, at: int, kind: int) -> tuple[dict[int, Any], int]:
        _expect(kind, STRUCT)
        fields: dict[int, Any] = {}
        number = 0
        while (head := data[at]) & 15:
            at += 1
            kind = head & 15
            if head > 15:
                number += head >> 4
            else:
                number, at = integer(data, at, I16)
            if number not in readers:
                at = skip(data, at, kind)
            elif number in fields:
                raise ValueError(f"field {number} occurs twice")
            else:
                fields[number], at = readers[number](data, at, kind)
        if missing := needed.keys() - fields.keys():
            raise ValueError(f"field {min(missing)} of {len(needed)} is missing")
        return fields, at + 1

    return read


def array(reader: Reader, most: int = 2**18) -> Reader:
    """Return a reader of lists. An element takes up to a kilobyte in memory, and as little as a byte in the
    data."""

    def read(data: bytes, at: int, kind: int) -> tuple[list[Any], int]:
        _expect(kind, LIST)
        values = []
        count, kind, at = _list_head(data, at)
        if count > most:
            raise ValueError(f"a list of {count}; allowed: {most}")
        for _ in range(count):
            value, at = reader(data, at, kind)
            values.append(value)
        return values, at

    return read


def located(reader: Reader) -> Reader:
    """Return a reader of (start, stop, value), with the value as ``reader`` reads it."""

    def read(data: bytes, at: int, kind: int) -> tuple[tuple[int, int, Any], int]:
        value, stop = reader(data, at, kind)
        return (at, stop, value), stop

    return read


def skipped(data: bytes, at: int, kind: int) -> tuple[bool, int]:
    """Return True: the field is present. Skips its value."""
    return True, skip(data, at, kind)


def integer(data: bytes, at: int, kind: int) -> tuple[int, int]:
    _expect(kind, *INTEGERS)
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def binary(data: bytes, at: int, kind: int) -> tuple[bytes, int]:
    _expect(kind, BINARY)
    length, at = _varint(data, at)
    if at + length > len(data):
        raise IndexError(f"{length} bytes from {at} of {len(data)}")
    return data[at : at + length], at + length


def skip(data: bytes, at: int, kind: int, depth: int = 0) -> int:
    """Return the end of the value of ``kind`` that starts at ``at``."""
    if kind in INTEGERS:
        while data[at] > 127:
            at += 1
        return at + 1
    if kind == STRUCT:
        return _skip_struct(data, at, depth)
    if kind in (TRUE, FALSE):
        return at
    if kind == BINARY:
        length, at = _varint(data, at)
        return at + length
    if kind in (LIST, SET):
        return _skip_list(data, at, depth)
    if kind in (BYTE, DOUBLE):
        return at + (1 if kind == BYTE else 8)
    raise ValueError(f"a value of kind {kind}, which Parquet does not have")


def _skip_struct(data: bytes, at: int, depth: int) -> int:
    _expect_depth(depth)
    while (head := data[at]) & 15:
        at += 1
        if head < 16:
            at = skip(data, at, I16)
        kind = head & 15
        if kind in INTEGERS:  # most fields are short, and a call takes longer than this
            while data[at] > 127:
                at += 1
            at += 1
        else:
            at = skip(data, at, kind, depth + 1)
    return at + 1


def _skip_list(data: bytes, at: int, depth: int) -> int:
    _expect_depth(depth)
    count, kind, at = _list_head(data, at)
    if kind in (TRUE, FALSE, BYTE):
        return at + count
    for _ in range(count):
        at = skip(data, at, kind, depth + 1)
        if at > len(data):
            raise IndexError(f"a list of {count} ends at {at}")
    return at


def _list_head(data: bytes, at: int) -> tuple[int, int, int]:
    head = data[at]
    count, at = (head >> 4, at + 1) if head < 240 else _varint(data, at + 1)
    return count, head & 15, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while (byte := data[at]) > 127:
        value |= (byte & 127) << shift
        shift += 7
        at += 1
        if shift >= VARINT_BITS:
            raise ValueError("a number of more than 64 bits")
    return value | byte << shift, at + 1


def _expect(kind: int, *allowed: int) -> None:
    if kind not in allowed:
        raise ValueError(f"a value of kind {kind} where one of kind {', '.join(map(str, allowed))} belongs")


def _expect_depth(depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError(f"values nested {depth} deep")


def written(fields: Mapping[int, tuple[int, bytes]]) -> bytes:
    """Return a struct of fields, each a kind and its bytes, as the functions below make them."""
    parts = []
    for number, (kind, value) in sorted(fields.items()):
        parts += [bytes([kind]), _zigzag(number), value]
    return b"".join([*parts, b"\0"])


def of_integer(value: int, kind: int = I64) -> tuple[int, bytes]:
    return kind, _zigzag(value)


def of_binary(value: bytes) -> tuple[int, bytes]:
    return BINARY, varint(len(value)) + value


def of_list(values: Sequence[bytes], kind: int = STRUCT) -> tuple[int, bytes]:
    return LIST, bytes([240 | kind]) + varint(len(values)) + b"".join(values)


def of_struct(fields: Mapping[int, tuple[int, bytes]]) -> tuple[int, bytes]:
    return STRUCT, written(fields)


def _zigzag(value: int) -> bytes:
    return varint(value << 1 if value >= 0 else ~value << 1 | 1)
