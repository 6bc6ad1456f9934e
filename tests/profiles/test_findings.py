"""What is told of features, and which of them moved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.errors import RecordSetError
from amazon_estimators.record_sets.profiles.comparison import compare
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import FeatureProfile, ProfileBuilder
from amazon_estimators.record_sets.profiles.findings import warnings_of

CHANCE = np.random.default_rng(3)


def profile_of(*columns: Any) -> FeatureProfile:
    builder = ProfileBuilder()
    builder.add_dense(np.column_stack(columns).astype(np.float32))
    profile = builder.profile()
    assert profile is not None
    return profile


def document(*columns: Any, names: tuple[str, ...] | None = None) -> ProfileDocument:
    return ProfileDocument(profile_of(*columns), names)


@pytest.mark.parametrize(
    ("kind", "columns", "counts_words", "begins"),
    [
        ("ordinary", ([1.5, 2.5, 3.0], [0, 1, 2]), False, []),
        ("constant", ([1, 2, 3], [4, 4, 4]), False, ["constant: feature 'b'."]),
        ("one record", ([1], [4]), False, []),
        ("counts", ([0, 2, 5], [1, 0, 3]), True, []),
        ("negative counts", ([0, -2, 5], [1, 0, 3]), True, ["negative, where", "'a'"]),
        ("fractional counts", ([0, 2, 5], [1, 0.5, 3]), True, ["fractional, where", "'b'"]),
        ("negative, not counts", ([0, -2, 5], [1, 0.5, 3]), False, []),
        ("largest exact whole number", ([0, 2**24 - 1], [2**24 - 1, 7]), False, []),
        ("rounded whole numbers", ([2**24 + 1, 2**24 + 3], [2**24, 2**24 - 9]), False, ["'a', 'b'"]),
        ("rounded negative", ([-(2**24) - 1, 7], [2**24 - 9, 9]), False, ["whole numbers", "'a'"]),
        ("large, with fractions", ([2e7, 0.5], [3e7, 0.25]), False, []),
        ("five orders apart", ([1e-3, 2e-3], [100.0, 200.5]), False, ["five orders", "'a'", "'b'"]),
        ("four orders apart", ([1e-2, 2e-2], [100.0, 200.5]), False, []),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_a_warning_names_its_kind_and_its_features(
    kind: str, columns: Any, counts_words: bool, begins: list[str]
) -> None:
    told = warnings_of(profile_of(*columns), ("a", "b"), counts_words=counts_words)
    assert bool(told) == bool(begins), kind
    assert len(told) <= 1
    for text in begins:
        assert text in told[0]


def test_a_warning_of_many_features_names_five_by_number() -> None:
    (told,) = warnings_of(profile_of(*[[3, 3]] * 8), None)
    assert told.startswith("constant: features 0, 1, 2, 3, 4, and 3 more.")


def test_only_ntm_and_lda_read_counts_of_words() -> None:
    assert {name for name, kind in ALGORITHMS.items() if kind.counts_words} == {"NTM", "LDA"}


@pytest.mark.parametrize(
    ("kind", "before", "after", "moved"),
    [
        ("same", CHANCE.normal(size=5_000), CHANCE.normal(size=5_000), False),
        ("small samples", CHANCE.normal(size=40), CHANCE.normal(size=40), False),
        ("mean", CHANCE.normal(size=5_000), CHANCE.normal(0.5, size=5_000), True),
        ("spread, same mean", CHANCE.normal(size=5_000), CHANCE.normal(0, 2, size=5_000), True),
        (
            "years, far from zero",
            CHANCE.integers(1990, 2020, size=5_000),
            CHANCE.integers(1998, 2028, size=5_000),
            True,
        ),
        ("more zeros", CHANCE.random(5_000), CHANCE.random(5_000) * (CHANCE.random(5_000) > 0.3), True),
        ("constant", np.ones(500), np.ones(500), False),
        ("another constant", np.ones(500), np.full(500, 2.0), True),
        ("no longer constant", np.ones(500), CHANCE.normal(1, 1, 500), True),
        ("disjoint", np.arange(500.0), np.arange(5_000.0, 5_500.0), True),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_a_feature_moved_if_its_distribution_did(kind: str, before: Any, after: Any, moved: bool) -> None:
    (shift,) = compare(document(before), document(after)).shifts
    assert shift.moved is moved, (kind, shift)


def test_psi_and_ks_are_those_of_the_values() -> None:
    before, after = CHANCE.normal(size=9_000), CHANCE.normal(0.3, 1.2, size=9_000)
    (shift,) = compare(document(before), document(after)).shifts
    values = np.sort(np.concatenate([before, after]))
    exact = max(abs(np.mean(before <= value) - np.mean(after <= value)) for value in values[::20])
    assert shift.ks == pytest.approx(exact, abs=0.02)
    edges = np.quantile(before, np.arange(0.1, 1, 0.1))
    one, other = (np.bincount(np.searchsorted(edges, part), minlength=10) / 9_000 for part in (before, after))
    assert shift.psi == pytest.approx(float(((other - one) * np.log(other / one)).sum()), abs=0.03)


def test_nothing_moves_by_chance() -> None:
    tables = [CHANCE.normal(size=(1_000, 200)) for _ in range(2)]
    assert len(compare(*(document(*table.T) for table in tables)).moved) <= 2


def test_a_rare_value_that_one_sample_has_and_the_other_has_not_is_no_move() -> None:
    before, after = np.zeros(200_000), np.zeros(200_000)
    before[[5, 150_000]] = 1
    after[CHANCE.choice(200_000, 40, replace=False)] = 1
    assert not compare(document(before), document(after)).moved


def test_features_are_matched_by_name() -> None:
    one, other = CHANCE.normal(size=500), CHANCE.normal(9, 1, size=500)
    before = document(one, other, one, names=("a", "b", "old"))
    comparison = compare(before, document(other, one, one, names=("b", "a", "new")))
    assert {shift.feature for shift in comparison.shifts} == {"a", "b"}
    assert not comparison.moved
    assert (comparison.gone, comparison.new) == (("old",), ("new",))
    unnamed = compare(before, document(other, one, one))
    assert {shift.feature for shift in unnamed.moved} == {"a", "b"}


def test_record_sets_of_different_tables_are_refused() -> None:
    column = [1.0, 2.0]
    with pytest.raises(RecordSetError, match="3 and 2 features"):
        compare(document(column, column, column), document(column, column))
    with pytest.raises(RecordSetError, match="no feature in common: 'a' against 'b'"):
        compare(document(column, names=("a",)), document(column, names=("b",)))


def test_wide_features_are_compared_by_their_means() -> None:
    before, after = np.zeros((100, 2_001)), np.zeros((100, 2_001))
    before[:, 5], after[:, 5] = CHANCE.normal(size=100), CHANCE.normal(4, 1, size=100)
    (shift,) = compare(document(*before.T), document(*after.T)).moved
    assert (shift.feature, shift.psi, shift.ks) == (5, None, None)
