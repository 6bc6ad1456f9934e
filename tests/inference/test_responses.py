"""Responses: every algorithm's fields, in every content type that AWS documents for it."""

from __future__ import annotations

import io
import json
import warnings
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.errors import AmazonEstimatorsError, InputError, RequestError, ResponseError
from amazon_estimators.inference import InferenceWarning, accept_for, read_response
from amazon_estimators.sdk.common import RecordDeserializer, RecordSerializer
from inference.answers import body, recordio

RECORDIO, CSV = "application/x-recordio-protobuf", "text/csv"
JSON, JSON_LINES = "application/json", "application/jsonlines"
RETURNED = [(name, kind) for name, algorithm in ALGORITHMS.items() for kind in algorithm.inference.returns]
FEW = settings(max_examples=25)
"""Examples per algorithm and content type."""
NUMBERS = st.floats(-1e6, 1e6, width=32)


@st.composite
def predictions(draw: Any, name: str) -> list[dict[str, Any]]:
    """Some predictions of an algorithm, all of one kind."""
    facts = ALGORITHMS[name].inference
    optional = draw(st.booleans())
    rows, several = draw(st.integers(1, 5)), draw(st.booleans())
    fields = [field for field in facts.fields if optional or not field.optional] or [facts.fields[0]]
    columns = {}
    for field in fields:
        one: st.SearchStrategy[Any] = st.integers(0, 1000).map(float) if field.integer else NUMBERS
        if field.shape == "vector" or (field.shape == "either" and several):
            width = draw(st.integers(2, 4) if field.shape == "either" else st.integers(1, 4))
            one = st.lists(one, min_size=width, max_size=width)
        columns[field.name] = draw(st.lists(one, min_size=rows, max_size=rows))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize(("name", "content_type"), RETURNED)
@FEW
@given(data=st.data())
def test_predictions_arrive(name: str, content_type: str, data: Any) -> None:
    algorithm = ALGORITHMS[name]
    records = data.draw(predictions(name))
    read = read_response(algorithm, body(algorithm, records, content_type), content_type + "; verbose=true")
    assert read.records() == records
    assert read.rows == len(records)
    for field, column in read.items():
        assert column.dtype == (np.int64 if algorithm.inference.field_named(field).integer else np.float64)


def test_the_documented_examples() -> None:
    """Examples of AWS's pages, with what they mean."""
    kmeans, forest = ALGORITHMS["KMeans"], ALGORITHMS["RandomCutForest"]
    lines = b'{"distance_to_cluster": 23.40593910217285, "closest_cluster": 0.0}\n'
    assert read_response(kmeans, lines, JSON_LINES).records() == [
        {"closest_cluster": 0, "distance_to_cluster": 23.40593910217285}
    ]
    assert read_response(kmeans, b"1.0,3.0\n2.0,5.0\n", CSV)["closest_cluster"].tolist() == [1, 2]
    both = recordio([{"closest_cluster": [1.0, 2.0], "distance_to_cluster": [3.0, 5.0]}])
    assert read_response(kmeans, both, RECORDIO)["distance_to_cluster"].tolist() == [3, 5]
    assert read_response(forest, b'{"scores": [{"score": 0.02}, {"score": 0.25}]}', JSON)[
        "score"
    ].tolist() == [0.02, 0.25]
    assert read_response(forest, b'{"score": 0.02},\n{"score": 0.25}\n', JSON_LINES)["score"].tolist() == [
        0.02,
        0.25,
    ]
    multiclass = b'{"predictions": [{"score": [0.1, 0.2, 0.4, 0.3], "predicted_label": 2}]}'
    assert read_response(ALGORITHMS["LinearLearner"], multiclass, JSON)["score"].shape == (1, 4)
    assert read_response(kmeans, b"", JSON_LINES).records() == []


def test_the_last_record_may_lack_its_padding() -> None:
    algorithm = ALGORITHMS["LinearLearner"]
    for width in range(1, 9):
        records = [{"score": [0.5] * width}] * 2
        whole = recordio(records)
        cut = whole.rstrip(b"\0") if len(whole.rstrip(b"\0")) >= len(whole) - 3 else whole
        assert read_response(algorithm, cut, RECORDIO).rows == 2


