"""docs/tables.md: every Source on the page, tried on the table that stands there."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import murmurhash3_32

from amazon_estimators.algorithms import KMeans, LinearLearner
from amazon_estimators.client.local_encoding import encode_files
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.sources import Source

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
CUSTOMERS, RATINGS = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
SOURCES = re.findall(r"```python\n(Source\(.*?)```", PAGE, re.DOTALL)
RESULTS = ROOT / "benchmarks" / "results" / "columns.json"


def source_of(code: str) -> Source:
    source: Source = eval(code, {"Source": Source})
    return source


def encoded(tmp_path: Path, source: Source) -> RecordSet:
    table = RATINGS if source.label == "rating" else CUSTOMERS
    path = tmp_path / "table.csv"
    path.write_text(table)
    return encode_files(
        [path],
        tmp_path / "out",
        LinearLearner if source.label else KMeans,
        channel="train",
        source=source,
        instance_count=1,
        target_shard_bytes=2**20,
        prefix="s3://b/p/",
        progress=lambda *_: None,
    )


def test_there_are_examples() -> None:
    assert len(SOURCES) == 5


@pytest.mark.parametrize("code", SOURCES)
def test_a_source_on_the_page_is_read(tmp_path: Path, code: str) -> None:
    assert encoded(tmp_path, source_of(code)).num_records


def test_the_first_one_makes_what_the_page_says(tmp_path: Path) -> None:
    record_set = encoded(tmp_path, source_of(SOURCES[0]))
    assert record_set.read_as is not None
    assert record_set.read_as.features is not None
    (sentence,) = re.findall(r"The features are (.*?);", PAGE)
    assert list(record_set.read_as.features) == re.findall(r"`(.*?)`", sentence)
    assert (record_set.num_records, record_set.dropped) == (3, 1)


def test_the_hash_is_the_one_that_the_page_names(tmp_path: Path) -> None:
    record_set = encoded(tmp_path, source_of(next(code for code in SOURCES if "user_id" in code)))
    assert record_set.sparse and record_set.feature_dim == 2**20 + 2**18
    (line,) = re.findall(r"`sklearn\.utils\.(murmurhash3_32\(.*?2\*\*20)`", PAGE)
    assert 0 <= eval(line, {"murmurhash3_32": murmurhash3_32}) < 2**20


def test_ids_share_features_as_often_as_the_page_says() -> None:
    """A third where there are as many features as ids, one in ten with ten times as many."""
    for times, shared in ((1, 1 / 3), (10, 0.1)):
        ids = 100_000
        buckets = [murmurhash3_32(str(one), positive=True) % (ids * times) for one in range(ids)]
        counts = np.bincount(buckets)
        lost = 1 - np.count_nonzero(counts) / ids if times == 1 else (counts[counts > 1].sum()) / ids
        assert abs(lost - shared) < 0.04


def test_the_notebook_takes_the_same_rules() -> None:
    from amazon_estimators.sources.in_memory import features_of

    (call,) = re.findall(r"estimator\.record_set\(frame, source=(Source\(.*\))\)", PAGE)
    frame = pd.read_csv(pd.io.common.StringIO(CUSTOMERS))
    block = features_of(frame, source_of(call))
    assert len(block.features) == 2  # of four, one has no age and one no income


def test_the_costs_are_those_of_the_last_run() -> None:
    figures: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))["encode"]
    rows = {
        "fill": "`fill` of all columns",
        "fill and one_hot": "the same, and `one_hot` of a column of 8 words",
        "drop_incomplete and scale": "`drop_incomplete` and `scale` of all columns",
    }
    for name, words in rows.items():
        csv, parquet = (figures[kind][name]["ratio"] for kind in ("csv", "parquet"))
        assert f"| {words} | {csv:.2f} | {parquet:.2f} |" in PAGE


def test_every_example_is_python() -> None:
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        ast.parse(code)
