"""Requests: what the container reads is what was given, in every content type that AWS documents."""

from __future__ import annotations

import csv
import io
import json
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.errors import InputError, RequestError
from amazon_estimators.inference import InferenceWarning, write_request
from amazon_estimators.recordio import read_matrix

RECORDIO, CSV = "application/x-recordio-protobuf", "text/csv"
JSON, JSON_LINES = "application/json", "application/jsonlines"
VECTORS = [name for name, algorithm in ALGORITHMS.items() if algorithm.inference.rows == "vector"]
ACCEPTED = [(name, kind) for name in VECTORS for kind in ALGORITHMS[name].inference.accepts]
EACH = pytest.mark.parametrize(("name", "content_type"), ACCEPTED)
MATRICES = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    elements=st.one_of(st.just(0.0), st.floats(-(2.0**100), 2.0**100, width=32)),
)


def vector(instance: dict[str, Any], width: int) -> list[float]:
    """A vector of a JSON request, read as AWS's page on common formats says."""
    if "features" in instance:
        return instance["features"]
    tensor = instance["data"]["features"]
    dense = np.zeros(tensor["shape"])
    dense[tensor["keys"]] = tensor["values"]
    assert len(dense) == width
    return dense.tolist()


def matrix(body: bytes, content_type: str, width: int) -> np.ndarray:
    """What a container reads."""
    if content_type == RECORDIO:
        features, labels = read_matrix(io.BytesIO(body))
        assert labels is None
        return features if isinstance(features, np.ndarray) else features.toarray()
    if content_type == CSV:
        return np.array([[float(cell) for cell in row] for row in csv.reader(io.StringIO(body.decode()))])
    instances = json.loads(body)["instances"] if content_type == JSON else map(json.loads, body.splitlines())
    return np.array([vector(instance, width) for instance in instances])


@EACH
@settings(max_examples=25)
@given(rows=MATRICES, sparse=st.booleans())
def test_vectors_arrive(name: str, content_type: str, rows: np.ndarray, sparse: bool) -> None:
    request = write_request(ALGORITHMS[name], sp.csr_matrix(rows) if sparse else rows, content_type)
    assert (request.content_type, request.rows) == (content_type, len(rows))
    np.testing.assert_array_equal(matrix(request.body, content_type, rows.shape[1]), rows)


@pytest.mark.parametrize("content_type", [RECORDIO, CSV, JSON, JSON_LINES])
@given(
    rows=hnp.arrays(
        np.float64, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.floats(-1e300, 1e300)
    )
)
def test_float64_keeps_its_digits(content_type: str, rows: np.ndarray) -> None:
    request = write_request(ALGORITHMS["KMeans"], rows, content_type)
    np.testing.assert_array_equal(matrix(request.body, content_type, rows.shape[1]), rows)


@pytest.mark.parametrize(
    "rows",
    [
        [1.5, 2.0],
        [[1.5, 2.0]],
        np.array([[1.5, 2.0]]),
        pd.DataFrame({"a": [1.5], "b": [2.0]}),
        sp.csr_array([[1.5, 2]]),
    ],
    ids=["one row", "lists", "array", "frame", "sparse"],
)
def test_rows_may_be_given_in_many_forms(rows: Any) -> None:
    request = write_request(ALGORITHMS["PCA"], rows, JSON)
    assert matrix(request.body, JSON, 2).tolist() == [[1.5, 2.0]]


def test_the_documented_forms() -> None:
    """Word for word the examples of AWS's page on common data formats."""
    dense = write_request(ALGORITHMS["KNN"], [[1.5, 16.0, 14.0, 23.0], [-2.0, 100.25, 15.25, 9.25]], JSON)
    assert json.loads(dense.body) == {
        "instances": [{"features": [1.5, 16.0, 14.0, 23.0]}, {"features": [-2.0, 100.25, 15.25, 9.25]}]
    }
    row = sp.coo_array(([1, 1, 1, 4, 1], ([0] * 5, [26, 182, 232, 243, 431])), shape=(1, 2000))
    sparse = write_request(ALGORITHMS["KNN"], row, JSON_LINES)
    assert json.loads(sparse.body) == {
        "data": {"features": {"keys": [26, 182, 232, 243, 431], "shape": [2000], "values": [1, 1, 1, 4, 1]}}
    }
    assert write_request(ALGORITHMS["KNN"], [1.5, 16, 14, 23], CSV).body == b"1.5,16.0,14.0,23.0\n"


PAIRS = [{"in0": [6, 17], "in1": [16, 21, 13]}, {"in0": [22], "in1": [32]}]


@pytest.mark.parametrize("content_type", [JSON, JSON_LINES])
@pytest.mark.parametrize(
    "rows",
    [
        PAIRS,
        [(one["in0"], one["in1"]) for one in PAIRS],
        [(np.array(one["in0"]), np.array(one["in1"])) for one in PAIRS],
    ],
    ids=["mappings", "pairs", "arrays"],
)
def test_token_pairs(content_type: str, rows: Any) -> None:
    request = write_request(ALGORITHMS["Object2Vec"], rows, content_type)
    read = (
        json.loads(request.body)["instances"]
        if content_type == JSON
        else [*map(json.loads, request.body.splitlines())]
    )
    assert (read, request.content_type, request.rows) == (PAIRS, content_type, 2)


