"""The samples are the data that they name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from amazon_estimators_rehearsal.samples.tables import digits


def test_the_digits_are_scikit_learns(tmp_path: Path) -> None:
    (path,) = digits(tmp_path).files["train"]
    written = np.load(path)
    assert written.dtype == np.float32
    assert np.array_equal(written, load_digits().data)
