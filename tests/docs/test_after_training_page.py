"""docs/after_training.md holds the matrix that the code makes."""

from __future__ import annotations

from pathlib import Path

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.inference.step_matrix import step_matrix

PAGE = Path(__file__).parents[2] / "docs" / "after_training.md"


def test_the_matrix_is_the_codes() -> None:
    assert step_matrix() in PAGE.read_text(encoding="utf-8")
    assert len(step_matrix().splitlines()) == 2 + len(ALGORITHMS)
