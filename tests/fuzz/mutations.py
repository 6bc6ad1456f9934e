"""Change inputs so that they stay what they are on the outside: a reader gets past its first check.

A mutation takes bytes and dice. Those of containers open them, change something inside and close them again,
with sizes and checksums that fit; if the bytes are not such a container any more, they change anything.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import random
import re
import zipfile
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from fuzz.target import Mutate

WHOLE = (0, 1, 2, 0x7F, 0x80, 0xFF, 2**15, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1)
"""Counts, sizes and offsets that are at an edge."""
VARINTS = (
    b"\0",
    b"\x01",
    b"\x7f",
    b"\xff\xff\xff\xff\x07",
    b"\xfe\xff\xff\xff\x0f",
    b"\x80" * 4 + b"\x08",
    b"\xff" * 9 + b"\x01",
)
NUMBERS = (
    *(b"0", b"-1", b"1e999", b"-1e39", b"nan", b"inf", b"1_0", b"0x10", b"1e-400", b"", b" ", b"'1'", b"1,5"),
    *(
        b"9" * 30,
        b"-0",
        b"+1",
        b".",
        b"1.",
        b"4294967296",
        b"2147483648",
        b"-2147483649",
        b"1e5",
        b"true",
        b"\xd9\xa1",
    ),
)
MARKS = (
    b",",
    b";",
    b"\t",
    b"|",
    b" ",
    b'"',
    b'""',
    b"'",
    b"\\",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b":",
    b"#",
    b"\xe2\x80\xa8",
)
WORD = re.compile(rb"[^\s,;:|\"]+")
JSON_VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        0.5,
        2**31,
        2**53,
        2**63,
        2**64,
        10**40,
        1e308,
        math.inf,
        math.nan,
        "",
        "0",
        "\ud800",
    ),
    *(
        [],
        {},
        [[]],
        [{}],
        {"": None},
        [1, "1"],
        "x" * 300,
        "s3://",
        "s3://b/k",
        "2026-02-30T25:00:00",
        "9999-12-31T23:59:59Z",
        "[]",
    ),
)
JSON_ERRORS = (ValueError, RecursionError)


def raw(data: bytes, dice: random.Random) -> bytes:
    """Turn bits, put in whole numbers of any width, cut, repeat, insert."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4, 8))):
        at = dice.randrange(len(changed) + 1)
        match dice.randrange(9):
            case 0 if at < len(changed):
                changed[at] ^= 1 << dice.randrange(8)
            case 1 if at < len(changed):
                changed[at] = dice.choice((0, 1, 0x20, 0x7F, 0x80, 0xFF, dice.randrange(256)))
            case 2:
                width = dice.choice((1, 2, 4, 8))
                number = (dice.choice(WHOLE) % 2 ** (8 * width)).to_bytes(
                    width, dice.choice(("little", "big"))
                )
                changed[at : at + width] = number
            case 3 if at < len(changed):
                changed[at] = (changed[at] + dice.randrange(-3, 4)) % 256
            case 4:
                lie = dice.choice(VARINTS)
                changed[at : at + dice.choice((1, len(lie)))] = lie
            case 5:
                del changed[at : at + dice.choice((1, 2, 4, 8, 20))]
            case 6:
                changed[at:at] = dice.randbytes(dice.choice((1, 2, 4, 8)))
            case 7:
                start, length = dice.randrange(len(changed) + 1), dice.choice((1, 4, 8, 40))
                changed[at:at] = changed[start : start + length]
            case 8 if not dice.randrange(4):
                del changed[at:]
    return bytes(changed)


def text(*words: bytes) -> Mutate:
    """Return a mutation of text: other numbers, marks, lines. ``words`` mean something in the format."""

    def mutate(data: bytes, dice: random.Random) -> bytes:
        for _ in range(dice.choice((1, 1, 2, 3))):
            match dice.randrange(7):
                case 0 | 1:
                    data = _other_word(data, (*words, *NUMBERS), dice)
                case 2:
                    at = dice.randrange(len(data) + 1)
                    data = data[:at] + dice.choice(MARKS) + data[at + dice.randrange(2) :]
                case 3:
                    lines = data.splitlines(keepends=True) or [b""]
                    line = dice.choice(lines)
                    lines.insert(dice.randrange(len(lines) + 1), line * dice.choice((1, 1, 3)))
                    data = b"".join(lines)
                case 4:
                    lines = data.splitlines(keepends=True) or [b""]
                    del lines[dice.randrange(len(lines))]
                    data = b"".join(lines)
                case 5:
                    data = data.replace(
                        *dice.choice(
                            ((b"\n", b"\r\n"), (b"\n", b"\r"), (b",", b";"), (b",", b",,"), (b".", b","))
                        )
                    )
                case 6:
                    data = raw(data, dice)
        return data

    return mutate


