"""Sparse records and a list of instance types: one type with GPUs is enough to refuse them."""

from __future__ import annotations

import pytest
from rule_case import train

from amazon_estimators.algorithms import FactorizationMachines
from amazon_estimators.algorithms.rules import no_sparse_on_gpu
from amazon_estimators.algorithms.training_data import Data

CPU, GPU = "ml.m5.large", "ml.g4dn.xlarge"


@pytest.mark.parametrize(
    ("types", "sparse", "named"),
    [
        (None, True, None),
        (CPU, True, None),
        (GPU, True, GPU),
        ([CPU, "ml.c5.xlarge"], True, None),
        ([CPU, GPU], True, GPU),
        ([GPU, CPU, "ml.p3.2xlarge"], True, f"{GPU}, ml.p3.2xlarge"),
        ([CPU, GPU], False, None),
    ],
)
def test_truth_table(types: str | list[str] | None, sparse: bool, named: str | None) -> None:
    algorithm = FactorizationMachines(num_factors=2, predictor_type="regressor")
    record_set = train(sparse=sparse)
    found = list(no_sparse_on_gpu(algorithm, Data({"train": record_set}, 1, types)))
    assert [f"train on {named}." in one for one in found] == ([] if named is None else [True])
