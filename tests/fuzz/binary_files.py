"""Seeds and mutations of binary files: NumPy's arrays and RecordIO."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from amazon_estimators import recordio
from amazon_estimators.recordio.wire import FRAME_BYTES, MAGIC, padded
from fuzz.mutations import raw, text


def numbers(rows: int = 12) -> Any:
    """Return a small table of numbers with a gap of none."""
    dice = np.random.default_rng(3)
    return np.column_stack([np.arange(rows) % 2, dice.normal(size=rows).round(2), np.arange(rows) * 1.5])


def npy(array: Any, **options: Any) -> bytes:
    """Return an array as a ``.npy`` file."""
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(array), allow_pickle=False, **options)
    return out.getvalue()


def npy_seeds() -> Mapping[str, bytes]:
    rows = numbers()
    bodies = {
        "doubles": npy(rows),
        "floats": npy(rows.astype(np.float32)),
        "columns": npy(np.asfortranarray(rows)),
        "integers": npy(rows.astype(np.int64)),
        "bytes": npy(rows.astype(np.uint8)),
        "big_endian": npy(rows.astype(">f8")),
        "halves": npy(rows.astype(np.float16)),
        "bools": npy(rows > 1),
        "version_2": npy(rows, version=(2, 0)),
    }
    return {name: bytes([1, 77]) + body for name, body in bodies.items()}


NPY_WORDS = (
    b"'<f4'",
    b"'>i8'",
    b"'|O'",
    b"'<U4'",
    b"'<M8[s]'",
    b"'|V8'",
    b"True",
    b"False",
    b"(12,)",
    b"()",
    b"(0, 3)",
    b"(3, 0)",
)
NPY_MORE = (
    b"(9223372036854775807, 3)",
    b"(4294967296, 4294967296)",
    b"(-1, 3)",
    b"[('a', '<f8')]",
    b"(12, 3L)",
    b"1e3",
    b"None",
)


def npy_file(data: bytes, dice: random.Random) -> bytes:
    """Change the header, whose length then fits again, or the values."""
    size = int.from_bytes(data[8:10], "little")
    if data[6:7] != b"\x01" or len(data) < 10 + size or not dice.randrange(6):
        return raw(data, dice)
    head, values = data[10 : 10 + size], data[10 + size :]
    if dice.randrange(4):
        head = text(*NPY_WORDS, *NPY_MORE, *(str(2**power).encode() for power in (20, 31, 32, 40, 62)))(
            head, dice
        )
    else:
        values = raw(values, dice)
    return data[:8] + (len(head) % 2**16).to_bytes(2, "little") + head + values


def recordio_seeds() -> Mapping[str, bytes]:
    rows = numbers(6)
    dense, labels = rows.astype(np.float32), rows[:, 0].astype(np.float32)
    return {
        "dense": bytes([0, 128]) + bytes(recordio.encode_dense(dense, labels)),
        "doubles": bytes([0, 40]) + bytes(recordio.encode_dense(rows)),
        "integers": bytes([1, 40])
        + bytes(recordio.encode_dense(rows.astype(np.int32), rows[:, 0].astype(np.int32))),
        "sparse": bytes([0, 200]) + bytes(recordio.encode_sparse(sparse.csr_matrix(dense), labels)),
        "sparse_doubles": bytes([0, 200]) + bytes(recordio.encode_sparse(sparse.csr_matrix(rows))),
    }


def frames(data: bytes) -> Iterator[bytes]:
    """Yield the payloads of RecordIO."""
    at = 0
    while at + FRAME_BYTES <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at + FRAME_BYTES : at + FRAME_BYTES + size]
        at += FRAME_BYTES + padded(size)


def framed(payloads: Sequence[bytes]) -> bytes:
    """Return payloads as RecordIO."""
    head = MAGIC.to_bytes(4, "little")
    return b"".join(
        head + len(body).to_bytes(4, "little") + body + bytes(padded(len(body)) - len(body))
        for body in payloads
    )


def recordio_file(data: bytes, dice: random.Random) -> bytes:
    """Change a record, whose frame then fits again; all in the same way sometimes, or the frames."""
    payloads = list(frames(data))
    if not payloads or not dice.randrange(5):
        return raw(data, dice)
    if not dice.randrange(3):
        seed = dice.random()
        return framed([raw(body, random.Random(seed)) for body in payloads])
    at = dice.randrange(len(payloads))
    payloads[at] = raw(payloads[at], dice)
    return framed(payloads)
