"""The writers against protobuf's own serialiser, and what they refuse."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from amazon_estimators import recordio
from amazon_estimators.errors import InputError
from amazon_estimators.recordio import csr_rows as compressed
from amazon_estimators.recordio import dense
from recordio.protocol import MAGIC, expected_dense, expected_sparse

FLOATS = ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8"]
INTEGERS = ["?", "i1", "u1", "<i2", ">i2", "<u2", ">u2", "<i4", ">i4", "<u4", "<i8", ">i8"]


def numbers(rng, shape, dtype):
    """Random numbers over the whole range the dtype and Int32Tensor share."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return rng.random(shape) < 0.5
    if kind.kind in "iu":
        low = max(np.iinfo(kind).min, -(2**31))
        high = min(np.iinfo(kind).max, 2**31 - 1)
        bits = rng.integers(1, 33, shape)
        return np.clip(rng.integers(low, high, shape, endpoint=True) >> (32 - bits), low, high).astype(kind)
    return (rng.standard_normal(shape) * 10.0 ** rng.integers(-4, 4, shape)).astype(kind)


def layouts(array):
    """The same matrix in other memory layouts."""
    rows, columns = array.shape
    wide = np.zeros((rows, columns + 3), array.dtype)
    wide[:, 1 : columns + 1] = array
    every_other = np.zeros((2 * rows, columns), array.dtype)
    every_other[::2] = array
    return [
        np.asfortranarray(array),
        wide[:, 1 : columns + 1],
        every_other[::2],
        np.ascontiguousarray(array[::-1, ::-1])[::-1, ::-1],
    ]


@st.composite
def matrices(draw, zeros):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(st.integers(1, 40)), draw(st.one_of(st.integers(1, 40), st.sampled_from([127, 128, 300]))))
    array = numbers(rng, shape, draw(st.sampled_from(FLOATS + INTEGERS)))
    if zeros:
        array = array * (rng.random(shape) < draw(st.sampled_from([0, 0.02, 0.3, 1.0]))).astype(array.dtype)
    label_dtype = draw(st.sampled_from([None, *FLOATS, *INTEGERS]))
    labels = None if label_dtype is None else numbers(rng, shape[0], label_dtype)
    return array, labels


@pytest.fixture(params=[None, 1 << 10])
def block_bytes(request, monkeypatch):
    """Also with blocks so small that every test crosses their boundaries."""
    if request.param:
        monkeypatch.setattr(dense, "BLOCK_BYTES", request.param)
        monkeypatch.setattr(compressed, "BLOCK_VALUES", 50)
        monkeypatch.setattr(compressed, "BLOCK_ROWS", 7)


quick = settings(max_examples=60, suppress_health_check=list(HealthCheck))


@quick
@given(matrices(zeros=False), st.integers(0, 3))
def test_dense_equals_protobuf(block_bytes, matrix, layout):
    array, labels = matrix
    expected = expected_dense(array, labels)
    assert bytes(recordio.encode_dense(array, labels)) == expected
    assert bytes(recordio.encode_dense(layouts(array)[layout], labels)) == expected


@quick
@given(matrices(zeros=True), st.integers(0, 3))
def test_sparse_equals_protobuf(block_bytes, matrix, layout):
    array, labels = matrix
    expected = expected_sparse(array, labels)
    assert bytes(recordio.encode_sparse(array, labels)) == expected
    assert bytes(recordio.encode_sparse(layouts(array)[layout], labels)) == expected
    rows, columns = np.nonzero(array)
    indptr = np.concatenate([[0], np.cumsum(np.count_nonzero(array, axis=1))])
    parts = (array[rows, columns], columns.astype(np.int32), indptr, array.shape)
    assert bytes(recordio.encode_sparse(parts, labels)) == expected


