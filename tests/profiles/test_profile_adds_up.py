"""A profile of parts, cut anywhere, is that of all rows in one pass, as NumPy computes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.sparse import csr_matrix

from amazon_estimators.record_sets.profiles import sketch as sketches
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import (
    PROFILED_FEATURES,
    SKETCHED_FEATURES,
    FeatureProfile,
    ProfileBuilder,
)
from amazon_estimators.record_sets.profiles.sketch import Sketch, most_buckets, ordered_bits, values_of

LARGEST = float(np.finfo(np.float32).max)
VALUES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 3.0, 0.5, 2.0**24, 1e6, 1e6 + 1, LARGEST, -LARGEST, 2.0**-149]),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.integers(-1000, 1000).map(float),
)
TABLES = st.tuples(st.integers(1, 25), st.integers(1, 4)).flatmap(
    lambda shape: arrays.arrays(np.float32, shape, elements=VALUES)
)
RANK_ERROR = math.sqrt(math.log(2 / 0.001) / (2 * 4_096))
"""Of the fewest rows that are sampled of many, by DKW's inequality: 3 %; of 8,192 rows it is 2.2 %."""
SHARES = (0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0)


@st.composite
def cut_tables(draw: st.DrawFn) -> tuple[np.ndarray, list[np.ndarray], list[int]]:
    """A table, the blocks it is cut into, and how many blocks each shard has."""
    table = draw(TABLES)
    cuts = sorted({0, len(table), *draw(st.lists(st.integers(0, len(table)), max_size=8))})
    blocks = [table[start:stop] for start, stop in pairwise(cuts)]
    shards = draw(st.lists(st.integers(1, 3), min_size=len(blocks), max_size=len(blocks)))
    return table, blocks, shards


def dense(blocks: Sequence[np.ndarray]) -> FeatureProfile:
    builder = ProfileBuilder()
    for block in blocks:
        builder.add_dense(block)
    profile = builder.profile()
    assert profile is not None
    return profile


def sparse(blocks: Sequence[np.ndarray]) -> FeatureProfile:
    builder = ProfileBuilder()
    for block in blocks:
        rows = csr_matrix(block)
        builder.add_sparse(rows.data, rows.indices, rows.indptr, block.shape[1])
    profile = builder.profile()
    assert profile is not None
    return profile


def over_shards(make: Any, blocks: list[np.ndarray], shards: list[int]) -> FeatureProfile:
    """Profile each shard, write and read the profiles as Encode and Seal do, and add them up."""
    parts, at = [], 0
    for size in shards:
        if blocks[at : at + size]:
            text = ProfileDocument(make(blocks[at : at + size])).to_json()
            parts.append(ProfileDocument.from_json(text, "uri").profile)
        at += size
    merged = FeatureProfile.merge(parts)
    assert merged is not None
    return merged


def check_moments(profile: FeatureProfile, table: np.ndarray) -> None:
    exact, moments = table.astype(np.float64), profile.moments
    scale = np.maximum(np.abs(exact).max(axis=0), 1e-300)
    assert moments.records == len(table)
    assert np.array_equal(moments.minimum, exact.min(axis=0))
    assert np.array_equal(moments.maximum, exact.max(axis=0))
    assert np.array_equal(moments.zeros, (exact == 0).sum(axis=0))
    assert np.array_equal(moments.fractional, (exact != np.floor(exact)).any(axis=0))
    assert (np.abs(moments.mean - exact.mean(axis=0)) <= 1e-9 * scale).all()
    variance = exact.var(axis=0)
    assert (
        np.allclose(moments.variance, variance, rtol=1e-9, atol=0)
        or (np.abs(moments.variance - variance) <= 1e-9 * np.maximum(variance, 1e-14 * scale**2)).all()
    )


@pytest.mark.parametrize("make", [dense, sparse])
@given(cut=cut_tables())
@settings(max_examples=60)
def test_moments_of_any_cutting_are_those_of_numpy(make: Any, cut: Any) -> None:
    table, blocks, shards = cut
    check_moments(over_shards(make, blocks, shards), table)


@pytest.mark.parametrize("make", [dense, sparse])
@given(cut=cut_tables())
@settings(max_examples=60)
def test_quantiles_of_any_cutting_are_the_same_and_exact_while_values_are_few(make: Any, cut: Any) -> None:
    table, blocks, shards = cut
    merged, whole = over_shards(make, blocks, shards), dense([table])
    assert merged.sketch is not None
    assert whole.sketch is not None
    for name in ("levels", "sizes", "keys", "counts"):
        assert np.array_equal(getattr(merged.sketch, name), getattr(whole.sketch, name)), name
    found = merged.quantiles(SHARES)
    assert found is not None
    assert np.array_equal(found, np.quantile(table, SHARES, axis=0, method="inverted_cdf").T + 0.0)


