"""Values of data in memory: finite and exact by the same definition, and in the same words, as in files."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from amazon_estimators.client.matrix import labels_of, matrix_of, split_frame, write_rows
from amazon_estimators.errors import InputError
from amazon_estimators.recordio import read_matrix

X = np.arange(12.0).reshape(6, 2)


def written(train: Any, labels: Any = None) -> tuple[Any, Any]:
    matrix = matrix_of(train)
    file = io.BytesIO()
    write_rows(file, matrix, 0, matrix.rows, labels_of(labels, matrix.rows), first_row=0)
    file.seek(0)
    return read_matrix(file)


@pytest.mark.parametrize("kind", [np.int64, np.uint64, np.int32, object])
def test_labels_that_float32_would_merge_are_refused(kind: type) -> None:
    labels: Any = np.array([0, 1, 2, 16777216, 16777217, 3], kind)
    if kind is object:
        frame = pd.DataFrame({"a": range(6), "y": pd.Series(list(labels), dtype=object)})
        matrix, values = split_frame(frame, "y")
        with pytest.raises(InputError, match="row 4, label: 16777217 has no exact float32"):
            write_rows(io.BytesIO(), matrix, 0, 6, values, first_row=0)
        return
    with pytest.raises(InputError, match="row 4, label: 16777217 has no exact float32"):
        written(X, labels)
    written(X, labels.astype(np.float64))  # the way out: floats are rounded
    written(X, np.unique(labels, return_inverse=True)[1])  # and the other: renumbered classes


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "nan is not a finite number"),
        (np.inf, "inf is not a finite number"),
        (1e300, r"1e\+300 is beyond float32"),
        (-1e39, r"-1e\+39 is beyond float32"),
    ],
)
def test_what_float32_does_not_hold_is_named_as_it_was_given(value: float, message: str) -> None:
    bad = X.copy()
    bad[3, 1] = value
    with pytest.raises(InputError, match=f"row 3, column 1: {message}") as caught:
        written(bad)
    assert "Fill it in or drop the row" in caught.value.remedy or "scale the column" in caught.value.remedy
    frame = pd.DataFrame(bad, columns=["age", "income"])
    with pytest.raises(InputError, match=rf"row 3, column 1 \('income'\): {message}"):
        written(frame)
    labels = np.arange(6.0)
    labels[2] = value
    with pytest.raises(InputError, match=f"row 2, label: {message}"):
        written(X, labels)
    scipy_sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(InputError, match=f"row 3, column 1: {message}"):
        written(scipy_sparse.csr_matrix(bad))


def test_what_is_exact_is_kept() -> None:
    features, labels = written(pd.DataFrame({"a": [1, 2**24], "b": [0.5, -3.0]}), [7, 2**24])
    np.testing.assert_array_equal(features, [[1, 0.5], [2**24, -3.0]])
    np.testing.assert_array_equal(labels, [7, 2**24])