@quick
@given(matrices(zeros=True), st.data())
def test_shards_concatenate_to_the_whole(block_bytes, matrix, data):
    array, labels = matrix
    cuts = sorted(data.draw(st.lists(st.integers(0, len(array)), max_size=4)))
    for encode in (recordio.encode_dense, recordio.encode_sparse):
        whole = bytes(encode(array, labels))
        pieces = [
            bytes(encode(array[start:stop], None if labels is None else labels[start:stop], first_row=start))
            for start, stop in zip([0, *cuts], [*cuts, len(array)], strict=True)
        ]
        assert b"".join(pieces) == whole


@quick
@given(matrices(zeros=True))
def test_what_is_written_is_read_back(block_bytes, matrix):
    array, labels = matrix
    for encode in (recordio.encode_dense, recordio.encode_sparse):
        features, found = recordio.read_matrix(io.BytesIO(encode(array, labels)))
        filled = features.toarray() if sparse.issparse(features) else features
        np.testing.assert_array_equal(filled, array)
        if labels is None:
            assert found is None
        else:
            np.testing.assert_array_equal(found, labels)


@pytest.mark.parametrize(
    "convert", [sparse.coo_matrix, sparse.csc_matrix, sparse.lil_matrix, sparse.csr_array]
)
def test_any_scipy_format(convert):
    array = np.diag(np.arange(5.0, dtype="f4"))
    assert bytes(recordio.encode_sparse(convert(array))) == expected_sparse(array, None)


def test_rows_of_a_csr_slice_start_where_they_start():
    array = np.arange(12, dtype="f4").reshape(4, 3)
    whole = sparse.csr_matrix(array)
    parts = (whole.data, whole.indices, whole.indptr[2:], (2, 3))
    assert bytes(recordio.encode_sparse(parts)) == expected_sparse(array[2:], None)


def test_keys_come_out_sorted_and_duplicates_summed():
    parts = (np.array([1, 2, 3, 4, 5], "f4"), np.array([3, 0, 3, 2, 1]), np.array([0, 3, 3, 5]), (3, 4))
    filled = np.array([[2, 0, 0, 4], [0, 0, 0, 0], [0, 5, 4, 0]], "f4")
    assert bytes(recordio.encode_sparse(parts)) == expected_sparse(filled, None)


def test_explicit_zeros_are_kept_unless_dropped():
    parts = (np.array([0, 2, 0], "f4"), np.array([1, 2, 0]), np.array([0, 2, 3]), (2, 3))
    kept = list(recordio.read_records(io.BytesIO(recordio.encode_sparse(parts))))
    assert [list(r.features["values"].float32_tensor.keys) for r in kept] == [[1, 2], [0]]
    dropped = recordio.encode_sparse(parts, drop_zeros=True)
    assert bytes(dropped) == expected_sparse(np.array([[0, 0, 2], [0, 0, 0]], "f4"), None)


def test_payload_with_the_magic_word_is_never_escaped():
    magic = np.full((3, 40), MAGIC, "<u4").view("<f4")
    content = recordio.encode_dense(magic, magic[:, 0])
    assert bytes(content) == expected_dense(magic, magic[:, 0])
    features, _ = recordio.read_matrix(io.BytesIO(content))
    np.testing.assert_array_equal(features.view("u4"), magic.view("u4"))
    assert recordio.check(io.BytesIO(content)).records == 3


def test_raw_files_that_take_a_part_at_a_time():
    class Stingy(io.RawIOBase):
        def __init__(self):
            self.content = b""

        def writable(self):
            return True

        def write(self, data):
            self.content += bytes(data[:7])
            return min(7, len(data))

    array, file = np.ones((5, 3), "f4"), cast(Any, Stingy)()
    assert recordio.write_numpy_to_dense_tensor(file, array) == len(file.content)
    assert file.content == expected_dense(array, None)