WRONG = {
    "list key of another algorithm": (
        "PCA",
        b'{"predictions": [{"projection": [1.0]}]}',
        JSON,
        "no list 'projections'",
    ),
    "fields of another algorithm": ("KMeans", b'{"predictions": [{"score": 1.0}]}', JSON, "closest_cluster"),
    "no optional field either": ("Object2Vec", b'{"predictions": [{}]}', JSON, "answers scores, embeddings"),
    "no object": ("KMeans", b'{"predictions": [5]}', JSON, "expecting an object"),
    "no JSON": ("KMeans", b"<html>", JSON, "not JSON"),
    "JSON too deep": ("KMeans", b"[" * 100_000, JSON, "not JSON"),
    "line that is no JSON": ("KNN", b'{"predicted_label": 1.0}\nerror\n', JSON_LINES, "line 2 is not JSON"),
    "field that goes missing": (
        "KNN",
        b'{"predicted_label": 1.0}\n{}\n',
        JSON_LINES,
        "prediction 1 has no predicted_label",
    ),
    "text for a number": ("KNN", b'{"predicted_label": "1"}', JSON_LINES, "expecting a number"),
    "truth for a number": ("KNN", b'{"predicted_label": true}', JSON_LINES, "expecting a number"),
    "fraction for a cluster": ("KMeans", b"1.5,2.0\n", CSV, "expecting a whole number"),
    "no number for a cluster": ("KMeans", b"nan,2.0\n", CSV, "expecting a whole number"),
    "number beyond all": (
        "KNN",
        b'{"predicted_label": 1' + b"0" * 400 + b"}",
        JSON_LINES,
        "expecting a number",
    ),
    "lists of two lengths": (
        "PCA",
        b'{"projection": [1.0, 2.0]}\n{"projection": [1.0]}\n',
        JSON_LINES,
        "prediction 1: projection is .*list of 2 numbers",
    ),
    "number for a list": ("PCA", b'{"projection": 1.0}', JSON_LINES, "expecting a list"),
    "list and number": (
        "LinearLearner",
        b'{"score": [1.0, 2.0]}\n{"score": 1.0}',
        JSON_LINES,
        "expecting a list of 2",
    ),
    "three columns": ("KMeans", b"1,2,3\n", CSV, "3 values"),
    "CSV of words": ("KMeans", b"a,b\n", CSV, "not CSV of closest_cluster"),
    "CSV of no text": ("KMeans", b"\xff\xfe\n", CSV, "not CSV of closest_cluster"),
    "CSV where there is none": ("PCA", b"1,2\n", CSV, "does not answer with"),
    "unknown content type": ("PCA", b"", "text/html", "'text/html'"),
    "no RecordIO": ("PCA", b"<html></html>", RECORDIO, "not RecordIO"),
    "a field without values": (
        "KMeans",
        recordio([{"closest_cluster": [], "distance_to_cluster": [1.0]}]),
        RECORDIO,
        "expecting a whole number",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_response(case: str) -> None:
    name, content, content_type, text = WRONG[case]
    with pytest.raises(ResponseError, match=text):
        read_response(ALGORITHMS[name], content, content_type)


@pytest.mark.parametrize(("name", "content_type"), RETURNED)
@FEW
@given(data=st.data(), at=st.integers(0, 10_000), bits=st.integers(1, 255), cut=st.booleans())
def test_damaged_responses_end_in_a_response_error(
    name: str, content_type: str, data: Any, at: int, bits: int, cut: bool
) -> None:
    content = bytearray(body(ALGORITHMS[name], data.draw(predictions(name)), content_type))
    content[at % len(content)] ^= bits
    if cut:
        del content[at % len(content) :]
    with suppress(ResponseError):
        read_response(ALGORITHMS[name], bytes(content), content_type)


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("content_type", [RECORDIO, CSV, JSON, JSON_LINES, "image/png"])
def test_accept_is_documented_warned_of_or_refused(name: str, content_type: str) -> None:
    facts = ALGORITHMS[name].inference
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            assert accept_for(ALGORITHMS[name], content_type) == content_type
            verdict = "warned" if told else "accepted"
        except RequestError as error:
            verdict = "refused"
            assert facts.source in str(error)
    if content_type in facts.returns:
        assert verdict == "accepted"
    elif content_type in {CSV, "image/png"} or content_type in facts.excluded:
        assert verdict == "refused"
    else:
        assert verdict == "warned"
        assert issubclass(told[0].category, InferenceWarning)


def test_verbose_responses() -> None:
    assert accept_for(ALGORITHMS["KNN"], JSON, verbose=True) == "application/json; verbose=true"
    assert accept_for(ALGORITHMS["IPInsights"], verbose=True) == "application/json; verbose=True"
    with pytest.raises(RequestError, match="KMeans has no verbose response"):
        accept_for(ALGORITHMS["KMeans"], verbose=True)


def test_the_sdks_serializer_and_deserializer() -> None:
    """As those of the SageMaker Python SDK 2: names, content types, shapes, and files that are closed."""
    rows = np.array([[1.5, 2.0], [3.0, 4.0]], np.float32)
    serializer, deserializer = RecordSerializer(), RecordDeserializer()
    assert (serializer.CONTENT_TYPE, deserializer.ACCEPT) == (RECORDIO, (RECORDIO,))
    assert RecordSerializer(content_type="a/b").CONTENT_TYPE == "a/b"
    assert RecordDeserializer(accept="a/b").ACCEPT == ("a/b",)
    assert RecordDeserializer(accept=("a/b", "c/d")).ACCEPT == ("a/b", "c/d")
    file = serializer.serialize(rows)
    read = deserializer.deserialize(file, RECORDIO)
    assert [list(one.features["values"].float32_tensor.values) for one in read] == rows.tolist()
    assert file.closed
    assert len(deserializer.deserialize(serializer.serialize(rows[0]), RECORDIO)) == 1
    with pytest.raises(ValueError, match="2, 2"):
        serializer.serialize(rows.reshape(1, 2, 2))
    whole = recordio([{"score": [0.5], "predicted_label": [1.0]}])
    for missing in range(len(whole) - len(whole.rstrip(b"\0")) + 1):
        assert len(deserializer.deserialize(io.BytesIO(whole[: len(whole) - missing]), RECORDIO)) == 1
    broken = io.BytesIO(b"no record at all")
    with pytest.raises(AmazonEstimatorsError):
        deserializer.deserialize(broken, RECORDIO)
    assert broken.closed


def test_the_serializer_carries_nan_if_it_is_told_to() -> None:
    rows = np.array([[1.0, np.nan]])
    with pytest.raises(InputError, match="row 0, column 1"):
        RecordSerializer().serialize(rows)
    [record] = RecordDeserializer().deserialize(
        RecordSerializer(allow_nonfinite=True).serialize(rows), RECORDIO
    )
    np.testing.assert_array_equal(record.features["values"].float64_tensor.values, rows[0])


def test_json_of_machines_is_plain() -> None:
    read = read_response(ALGORITHMS["KMeans"], b"1.0,3.0\n", CSV)
    assert json.loads(json.dumps(read.records())) == [{"closest_cluster": 1, "distance_to_cluster": 3.0}]
