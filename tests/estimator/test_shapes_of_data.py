"""Data in memory that are no rows of one length are refused in an error of ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from amazon_estimators.client.matrix import matrix_of
from amazon_estimators.errors import InputError


@pytest.mark.parametrize(
    ("train", "told"),
    [
        (np.zeros(3), r"shape \(3,\)"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.zeros((2, 0)), r"shape \(2, 0\)"),
        (sp.coo_array(np.array([1.0, 0.0, 2.0])), r"shape \(3,\)"),
        ([[1], [2, 3]], "not an array: .*inhomogeneous"),
    ],
    ids=["a vector", "three dimensions", "no columns", "a sparse vector", "ragged lists"],
)
def test_data_that_are_no_rows_and_columns(train: Any, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        matrix_of(train)
    assert caught.value.remedy