@quick
@given(matrices(zeros=False))
def test_encoding_into_a_used_buffer_leaves_nothing_of_it(block_bytes, matrix):
    array, labels = matrix
    expected = expected_dense(array, labels)
    out = bytearray(b"\xa5" * (len(expected) + 9))
    content = recordio.encode_dense(array, labels, out=out)
    assert bytes(content) == expected
    assert bytes(out) == expected + b"\xa5" * 9
    file = io.BytesIO()
    assert recordio.write_numpy_to_dense_tensor(file, array, labels) == len(expected)
    assert file.getvalue() == expected


@pytest.mark.parametrize("out", [bytearray(20), bytes(200)])
@pytest.mark.parametrize("dtype", ["f4", "i4"])
def test_a_buffer_that_cannot_take_the_records_is_refused(out, dtype):
    with pytest.raises(InputError, match=rf"out is a .* buffer of {len(out)}"):
        recordio.encode_dense(np.ones((2, 3), dtype), out=out)


@pytest.mark.parametrize("encode", [recordio.encode_dense, recordio.encode_sparse])
class TestRefusals:
    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_nonfinite_value_is_named(self, encode, value, block_bytes):
        array = np.ones((50, 6), "f4")
        array[41, 4] = value
        with pytest.raises(InputError, match=r"row 1041, column 4: .*(nan|inf)"):
            encode(array, first_row=1000)
        allowed = io.BytesIO(encode(array, allow_nonfinite=True))
        features, _ = recordio.read_matrix(allowed)
        filled = features.toarray() if sparse.issparse(features) else features
        np.testing.assert_array_equal(filled, array)

    def test_nonfinite_label_is_named(self, encode):
        labels = np.ones(5)
        labels[3] = np.nan
        with pytest.raises(InputError, match="row 3, label"):
            encode(np.ones((5, 2)), labels)

    def test_large_finite_values_are_let_through(self, encode):
        array = np.full((100, 100), np.finfo("f4").max)
        assert len(encode(array))

    @pytest.mark.parametrize(
        ("dtype", "cast"),
        [("g", "float64"), ("u8", "int64"), ("c8", "float32"), ("O", "float32"), ("U3", "float32")],
    )
    def test_inexact_dtype_names_the_cast(self, encode, dtype, cast):
        if encode is recordio.encode_sparse and dtype == "U3":
            pytest.skip("no sparse matrix of text")
        with pytest.raises(InputError, match=rf"(?s){np.dtype(dtype)}.*astype\('{cast}'\)"):
            encode(np.ones((2, 2)).astype(dtype))
        with pytest.raises(InputError, match="labels"):
            encode(np.ones((2, 2)), np.ones(2).astype(dtype))

    @pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 2**40])
    def test_integer_beyond_32_bits_is_named(self, encode, value):
        array = np.ones((4, 3), "i8")
        array[2, 1] = value
        with pytest.raises(InputError, match=f"row 2, column 1: {value}"):
            encode(array)

    @pytest.mark.parametrize("labels", [np.ones(3), np.ones(4), np.ones((5, 1)), np.ones((1, 5)), 1.0])
    def test_labels_count_rows_and_only_rows(self, encode, labels):
        with pytest.raises(InputError, match="5 rows"):
            encode(np.ones((5, 3)), labels)

    @pytest.mark.parametrize("shape", [(), (3,), (3, 0), (2, 2, 2)])
    def test_features_are_a_matrix(self, encode, shape):
        with pytest.raises(InputError, match="shape"):
            encode(np.ones(shape))

    def test_masked_values_are_not_unmasked_in_silence(self, encode):
        with pytest.raises(InputError, match="masked"):
            encode(np.ma.masked_array(np.ones((2, 2)), mask=np.eye(2, dtype=bool)))

    def test_no_rows_write_nothing(self, encode):
        assert len(encode(np.ones((0, 3)), np.ones(0))) == 0