@given(
    values=arrays.arrays(np.float32, 60, elements=VALUES),
    cuts=st.lists(st.integers(0, 60), max_size=5),
    most=st.integers(2, 40),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=100)
def test_a_collapsed_sketch_is_the_same_in_any_order_and_within_its_bound(
    values: np.ndarray, cuts: list[int], most: int, order: Any
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketches, "MOST_BUCKETS", most)
        parts = [Sketch.of(part[:, None]) for part in np.split(values, sorted(cuts))]
        order.shuffle(parts)
        halves = [Sketch.merge(parts[:2]), *(parts[2:])]
        merged, whole = Sketch.merge(halves), Sketch.of(values[:, None])
    for name in ("levels", "sizes", "keys", "counts"):
        assert np.array_equal(getattr(merged, name), getattr(whole, name)), name
    assert whole.sizes[0] <= most
    low, high, counts = whole.spans_of_feature(0)
    assert counts.sum() == len(values)
    # Each bucket counts exactly the values of its span: nothing is in the wrong one.
    level = int(whole.levels[0])
    bits = ordered_bits(values)[:, None].astype(np.int64) - whole.keys
    assert np.array_equal(((bits >= 0) & (bits < 2**level)).sum(axis=0), counts)
    # Of a level up to 23, a bucket of normal numbers is not wider than 2^(level - 23) of its value.
    normal = np.minimum(np.abs(low), np.abs(high)) >= np.finfo(np.float32).tiny
    width = (high - low) / np.minimum(np.abs(low), np.abs(high), where=normal, out=np.ones(len(low)))
    assert level > 23 or (width[normal] <= 2.0 ** (level - 23)).all()
    # It is the lowest level that fits.
    if level:
        keys = ordered_bits(values) >> np.uint32(level - 1)
        assert len(np.unique(keys)) > most


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("normal", lambda chance, size: chance.normal(size=size)),
        ("far from zero", lambda chance, size: chance.normal(1e5, 1, size=size)),
        ("lognormal", lambda chance, size: chance.lognormal(0, 3, size=size)),
        ("years", lambda chance, size: chance.integers(1990, 2021, size=size)),
        ("sorted", lambda chance, size: np.sort(chance.random(size=size))),
        ("mostly zeros", lambda chance, size: chance.random(size=size) * (chance.random(size=size) < 0.1)),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_ranks_of_more_rows_than_are_sampled_are_within_the_bound(name: str, draw: Any) -> None:
    table = draw(np.random.default_rng(7), (200_000, 1)).astype(np.float32)
    profile = dense([table[:150_000], table[150_000:]])
    assert profile.sketch is not None
    assert profile.sketch.rows <= sketches.MOST_ROWS < len(table)
    ordered = np.sort(table[:, 0].astype(np.float64))
    found = profile.quantiles(SHARES)
    assert found is not None
    for share, value in zip(SHARES, found[0], strict=True):
        below = np.searchsorted(ordered, value, side="left") / len(ordered)
        up_to = np.searchsorted(ordered, value, side="right") / len(ordered)
        assert below - RANK_ERROR <= share <= up_to + RANK_ERROR, (name, share, value)


@given(blocks=st.lists(st.integers(1, 40_000), min_size=1, max_size=4))
@settings(max_examples=8)
def test_the_sample_of_a_shard_depends_on_its_rows_alone(blocks: list[int]) -> None:
    table = np.random.default_rng(1).normal(size=(sum(blocks), 2)).astype(np.float32)
    cut, whole = dense(np.split(table, np.cumsum(blocks)[:-1])), dense([table])
    assert cut.sketch is not None
    assert whole.sketch is not None
    assert np.array_equal(cut.sketch.keys, whole.sketch.keys)
    assert np.array_equal(cut.sketch.counts, whole.sketch.counts)
    again = ProfileDocument(dense([table])).to_json()
    assert again == ProfileDocument(whole).to_json()


@pytest.mark.parametrize("columns", [1, 3, 50, 1024, 1025])
@pytest.mark.parametrize("rows", [1, 15, 16, 1025, 3000])
@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_every_shape_is_folded_right(columns: int, rows: int, order: str) -> None:
    chance = np.random.default_rng(columns * rows)
    table = np.where(chance.random((rows, columns)) < 0.2, 0, chance.normal(3, 1e-3, (rows, columns)))
    table = table.astype(np.float32)
    given_as = {
        "C": table,
        "F": np.asfortranarray(table),
        "strided": np.repeat(table, 2, axis=1)[:, ::2],
    }[order]
    check_moments(dense([given_as]), table)