def _other_word(data: bytes, words: Sequence[bytes], dice: random.Random) -> bytes:
    matches = list(WORD.finditer(data))
    if not matches:
        return data + dice.choice(words)
    match = dice.choice(matches)
    return data[: match.start()] + dice.choice(words) + data[match.end() :]


def json_value(
    data: bytes, dice: random.Random, *, seal: Callable[[Any], Any] = lambda value: value
) -> bytes:
    """Change a value of JSON, a key or what a list holds; ``seal`` makes the digest fit again."""
    try:
        value = json.loads(data)
    except JSON_ERRORS:
        return raw(data, dice)
    if not dice.randrange(40):
        return b"[" * 100_000 if dice.randrange(2) else data.replace(b":", b":" + b"[" * 1200, 1)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        value = changed_value(value, dice)
    try:
        return json.dumps(seal(value)).encode()
    except (*JSON_ERRORS, TypeError, AttributeError):
        return raw(data, dice)


def changed_value(value: Any, dice: random.Random) -> Any:
    """Return a value with one change somewhere inside it."""
    inside = isinstance(value, dict | list) and value
    if not inside or not dice.randrange(12):
        if isinstance(value, str) and dice.randrange(2):
            return _changed_text(value, dice)
        return deepcopy(dice.choice(JSON_VALUES))
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = dice.choice(keys)
    match dice.randrange(12):
        case 0:
            del value[key]
        case 1 if isinstance(value, list):
            value.insert(key, deepcopy(dice.choice((value[key], *JSON_VALUES))))
        case 1 if isinstance(value, dict):
            value[dice.choice(("", "x", *map(str, keys)))] = deepcopy(
                dice.choice((*value.values(), *JSON_VALUES))
            )
        case 2 if isinstance(value, dict):
            value[_changed_text(str(key), dice)] = value.pop(key)
        case 3:
            value[key] = deepcopy(value[dice.choice(keys)])
        case _:
            value[key] = changed_value(value[key], dice)
    return value


def _changed_text(text: str, dice: random.Random) -> str:
    return raw(text.encode("utf-8", "surrogatepass"), dice).decode("utf-8", "replace")


def json_lines(data: bytes, dice: random.Random) -> bytes:
    """Change one line of JSON."""
    lines = data.split(b"\n")
    at = dice.randrange(len(lines))
    lines[at] = json_value(lines[at], dice)
    return b"\n".join(lines)


def any_of(*mutations: Mutate) -> Mutate:
    """Return a mutation that is one of these."""
    return lambda data, dice: dice.choice(mutations)(data, dice)


def after(head: int, inner: Mutate) -> Mutate:
    """Return a mutation of what follows ``head`` bytes, which hold options and change on their own."""

    def mutate(data: bytes, dice: random.Random) -> bytes:
        options = bytearray(data[:head].ljust(head, b"\0"))
        if not dice.randrange(4):
            options[dice.randrange(head)] = dice.randrange(64)
        return bytes(options) + inner(data[head:], dice)

    return mutate


def gzipped(inner: Mutate) -> Mutate:
    """Return a mutation inside a gzip file, or of it."""

    def mutate(data: bytes, dice: random.Random) -> bytes:
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                content = file.read(2**20)
        except (OSError, EOFError, ValueError, gzip.zlib.error):  # type: ignore[attr-defined]
            return raw(data, dice)
        if not dice.randrange(6):
            return raw(data, dice)
        return gzip.compress(inner(content, dice), compresslevel=1, mtime=0)

    return mutate


def zipped(inner: Mutate) -> Mutate:
    """Return a mutation of a member of a zip file, or of its directory."""

    def mutate(data: bytes, dice: random.Random) -> bytes:
        if not dice.randrange(5):
            return raw(data, dice)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = [(entry, archive.read(entry)[: 2**20]) for entry in archive.infolist()]
        except Exception:  # the standard library raises a dozen kinds
            return raw(data, dice)
        if not members:
            return raw(data, dice)
        at = dice.randrange(len(members))
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
            for number, (entry, content) in enumerate(members):
                if number != at:
                    archive.writestr(entry.filename, content)
                elif dice.randrange(8):
                    archive.writestr(entry.filename, inner(content, dice))
                elif dice.randrange(2):
                    archive.writestr(_changed_text(entry.filename, dice).replace("\0", "") or "?", content)
        return out.getvalue()

    return mutate
