"""``record_set()`` writes the profile that a pipeline writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from client_account import Account
from scipy.sparse import csr_matrix

from amazon_estimators import Estimator, KMeans, RecordSet
from amazon_estimators.cli.files import profile_beside
from amazon_estimators.record_sets.profiles.document import ProfileDocument

TABLE = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32) * [1, 0, 1]


def profile_of(account: Account, train: Any) -> ProfileDocument:
    estimator = Estimator(
        KMeans(k=2),
        role=account.role,
        instance_type="ml.m5.large",
        instance_count=2,
        data_location=f"s3://{account.bucket}/profiles/",
        session=account.session,
    )
    record_set: RecordSet = estimator.record_set(train, progress=False)
    document = profile_beside(record_set.s3_data)
    assert document is not None
    return document


@pytest.mark.parametrize(
    ("kind", "make", "names"),
    [
        ("array", lambda: TABLE, None),
        ("frame", lambda: pd.DataFrame(TABLE, columns=["a", "b", "c"]), ("a", "b", "c")),
        ("sparse", lambda: csr_matrix(TABLE), None),
        ("blocks", lambda: iter([TABLE[:101], TABLE[101:400], TABLE[400:]]), None),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_every_kind_of_data_is_profiled(account: Account, kind: str, make: Any, names: Any) -> None:
    document = profile_of(account, make())
    exact = TABLE.astype(np.float32).astype(np.float64)
    moments = document.profile.moments
    assert document.names == names, kind
    assert (moments.records, document.shards, document.missing) == (500, 2, 0)
    assert np.array_equal(moments.minimum, exact.min(axis=0))
    assert np.array_equal(moments.zeros, (exact == 0).sum(axis=0))
    assert np.allclose(moments.variance, exact.var(axis=0), rtol=1e-9)
    shares = (0.1, 0.5, 0.9)
    quantiles = document.profile.quantiles(shares)
    assert quantiles is not None
    assert np.array_equal(quantiles.T, np.quantile(exact, shares, axis=0, method="inverted_cdf") + 0.0)
    assert [warning.partition(".")[0] for warning in document.warnings] == [
        f"constant: feature {names[1]!r}" if names else "constant: feature 1"
    ]
