"""libsvm: rows stay sparse, every line once wherever a file is cut; faults named."""

from __future__ import annotations

import gzip
import io
import itertools
import re

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import dump_svmlight_file

from amazon_estimators.errors import InputError, SchemaError
from amazon_estimators.sources import Piece, Source, libsvm
from amazon_estimators.sources.files import text_lines
from amazon_estimators.sources.files.text_lines import BOM
from amazon_estimators.sources.numbers import NUMBER, value_of
from amazon_estimators.storage.s3 import InputObject
from sources.in_memory_s3 import InMemoryS3


def read(s3, pieces, source, schema):
    blocks = [block for piece in pieces for block in libsvm.read(s3, piece, source, schema)]
    parts = [block.features for block in blocks]
    rows = [
        scipy.sparse.csr_matrix((one.data, one.indices, one.indptr), (len(one), one.width)) for one in parts
    ]
    labels = None if not source.keep_labels else np.concatenate([block.labels for block in blocks])
    return scipy.sparse.vstack(rows), labels


@settings(max_examples=60)
@given(
    seed=st.integers(0, 999),
    rows=st.integers(1, 30),
    first=st.integers(0, 1),
    end=st.sampled_from(["\n", "\r\n", " \n", "\n\n", " # note 3:4\n", "\n# 1 2:3\n"]),
    bom=st.booleans(),
    at_once=st.integers(1, 99),
    data=st.data(),
)
def test_every_line_once_as_scikit_learn_wrote_it(seed, rows, first, end, bom, at_once, data):
    made = np.random.default_rng(seed)
    matrix = scipy.sparse.random_array((rows, 9), density=0.3, format="csr", rng=made)
    labels = made.integers(-1, 2, rows) / 2
    out = io.BytesIO()
    dump_svmlight_file(matrix, labels, out, zero_based=first == 0)
    body = (BOM if bom else b"") + out.getvalue().replace(b"\n", end.encode())
    s3 = InMemoryS3()
    found, source = s3.put("a.svm", body), Source(first_index=first, feature_count=9)
    layout = libsvm.look(s3, found, source)
    assert (layout.records, layout.schema.feature_dim, layout.schema.sparse) == (rows, 9, True)
    inner = data.draw(st.lists(st.integers(0, len(body)), max_size=3).map(sorted))
    by_byte = [
        Piece(found, *ends) for ends in itertools.pairwise([0, *inner, len(body)]) if ends[0] < ends[1]
    ]
    cuts = [layout.cut(row) for row in range(rows + 1)]
    by_row = [Piece(found, *ends, first_row=row) for row, ends in enumerate(itertools.pairwise(cuts))]
    for pieces in (by_byte, by_row):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(text_lines, "STEP_BYTES", at_once)
            features, found_labels = read(s3, pieces, source, layout.schema)
        np.testing.assert_allclose(features.toarray(), matrix.toarray(), rtol=1e-15)
        np.testing.assert_array_equal(found_labels, labels)


def test_without_feature_count_all_is_read_once_for_it(monkeypatch):
    s3 = InMemoryS3()
    body = b"1 2:1\n" * 1000 + b"0 77:1\n"
    for key, packed in (("a.svm", body), ("a.svm.gz", gzip.compress(body))):
        found = s3.put(key, packed)
        assert libsvm.look(s3, found, Source()).schema.feature_dim == 77
        layout = libsvm.look(s3, found, Source(feature_count=100))
        assert (layout.schema.feature_dim, layout.whole) == (100, key.endswith("gz"))
    features, labels = read(s3, [Piece(found, 0, found.size)], Source(keep_labels=False), layout.schema)
    assert (features.shape, labels) == ((1001, 100), None)