def test_embeddings_ask_with_the_longest_sequences() -> None:
    rows = [{"in1": [6, 17]}, {"in1": [774]}]
    request = write_request(ALGORITHMS["Object2Vec"], rows, JSON_LINES, max_sequences=(30, 20))
    assert request.content_type == "application/jsonlines; infer_max_seqlens=30,20"
    assert [*map(json.loads, request.body.splitlines())] == rows
    with pytest.raises(RequestError, match=r"in1 alone ask for embeddings.*\n.*max_sequences"):
        write_request(ALGORITHMS["Object2Vec"], rows)
    for bad in ((0, 1), (1, 5001), (1,), (1.5, 2)):
        with pytest.raises(RequestError, match="two whole numbers from 1 to 5000"):
            write_request(ALGORITHMS["Object2Vec"], rows, max_sequences=bad)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="KMeans does not take max_sequences"):
        write_request(ALGORITHMS["KMeans"], [1.0], max_sequences=(1, 1))


@pytest.mark.parametrize(
    "row",
    [
        {"in0": []},
        {"in0": [1], "in2": [1]},
        {"in0": [-1]},
        {"in0": [1.5]},
        {"in0": [True]},
        {},
        ([1],),
        ([1], [2], [3]),
    ],
)
def test_token_pairs_that_are_none(row: Any) -> None:
    with pytest.raises(InputError, match="row 1"):
        write_request(ALGORITHMS["Object2Vec"], [{"in0": [1]}, row], max_sequences=(5, 5))


def test_scores_and_embeddings_are_not_mixed() -> None:
    with pytest.raises(InputError, match="row 1 has in0, row 0 has in0, in1"):
        write_request(ALGORITHMS["Object2Vec"], [PAIRS[0], {"in0": [1]}])


ENTITIES = [("user_7", "192.0.2.10"), ('a "quoted", one', "10.10.1.2")]


@pytest.mark.parametrize("content_type", [CSV, JSON, JSON_LINES])
@pytest.mark.parametrize(
    "rows", [ENTITIES, pd.DataFrame(ENTITIES), np.array(ENTITIES)], ids=["pairs", "frame", "array"]
)
def test_entity_pairs(content_type: str, rows: Any) -> None:
    body = write_request(ALGORITHMS["IPInsights"], rows, content_type).body
    if content_type == CSV:
        read = [tuple(row) for row in csv.reader(io.StringIO(body.decode()))]
    else:
        listed = (
            json.loads(body)["instances"] if content_type == JSON else [*map(json.loads, body.splitlines())]
        )
        read = [tuple(instance["features"]) for instance in listed]
    assert read == ENTITIES


@pytest.mark.parametrize(
    ("row", "text"),
    [(("u", "1.2.3"), "IPv4"), (("u",), "two values"), ("ab", "two values"), (("", "1.2.3.4"), "entity")],
)
def test_entity_pairs_that_are_none(row: Any, text: str) -> None:
    with pytest.raises(InputError, match=f"row 1.*{text}"):
        write_request(ALGORITHMS["IPInsights"], [ENTITIES[0], row])


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("content_type", [RECORDIO, CSV, JSON, JSON_LINES, "image/png"])
def test_content_types_are_accepted_warned_of_or_refused(name: str, content_type: str) -> None:
    """Refused with a sentence of AWS's documentation or for want of a form; undocumented is a warning."""
    facts = ALGORITHMS[name].inference
    rows: Any = {"vector": [[1.0]], "token_pair": PAIRS, "entity_pair": ENTITIES}[facts.rows]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            write_request(ALGORITHMS[name], rows, content_type)
            verdict = "warned" if told else "accepted"
        except RequestError as error:
            verdict = "refused"
            assert content_type in str(error)
            assert all(kind in str(error) for kind in facts.accepts)
            assert content_type == "image/png" or facts.source in str(error)
    if content_type in facts.accepts:
        assert verdict == "accepted"
    elif content_type == "image/png" or content_type in facts.excluded or facts.rows != "vector":
        assert verdict == "refused"
    else:
        assert verdict == "warned"
        assert issubclass(told[0].category, InferenceWarning)
        assert told[0].filename == __file__


@pytest.mark.parametrize("content_type", [RECORDIO, CSV, JSON, JSON_LINES])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none(content_type: str, sparse: bool, value: float) -> None:
    dense = np.array([[1, 2, 3], [4, 5, value]], np.float32)
    rows = sp.csr_array(dense) if sparse else dense
    with pytest.raises(InputError, match=rf"row 1, column 2 is {value}"):
        write_request(ALGORITHMS["KMeans"], rows, content_type)
    if content_type in {RECORDIO, CSV}:
        body = write_request(ALGORITHMS["KMeans"], rows, content_type, allow_nonfinite=True).body
        np.testing.assert_array_equal(matrix(body, content_type, 3), dense)
    else:
        with pytest.raises(InputError, match="JSON"):
            write_request(ALGORITHMS["KMeans"], rows, content_type, allow_nonfinite=True)


def test_wide_sparse_rows_are_not_filled_for_csv() -> None:
    with pytest.raises(InputError, match=r"1,000,000,000 numbers in CSV.*\n.*recordio"):
        write_request(ALGORITHMS["KMeans"], sp.csr_array((1, 10**9), dtype="f4"), CSV)


def test_the_default_is_the_first_documented_content_type() -> None:
    assert write_request(ALGORITHMS["KMeans"], [1.0]).content_type == RECORDIO
    assert write_request(ALGORITHMS["Object2Vec"], PAIRS).content_type == JSON_LINES
    assert write_request(ALGORITHMS["IPInsights"], ENTITIES).content_type == CSV
