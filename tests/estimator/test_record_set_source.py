"""record_set(source=…): columns in memory become the records that a pipeline makes of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from client_account import Account

from amazon_estimators import Estimator, InputError, LinearLearner, RequestError
from amazon_estimators.client.local_encoding import encode_files
from amazon_estimators.sources import Source

FRAME = pd.DataFrame(
    {
        "city": ["Berlin", "Rome", None, "Oslo", "Rome"] * 20,
        "age": [40.0, np.nan, 25, 10, 61] * 20,
        "income": pd.array([1, None, 3, 4, 5] * 20, dtype="Int64"),
        "y": [0, 1] * 50,
    }
)
RULES: dict[str, Any] = {
    "label": "y",
    "one_hot": {"city": ["Berlin", "Rome"]},
    "unknown": "other",
    "fill": {"income": 2},
    "scale": {"age": (40, 15)},
    "drop_incomplete": True,
}


def make(account: Account) -> Estimator:
    return Estimator(
        LinearLearner(predictor_type="binary_classifier"),
        role=account.role,
        instance_type="ml.m5.large",
        instance_count=2,
        session=account.session,
        data_location=account.location,
    )


SPARSE = {"hashed": {"city": 8}, "one_hot": {}, "unknown": "refuse"}


@pytest.mark.parametrize("more", [{}, SPARSE], ids=["dense", "sparse"])
@pytest.mark.parametrize("form", ["frame", "blocks", "labels by name"])
def test_memory_and_files_make_the_same_records(
    account: Account, tmp_path: Path, more: dict[str, Any], form: str
) -> None:
    source = Source(**{**RULES, **more})
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    encoded = encode_files(
        [tmp_path / "a.csv"],
        tmp_path / "out",
        LinearLearner,
        channel="train",
        source=source,
        instance_count=2,
        target_shard_bytes=2**20,
        prefix="s3://b/p/",
        progress=lambda *_: None,
    )
    estimator = make(account)
    if form == "frame":
        made = estimator.record_set(FRAME, source=source, progress=False)
    elif form == "blocks":
        made = estimator.record_set(iter([FRAME[:30], FRAME[30:]]), source=source, progress=False)
    else:
        unlabelled = Source(**{**RULES, **more, "label": None})
        made = estimator.record_set(FRAME, "y", source=unlabelled, progress=False)
    assert (made.num_records, made.dropped, made.feature_dim, made.sparse, made.labels) == (
        encoded.num_records,
        encoded.dropped,
        encoded.feature_dim,
        encoded.sparse,
        encoded.labels,
    )
    assert made.read_as is not None and encoded.read_as is not None
    assert made.read_as.features == encoded.read_as.features
    if form != "blocks":  # which are dealt out to the shards
        shards = sorted((tmp_path / "out").glob("*.pbr"))
        bodies = [shard.read_bytes() for shard in shards]
        root = made.s3_data.removeprefix(f"s3://{account.bucket}/").rpartition("/")[0]
        uploaded = [
            account.s3.get_object(Bucket=account.bucket, Key=f"{root}/{shard.name}")["Body"].read()
            for shard in shards
        ]
        assert uploaded == bodies


def test_an_error_names_row_and_column_of_the_frame(account: Account) -> None:
    source = Source(**{**RULES, "unknown": "refuse"})
    with pytest.raises(InputError, match=r"row 3, column 0 \('city'\): 'Oslo' is not listed") as caught:
        make(account).record_set(FRAME, source=source, progress=False)
    assert "one_hot={'city': ['Berlin', 'Rome', 'Oslo']}" in caught.value.remedy
    wrong = FRAME.assign(age=[*FRAME["age"][:-1], np.inf])
    with pytest.raises(InputError, match=r"row 99, column 1 \('age'\): inf is not a finite number"):
        make(account).record_set(wrong, source=Source(**RULES), progress=False)
    blocks = iter([FRAME[:30].reset_index(), wrong[30:].reset_index()])
    with pytest.raises(InputError, match=r"row 99, column 2 \('age'\): inf is not a finite number"):
        make(account).record_set(blocks, source=Source(**RULES), progress=False)


@pytest.mark.parametrize(
    ("source", "labels", "message"),
    [
        ({"format": "csv"}, None, "data in memory have no format 'csv'"),
        ({"label": "y"}, np.zeros(100), "labels are given, and the Source names a label too"),
    ],
)
def test_what_only_files_have_is_refused(
    account: Account, source: dict[str, Any], labels: Any, message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        make(account).record_set(FRAME.dropna(), labels, source=Source(**source), progress=False)


def test_columns_of_an_array_go_by_position(account: Account) -> None:
    table = np.column_stack([np.arange(10.0), np.where(np.arange(10) % 3 == 0, np.nan, 1)])
    made = make(account).record_set(table, np.arange(10) % 2, source=Source(fill={1: 7}), progress=False)
    features, labels = made.read(session=account.session)
    assert isinstance(features, np.ndarray)
    np.testing.assert_array_equal(features[:, 1], np.where(np.arange(10) % 3 == 0, 7, 1))
    np.testing.assert_array_equal(labels, np.arange(10) % 2)
    facts = account.json(made.s3_data.replace(".amazon.manifest", "record_set.json"))
    assert facts["read_as"]["source"]["fill"] == [[1, 7]]