def read_slowly(text):
    """Return (values, columns from 0, row ends, labels) token by token; None if one is faulty."""
    values, columns, ends, labels = [], [], [0], []
    for line in text.split(b"\n"):
        tokens = line.partition(b"#")[0].removesuffix(b"\r").replace(b"\t", b" ").split(b" ")
        label, *pairs = [token for token in tokens if token] or [None]
        if label is None:
            continue
        matches = [re.fullmatch(rb"(\d+):(.+)", pair, re.DOTALL) for pair in pairs]
        if not NUMBER.fullmatch(label) or not all(match and NUMBER.fullmatch(match[2]) for match in matches):
            return None
        labels.append(value_of(label))
        columns += [int(match[1]) for match in matches]
        values += [value_of(match[2]) for match in matches]
        ends.append(len(values))
    return values, columns, ends, labels


numbers = st.one_of(
    st.floats().map(repr),
    st.integers(-9, 2**24).map(str),
    st.sampled_from(["+2", ".5", "5.", "1e400", "-inf"]),
)
rows_of_text = st.builds(
    lambda label, pairs, end: " ".join([label, *(f"{index}:{value}" for index, value in pairs)]) + end,
    numbers,
    st.lists(st.tuples(st.integers(0, 2**40), numbers), max_size=4),
    st.sampled_from(["\n", "\n", "\r\n", " \n", "\n\n", "# 1\n"]),
)
CHANGES = [
    b"",
    b" ",
    b"\t",
    b":",
    b"\n",
    b"#",
    b"x",
    b"0x1",
    b"-",
    b"+",
    b".",
    b"e",
    b"1",
    b",",
    b"\0",
    b"\x0b",
    b"\xff",
]


@settings(max_examples=500)
@given(rows=st.lists(rows_of_text, min_size=1, max_size=4), data=st.data())
def test_all_tokens_at_once_and_one_by_one_agree(rows, data):
    changed = bytearray("".join(rows).encode())
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at : at + data.draw(st.integers(0, 1))] = data.draw(st.sampled_from(CHANGES))
    text = bytes(changed) + b"\n"
    expected, piece = read_slowly(text), Piece(InputObject("b", "a.svm", len(text), "e"), 0, len(text), 0)
    if expected is None:
        with pytest.raises(InputError):
            libsvm._parse(text, piece, Source(first_index=0, keep_labels=False), 0)
        return
    parsed = libsvm._parse(text, piece, Source(first_index=0, keep_labels=False), 0)
    for array, values in zip(parsed, expected, strict=True):
        np.testing.assert_array_equal(array, values)


@pytest.mark.parametrize("text", [b" 1 1:2\n", b"\n1 1:2\n", b"\t1  1:2 \n", b"# 0 3:4\n1 1:2#\n"])
def test_blanks_and_comments_around_tokens_are_left_out(text):
    features, labels = read_text(text)
    assert (features.toarray().tolist(), labels.tolist()) == ([[2, 0, 0, 0]], [1])


@pytest.mark.parametrize("text", [b"1 1:2\r\r\n", b"1 1:2\r \n", b"1\r 1:2\n", b"1 \r1:2\n"])
def test_a_carriage_return_beside_a_blank_is_blank(text):
    features, labels = read_text(text)
    assert (features.toarray().tolist(), labels.tolist()) == ([[2, 0, 0, 0]], [1])


@pytest.mark.parametrize(
    "text", [b"\r1 1:2\n", b"1 1:2 \r 2:3\n", b"1 1:2\r2:3\n", b"1 1:\r2\n", b"1 1\r:2\n"]
)
def test_any_other_carriage_return_is_refused(text):
    with pytest.raises(InputError):
        read_text(text)


