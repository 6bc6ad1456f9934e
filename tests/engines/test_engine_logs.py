"""What a stand-in logs is what an algorithm's published expression finds; what it reads is checked."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from amazon_estimators.algorithms import ALGORITHMS, KNN, KMeans, RandomCutForest
from amazon_estimators.algorithms.channel_rules import CSV, JSON_LINES, PLAIN_TEXT
from amazon_estimators.algorithms.metrics import Metric
from amazon_estimators_rehearsal.sagemaker.checks.data import check_agreement
from amazon_estimators_rehearsal.sagemaker.checks.records import Records, combine, decode
from amazon_estimators_rehearsal.sagemaker.errors import JobFailedError
from amazon_estimators_rehearsal.sagemaker.telemetry import log_line

METRICS = [(name, metric) for name, one in ALGORITHMS.items() for metric in one.metrics]


@pytest.mark.parametrize(
    ("algorithm", "metric"), METRICS, ids=[f"{name}-{one.name}" for name, one in METRICS]
)
@pytest.mark.parametrize("value", [0.25, -7.125e-09, 1797.0])
def test_the_published_expression_finds_the_value(algorithm: str, metric: Metric, value: float) -> None:
    line = log_line(metric, value, "1.000")
    assert "\\" not in line
    if metric.regex is None:
        assert line == f"{metric.name} = {value}"
    else:
        found = re.search(metric.regex, line)
        assert found and float(found.group(1)) == value


def test_open_parts_of_a_name_are_worded() -> None:
    (metric,) = [one for one in ALGORITHMS["LinearLearner"].metrics if one.name == "train:objective_loss"]
    assert log_line(metric, 0.5, "mse") == (
        "#quality_metric: host=algo-1, epoch=0, train mse_objective <loss>=0.5"
    )


GOOD = [
    (JSON_LINES, b'{"label": 1, "in0": [6, 17], "in1": [16]}\n{"in1": [1], "in0": [2], "label": 0.5}\n', 2),
    (CSV, b"user_1,10.0.0.1\nuser_2,10.0.0.2", 2),
    (CSV, 'j\u00f6rg,10.0.0.1\r\n"a, b",10.0.0.2\n'.encode(), 2),
    (CSV, "a\u2028b,10.0.0.1\n".encode(), 1),
    (PLAIN_TEXT, "oven\nd\u00f6ner\n".encode(), 2),
]


@pytest.mark.parametrize(("content_type", "body", "count"), GOOD)
def test_texts_are_read(content_type: str, body: bytes, count: int) -> None:
    found = decode(content_type, body, "s3://bucket/folder/part_00000")
    assert (found.count, found.files) == (count, ("part_00000",))
    assert combine([found, found], "train").count == 2 * count


BAD = [
    (JSON_LINES, b'{"label": 1, "in0": [6], "in1": [16]}\n{"label": 1, "in0": [6]}', "line 2"),
    (JSON_LINES, b'{"label": "1", "in0": [6], "in1": [16]}', "label is not a number"),
    (JSON_LINES, b'{"label": NaN, "in0": [6], "in1": [16]}', "label is not a number"),
    (JSON_LINES, b'{"label": true, "in0": [6], "in1": [16]}', "label is not a number"),
    (JSON_LINES, b'{"label": 1, "in0": [], "in1": [16]}', "in0 is not a list"),
    (JSON_LINES, b'{"label": 1, "in0": [6], "in1": [-1]}', "in1 is not a list"),
    (JSON_LINES, b'{"label": 1, "in0": [6], "in1": [true]}', "in1 is not a list"),
    (JSON_LINES, b"[]\n", "line 1"),
    (JSON_LINES, b"\n", "line 1"),
    (JSON_LINES, b"", "no record"),
    (CSV, b"user_1,10.0.0.1\nuser_2", "line 2: it does not have two columns"),
    (CSV, b"user_1,10.0.0.1,x", "line 1"),
    (CSV, b",10.0.0.1", "line 1"),
    (CSV, b'"user,10.0.0.1', "line 1"),
    (CSV, b"\xff,10.0.0.1", "utf-8"),
    (PLAIN_TEXT, b"oven\n\ndough\n", "line 2: it is empty"),
]


@pytest.mark.parametrize(("content_type", "body", "message"), BAD)
def test_texts_are_checked(content_type: str, body: bytes, message: str) -> None:
    with pytest.raises(JobFailedError, match=f"s3://bucket/part.*{message}|{message}"):
        decode(content_type, body, "s3://bucket/part")


FLOATS = Records(4, 3, np.ones((4, 3), np.float32))
LABELLED = replace(FLOATS, labels=np.ones(4, np.float32))
NEIGHBOURS = KNN(k=1, sample_size=4, predictor_type="regressor")


def test_records_that_agree() -> None:
    check_agreement(KMeans(k=2, feature_dim=3), {"train": FLOATS})
    check_agreement(KMeans(k=2), {"train": replace(FLOATS, values=FLOATS.values.astype(np.float64))})
    check_agreement(NEIGHBOURS, {"train": LABELLED})


@pytest.mark.parametrize(
    ("algorithm", "records", "message"),
    [
        (KMeans(k=2, feature_dim=4), FLOATS, "feature_dim is 4, the records have 3"),
        (NEIGHBOURS, FLOATS, "no labels"),
        (RandomCutForest(), LABELLED, "takes none"),
        (NEIGHBOURS, replace(LABELLED, values=np.ones((4, 3))), "values are float64; allowed: float32"),
    ],
)
def test_records_that_do_not(algorithm: object, records: Records, message: str) -> None:
    with pytest.raises(JobFailedError, match=f"Channel train: .*{message}"):
        check_agreement(algorithm, {"train": records})  # type: ignore[arg-type]
