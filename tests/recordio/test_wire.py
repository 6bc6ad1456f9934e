"""The bytes of many varints and runs at once, against one at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from amazon_estimators.recordio.wire import VARINT_LIMIT, copy_runs, put_varints, varint, varint_sizes

INT64 = st.integers(0, 63).flatmap(lambda bits: st.integers(-(1 << bits), (1 << bits) - 1))


@given(st.lists(INT64, min_size=1, max_size=40), st.sampled_from([0, 30]))
def test_varints_are_written_one_behind_the_other(values, short):
    array = np.array(values + [1] * short, np.int64)  # many short ones: the few long ones are written apart
    expected = b"".join(varint(value % (1 << 64)) for value in array.tolist())
    sizes = varint_sizes(array)
    out = np.full(len(expected) + VARINT_LIMIT, 0, np.uint8)
    put_varints(out, np.cumsum(sizes) - sizes, array)
    assert out.tobytes() == expected + bytes(VARINT_LIMIT)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 70), st.integers(0, 200)), max_size=30))
def test_runs_of_any_length_are_copied(runs):
    source = np.random.default_rng(0).integers(1, 256, 270).astype(np.uint8)
    gaps, lengths, starts = np.array(runs, np.int64).reshape(-1, 3).T
    places = np.cumsum(gaps + lengths) - lengths
    expected = b"".join(bytes(gap) + source[start : start + length].tobytes() for gap, length, start in runs)
    target = np.zeros(len(expected), np.uint8)
    copy_runs(target, places, source, starts, lengths)
    assert target.tobytes() == expected
