"""Mutated bytes: the verdict of the plain rules, and never anything but a RecordIOError.

``RECORDIO_FUZZ_SECONDS`` and ``RECORDIO_FUZZ_SEED`` lengthen and repeat a run.
"""

from __future__ import annotations

import io
import os
import random
import sys
import time
import tracemalloc

import numpy as np
import pytest

from amazon_estimators import recordio
from amazon_estimators.errors import RecordIOError
from amazon_estimators.recordio import framing as window
from recordio.protocol import Bad, file_of, golden, record, verdict

SECONDS = float(os.environ.get("RECORDIO_FUZZ_SECONDS", "8"))
RECORDS = 12


def seeds() -> list[bytes]:
    heads = [golden(name)[:1200] for name in ("hand_dense_f32", "sdk_dense_f64", "sdk_sparse_f32")]
    rng = np.random.default_rng(1)
    integers = rng.integers(-(2**31), 2**31, (RECORDS, 3))
    mixed = [
        record([1, 2], keys=[0, 300], shape=[70000], label=[i], label_dtype="i4") for i in range(RECORDS)
    ]
    return [
        *(whole(head) for head in heads),
        bytes(recordio.encode_dense(integers, integers[:, 0])),
        bytes(recordio.encode_sparse(integers * (rng.random(integers.shape) < 0.5), integers[:, 0] % 3)),
        bytes(recordio.encode_dense(np.ones((RECORDS, 40), "f4"))),
        file_of(*mixed),
    ]


def whole(head: bytes) -> bytes:
    """Without the record that the end cuts."""
    end = at = 0
    while at < len(head):
        end, at = at, at + 8 + (int.from_bytes(head[at + 4 : at + 8], "little") + 3 & ~3)
    return head[: at if at == len(head) else end]


def mutated(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        at = rng.randrange(len(data))
        match rng.randrange(6):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
            case 2:
                del data[at : at + rng.choice([1, 2, 4, 8])]
            case 3:
                data[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice([1, 2, 4, 8])))
            case 4:
                other = rng.randrange(len(data))
                data[at : at + 8] = data[other : other + 8]
            case 5:
                del data[at:]
        if not data:
            break
    return bytes(data)


def outcome(content: bytes):
    """Our verdict in the oracle's form."""
    try:
        summary = recordio.check(io.BytesIO(content))
        features, labels = recordio.read_matrix(io.BytesIO(content))
    except RecordIOError:
        return None
    assert summary.records == features.shape[0]
    return summary, features, labels


def agree(content: bytes) -> bool:
    """Whether the content is accepted, after both verdicts and all values proved the same."""
    try:
        rows = verdict(content)
    except Bad:
        rows = None
    ours = outcome(content)
    assert (ours is None) == (rows is None)
    if rows is None or ours is None:
        return False
    summary, features, labels = ours
    assert summary.sparse == rows[0][0][1]
    assert summary.feature_dim == rows[0][0][2]
    for index, (_, values, keys, label) in enumerate(rows):
        if summary.sparse:
            part = slice(features.indptr[index], features.indptr[index + 1])
            assert features.indices[part].tolist() == keys
            assert features.data[part].tolist() == values
        else:
            assert features[index].tolist() == values
        assert (label or None) == (None if labels is None else np.ravel(labels[index]).tolist())
    return True


def generator() -> random.Random:
    seed = int(os.environ.get("RECORDIO_FUZZ_SEED", time.time_ns() % 2**32))
    sys.stdout.write(f"RECORDIO_FUZZ_SEED={seed}\n")
    return random.Random(seed)


@pytest.mark.parametrize("window_bytes", [1 << 21, 128], ids=["one window", "many windows"])
def test_mutations_get_the_verdict_of_the_rules(window_bytes, monkeypatch):
    monkeypatch.setattr(window, "WINDOW_BYTES", window_bytes)
    rng, originals = generator(), seeds()
    assert all(agree(content) for content in originals)
    end, runs, accepted = time.monotonic() + SECONDS / 2, 0, 0
    while time.monotonic() < end:
        content = mutated(rng.choice(originals), rng)
        try:
            accepted += agree(content)
        except BaseException:
            sys.stdout.write(f"run {runs}: {content.hex()}\n")
            raise
        runs += 1
    sys.stdout.write(f"{runs} mutations, {accepted} of them harmless\n")
    assert 0 < accepted < runs


def test_mutations_allocate_no_more_than_a_few_windows():
    rng, originals = generator(), seeds()
    tracemalloc.start()
    end = time.monotonic() + SECONDS / 8
    while time.monotonic() < end:
        outcome(mutated(rng.choice(originals), rng))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20