def test_a_variance_far_from_zero_keeps_its_digits() -> None:
    table = (1e6 + np.arange(-4_000, 4_000).reshape(-1, 1) % 7).astype(np.float32)
    shards = FeatureProfile.merge(dense([part]) for part in np.array_split(table, 13))
    assert shards is not None
    for profile in (dense([table]), sparse([table]), dense(np.array_split(table, 97)), shards):
        assert profile.moments.variance[0] == pytest.approx(table.astype(np.float64).var(), rel=1e-9)


@pytest.mark.parametrize("order", ["as drawn", "sorted"])
def test_of_more_rows_than_are_sampled_the_range_is_exact_and_the_rest_near(order: str) -> None:
    chance = np.random.default_rng(5)
    table = np.column_stack(
        [chance.normal(1e5, 3, 60_000), chance.random(60_000) < 0.2, np.full(60_000, 7)]
    ).astype(np.float32)
    if order == "sorted":
        table = np.sort(table, axis=0)
    table[41_234, 0], table[777, 0] = 1e9, -5
    moments = dense(np.array_split(table, 7)).moments
    assert (moments.records, 4_000 < moments.sampled <= sketches.MOST_ROWS) == (60_000, True)
    assert np.array_equal(moments.minimum, table.min(axis=0))
    assert np.array_equal(moments.maximum, table.max(axis=0))
    assert moments.constant.tolist() == [False, False, True]
    assert moments.mean[0] == pytest.approx(1e5, abs=4 * 3 / math.sqrt(moments.sampled))
    assert moments.zeros[1] / 60_000 == pytest.approx(0.8, abs=4 * 0.4 / math.sqrt(moments.sampled))
    assert moments.variance[1] == pytest.approx(0.16, rel=0.1)
    assert moments.variance[2] == 0


def test_a_feature_with_one_other_value_has_a_variance_wherever_the_sample_falls() -> None:
    for at in range(0, 40_000, 1_999):
        table = np.zeros((40_000, 1), np.float32)
        table[at] = 3
        moments = dense([table]).moments
        assert not moments.constant[0]
        assert moments.squares[0] >= table.astype(np.float64).var() * 40_000 / 2.0001


def test_shards_sampled_unevenly_count_as_the_even_sample_that_is_as_good() -> None:
    chance = np.random.default_rng(6)
    small, large = (dense([chance.normal(size=(rows, 1)).astype(np.float32)]) for rows in (8_000, 400_000))
    merged = FeatureProfile.merge([small, *[large] * 2])
    assert merged is not None
    shares = [(8_000, 8_000), *[(400_000, large.moments.sampled)] * 2]
    variance_of_mean = sum((rows / 808_000) ** 2 / sampled for rows, sampled in shares)
    assert merged.moments.sampled == pytest.approx(1 / variance_of_mean)
    again = ProfileDocument.from_json(ProfileDocument(merged).to_json(), "uri").profile
    assert again.moments.sampled == merged.moments.sampled


@given(counts=st.lists(st.integers(1, 10**9), min_size=2, max_size=100))
def test_no_more_rows_are_sampled_than_there_are(counts: list[int]) -> None:
    one = dense([np.ones((1, 1), np.float32)])
    shards = (replace(one.moments, records=count, sampled=float(count)) for count in counts)
    merged = FeatureProfile.merge(FeatureProfile(moments, one.sketch) for moments in shards)
    assert merged is not None
    assert merged.moments.sampled == pytest.approx(sum(counts))
    assert ProfileDocument.from_json(ProfileDocument(merged).to_json(), "uri").profile.records == sum(counts)


def test_wide_tables_have_moments_only_and_the_widest_none() -> None:
    row = np.ones((1, SKETCHED_FEATURES + 1), np.float32)
    assert dense([row]).sketch is None
    assert dense([row[:, 1:]]).sketch is not None
    builder = ProfileBuilder()
    one = np.ones(1, np.float32)
    builder.add_sparse(one, np.array([5]), np.array([0, 1]), PROFILED_FEATURES + 1)
    assert builder.profile() is None
    assert ProfileBuilder().profile() is None


@given(values=arrays.arrays(np.float32, 50, elements=VALUES))
def test_ordered_bits_are_in_the_order_of_the_values(values: np.ndarray) -> None:
    assert np.array_equal(values_of(ordered_bits(values)), values.astype(np.float64) + 0.0)
    assert np.array_equal(np.sort(ordered_bits(values)), ordered_bits(np.sort(values)))


def test_buckets_are_bounded_at_any_width() -> None:
    assert [most_buckets(features) for features in (1, 50, 256, 2_000)] == [512, 512, 512, 65]
    table = np.random.default_rng(0).lognormal(0, 9, (3_000, 40)).astype(np.float32)
    sketch = dense([table]).sketch
    assert sketch is not None
    assert sketch.sizes.max() <= 512