@pytest.mark.parametrize("rows", [60_000, 240_000])
@pytest.mark.parametrize(("kind", "mib"), [("dense", 8), ("sparse", 20)])
def test_writing_takes_as_much_memory_for_any_number_of_rows(kind, mib, rows):
    matrix = np.random.default_rng(0).random((rows, 20), np.float32)
    features, write = matrix, recordio.write_numpy_to_dense_tensor
    if kind == "sparse":
        features, write = sparse.csr_matrix(matrix), recordio.write_spmatrix_to_sparse_tensor
    tracemalloc.start()
    with Path("/dev/null").open("wb") as file:
        write(file, features)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < mib * 2**20


def record_of(length):
    """A matrix whose second record has about ``length`` bytes, without the memory for it."""
    return np.broadcast_to(np.float32(0), (2, length // 4))


def test_record_of_2_to_the_29_is_refused_before_anything_is_written():
    file = io.BytesIO()
    with pytest.raises(InputError, match="536870912"):
        recordio.write_numpy_to_dense_tensor(file, record_of(2**29))
    assert file.getvalue() == b""


def test_long_sparse_record_is_refused_before_anything_is_written(monkeypatch):
    from amazon_estimators.recordio import sparse as writer
    from amazon_estimators.recordio import values
    from amazon_estimators.recordio import variable_length as ragged

    for module in (ragged, writer, values):
        monkeypatch.setattr(module, "LENGTH_LIMIT", 4096)
    array = np.zeros((40, 1000), "f4")
    array[30] = 1
    for features in (array, sparse.csr_matrix(array)):
        file = io.BytesIO()
        with pytest.raises(InputError, match="row 30 takes a record of"):
            recordio.write_spmatrix_to_sparse_tensor(file, features)
        assert file.getvalue() == b""
    monkeypatch.setattr(dense, "LENGTH_LIMIT", 4096)
    integers = np.zeros((40, 1000), "i8")
    integers[30] = -1
    file = io.BytesIO()
    with pytest.raises(InputError, match="row 30 takes a record of"):
        recordio.write_numpy_to_dense_tensor(file, integers)
    assert file.getvalue() == b""


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ((np.ones(2), np.array([0, 5]), np.array([0, 2]), (1, 3)), "row 0 has a value in column 5"),
        ((np.ones(2), np.array([0, -1]), np.array([0, 1, 2]), (2, 3)), "row 1 has a value in column -1"),
        ((np.ones(2), np.array([0, 1]), np.array([0, 2, 1]), (2, 3)), "row pointers"),
        ((np.ones(2), np.array([0, 1]), np.array([0, 1, 9]), (2, 3)), "row pointers"),
        ((np.ones(2), np.array([0, 1]), np.array([-1, 1, 2]), (2, 3)), "row pointers"),
        ((np.ones(2), np.array([0, 1]), np.array([0, 2]), (2, 3)), "3 row pointers, not 2 and 2"),
        ((np.ones(2), np.array([0]), np.array([0, 1, 2]), (2, 3)), "take 2 indices"),
        ((np.ones(2), np.array([0.0, 1.0]), np.array([0, 1, 2]), (2, 3)), "indices of compressed rows"),
        ((np.ones(2), np.array([0, 1]), np.array([0, 1, 2])), "a tuple of 3"),
        ((np.ones(2), np.array([0, 1]), np.array([0, 1, 2]), (2, 0)), "shape"),
        ((np.ones(2), np.array([0, 1]), np.array([0, 1, 2]), (2, 1 << 63)), "shape"),
    ],
)
def test_malformed_parts_are_refused(parts, reason):
    with pytest.raises(InputError, match=reason):
        recordio.encode_sparse(parts)


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "u4", "u8"])
def test_row_pointers_of_any_integer_type(dtype):
    parts = (np.ones(2, "f4"), np.array([0, 2]), np.array([0, 1, 2]), (2, 3))
    few = (*parts[:1], parts[1].astype(dtype), parts[2].astype(dtype), parts[3])
    assert bytes(recordio.encode_sparse(few)) == bytes(recordio.encode_sparse(parts))