def read_text(text):
    s3 = InMemoryS3()
    found, source = s3.put("a.svm", text), Source(feature_count=4)
    return read(s3, [Piece(found, 0, found.size)], source, libsvm.look(s3, found, source).schema)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"1 1:2\nx 1:2\n", "row 1: 'x' is not a label"),
        (b"1 1:2\n1 2\n", "row 1: '2' is no index:value"),
        (b"1 1:2\n1 2:\n", "row 1: '2:' is no index:value"),
        (b"1 1:2\n1 -1:5\n", "row 1: '-1:5' is no index:value"),
        (b"1 1:2\n1 -5:5\n", "row 1: '-5:5' is no index:value"),
        (b"1 1:2\n1 a:5\n", "row 1: 'a:5' is no index:value"),
        (b"1 1:2\n1,2 1:5\n", "row 1: '1,2' is not a label"),
        (b"1 1:2\n1 qid:3 1:5\n", "row 1: 'qid:3' is no index:value"),
        (b"1 1:2\n1:2 3\n", "row 1: '1:2' is not a label"),
        (b"1 1:2\n1 1:2:3 4\n", "row 1: '1:2:3' is no index:value"),
        (b"1 1:2\n1 1:2:3\n", "row 1: '1:2:3' is no index:value"),
        (b"1 1:2\n1 1:2 99999999999999999999:1\n", "row 1: '99999999999999999999:1' is no index:value"),
        (b"1 1:2\n1 0x1:2\n", "row 1: '0x1:2' is no index:value"),
        (b"1 1:2\n1 0X1:2\n", "row 1: '0X1:2' is no index:value"),
        (b"1 1:2\n1 1,2\n", "row 1: '1,2' is no index:value"),
        (b"1 1:2\n1 2:5 -0:2\n", "row 1: '-0:2' is no index:value"),
        (b"1 1:2\n16777217 1:2\n", "row 1, label: 16777217 has no exact float32"),
        (b"1 1:2\n16777217\r\r\n", "row 1, label: 16777217 has no exact float32"),
        (b"1 1:2\n-9007199254740993 1:2\n", "row 1, label: -9007199254740993 has no exact float32"),
        (b"1 1:2\n1 0:5\n", "row 1: index 0, the first is 1"),
        (b"1 1:2\n1 3:5 3:6\n", "row 1: column 2 occurs twice"),
        (b"1 1:2\n1 9:5\n", "row 1: column 8; allowed: 0 to 3"),
        (b"", "is empty"),
        (b"# nothing\n\n", "has no row"),
    ],
)
def test_the_first_fault_is_named(body, message):
    s3 = InMemoryS3()
    found, source = s3.put("a.svm", body), Source(feature_count=4)
    with pytest.raises(InputError, match=message):
        layout = libsvm.look(s3, found, source)
        list(libsvm.read(s3, Piece(found, 0, found.size, first_row=0), source, layout.schema))


def test_an_index_beyond_all_features_is_refused():
    s3 = InMemoryS3()
    with pytest.raises(InputError, match="a feature of index 99999999999; allowed: up to 2147483647"):
        libsvm.look(s3, s3.put("a.svm", b"1 99999999999:1\n"), Source())


def test_columns_cannot_be_chosen():
    s3 = InMemoryS3()
    with pytest.raises(SchemaError, match="keep_labels=False"):
        libsvm.look(s3, s3.put("a.svm", b"1 1:2\n"), Source(label=0))


def test_labels_that_may_be_rounded_and_those_that_need_not_be():
    body = (
        b"16777217.0 1:-0.5\n16777217e0 1:2\n+016777218 1:2\n-18014398509481984 1:2\n1e39 1:2 # 1,2 0x3 -4\n"
    )
    s3 = InMemoryS3()
    found = s3.put("a.svm", body)
    layout = libsvm.look(s3, found, Source())
    _, labels = read(s3, [Piece(found, 0, found.size, 0)], Source(), layout.schema)
    np.testing.assert_array_equal(labels, [16777217, 16777217, 16777218, -(2**54), 1e39])
    dropped = s3.put("b.svm", b"16777217 1:2\n")
    assert libsvm.look(s3, dropped, Source(keep_labels=False)).records == 1


def test_a_look_counts_rows_from_the_start(monkeypatch):
    monkeypatch.setattr(text_lines, "STEP_BYTES", 12)
    s3 = InMemoryS3()
    with pytest.raises(InputError, match="row 5: 'a:2' is no index:value"):
        libsvm.look(s3, s3.put("a.svm", b"1 1:2\n" * 5 + b"1 a:2\n"), Source())
