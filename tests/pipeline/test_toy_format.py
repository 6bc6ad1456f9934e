"""A format is a module and a line in the table: with both, a pipeline trains on it."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import toy_format
from pipeline_runs import Pipeline

from amazon_estimators.errors import RequestError
from amazon_estimators.recordio import read_matrix
from amazon_estimators.sources import Source
from amazon_estimators.sources.formats import COLUMNS, FORMATS, Format, extensions

ROWS = np.arange(30, dtype=np.float32).reshape(10, 3)
TEXT = "a;b;y\n" + "".join(f"{a:g};{b:g};{y:g}\n" for a, b, y in ROWS)

REGRESSION = {"algorithm": "LinearLearner", "hyperparameters": {"predictor_type": "regressor"}}


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    entry = Format(module="toy_format", extensions=(".toy",), options=COLUMNS, labels="column", names=True)
    monkeypatch.setitem(FORMATS, "toy", entry)
    monkeypatch.setitem(sys.modules, "amazon_estimators.sources.toy_format", toy_format)
    extensions.cache_clear()
    yield
    extensions.cache_clear()


def learned(pipeline: Pipeline) -> tuple[np.ndarray, np.ndarray | None]:
    """What a training container reads after Plan, Encode and Seal."""
    planned = pipeline.train()
    parts = [read_matrix(io.BytesIO(shard)) for shard in pipeline.shards(planned)]
    labels = [label for _, label in parts if label is not None]
    return np.concatenate([rows for rows, _ in parts]), np.concatenate(labels) if labels else None


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.toy", {}), ("part-0", {"format": "toy"}), ("a.TOY", {"format": "toy"})],
    ids=["by extension", "by format", "by both"],
)
@pytest.mark.parametrize("labelled", [False, True])
def test_by_extension_and_by_format(
    pipeline: Pipeline, name: str, options: dict[str, Any], labelled: bool
) -> None:
    pipeline.put(f"train/{name}", TEXT.encode())
    pipeline.settings["instance_count"] = 2
    if labelled:
        options = {**options, "label": "y"}
        pipeline.settings |= {
            "algorithm": "LinearLearner",
            "hyperparameters": {"predictor_type": "regressor"},
        }
    pipeline.settings["channels"] = {"train": options}
    rows, labels = learned(pipeline)
    assert (rows == (ROWS[:, :2] if labelled else ROWS)).all()
    assert labels is None if not labelled else (np.array(labels) == ROWS[:, 2]).all()


def test_the_rules_of_columns_hold_for_it(pipeline: Pipeline) -> None:
    pipeline.put("train/a.toy", TEXT.encode())
    pipeline.settings |= REGRESSION
    with pytest.raises(
        RequestError, match=r"needs a label, and its Source names none of the 3 .*\('a', 'b', 'y'\)"
    ):
        pipeline.plan()
    with pytest.raises(RequestError, match=r"delimiter is ';', and format 'toy' has no such option"):
        Source(format="toy", delimiter=";")
    with pytest.raises(RequestError, match="did you mean 'toy'"):
        Source(format="toi")
