"""MXNet's array files: equal to MXNet's own, in both directions; hostile ones end in a ModelError."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from amazon_estimators.errors import ModelError
from amazon_estimators.inference import mxnet_arrays as mx
from amazon_estimators.recordio import CsrParts
from inference.files import ARRAY_FILES, DATA, EXPECTED

HEAD = mx.FILE_MAGIC
LIMIT = 2**20


def file(*arrays: bytes, count: int | None = None, names: bytes = struct.pack("<Q", 0)) -> bytes:
    return HEAD + struct.pack("<Q", len(arrays) if count is None else count) + b"".join(arrays) + names


def shape(*lengths: int) -> bytes:
    return struct.pack(f"<i{len(lengths)}q", len(lengths), *lengths)


def dense(lengths: bytes, values: bytes, *, dtype: int = 0, magic: int = mx.V2, kind: int = 0) -> bytes:
    return struct.pack("<Ii", magic, kind) + lengths + struct.pack("<iii", 1, 0, dtype) + values


@pytest.mark.parametrize("kind", ["float32", "float64", "float16", "uint8", "int32", "int8", "int64"])
def test_values_of_every_dtype_are_those_mxnet_wrote(kind: str) -> None:
    arrays = mx.read((DATA / "dtypes.params").read_bytes())
    assert isinstance(arrays, dict)
    assert arrays[kind].dtype == kind
    np.testing.assert_array_equal(arrays[kind], EXPECTED[f"dtypes/{kind}"])


def test_a_file_without_names_is_a_list() -> None:
    arrays = mx.read((DATA / "list.params").read_bytes())
    assert isinstance(arrays, list)
    np.testing.assert_array_equal(arrays[1], EXPECTED["dtypes/int64"])


@pytest.mark.parametrize(
    ("name", "kind", "rows"),
    [("rows", mx.RowSparse, 6), ("csr", CsrParts, 6), ("no_rows", mx.RowSparse, 0), ("no_csr", CsrParts, 0)],
)
def test_sparse_arrays_stay_sparse(name: str, kind: type, rows: int) -> None:
    arrays = mx.read((DATA / "sparse.params").read_bytes())
    assert isinstance(arrays, dict)
    stored = arrays[name]
    assert isinstance(stored, kind)
    full = mx.dense(stored, LIMIT)
    np.testing.assert_array_equal(full, EXPECTED["sparse"] if rows else np.zeros((6, 4)))


def test_numpy_shapes() -> None:
    arrays = mx.read((DATA / "numpy_shape.params").read_bytes())
    assert isinstance(arrays, dict)
    assert arrays["scalar"].shape == ()
    assert arrays["scalar"] == np.float32(2.5)
    assert arrays["none"].shape == (0, 3)


@pytest.mark.parametrize("name", [name for name in ARRAY_FILES if name != "numpy_shape.params"])
def test_what_mxnet_wrote_is_written_again_byte_for_byte(name: str) -> None:
    content = (DATA / name).read_bytes()
    assert mx.write(mx.read(content)) == content


@pytest.mark.parametrize(
    ("what", "head"),
    [("V1", struct.pack("<Ii2q", mx.V1, 2, 2, 3)), ("oldest", struct.pack("<III", 2, 2, 3))],
)
def test_older_formats(what: str, head: bytes) -> None:
    values = np.arange(6, dtype="<f4").reshape(2, 3)
    [array] = mx.read(file(head + struct.pack("<iii", 1, 0, 0) + values.tobytes()))
    np.testing.assert_array_equal(array, values)


ARRAYS = st.sampled_from([name for name in mx.DTYPES if name != "?"]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))
)


@given(st.dictionaries(st.text(max_size=8), ARRAYS, max_size=4))
def test_arrays_come_back(arrays: dict[str, np.ndarray]) -> None:
    read: Any = mx.read(mx.write(arrays))
    assert dict(read) == {} if not arrays else list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


HUGE = 2**62
HOSTILE = {
    "not an array file": (b"PK\x03\x04" + bytes(40), "magic number"),
    "cut in the header": (HEAD[:9], "is cut"),
    "more arrays than bytes": (file(count=2**60), "hold fewer"),
    "more names than bytes": (file(names=struct.pack("<Q", 2**60)), "hold fewer"),
    "values are cut": (file(dense(shape(2, 3), bytes(20))), "is cut"),
    "dimensions whose product wraps": (file(dense(shape(HUGE, 8), b"")), "is cut"),
    "no values, yet beyond 64 bits": (file(dense(shape(0, HUGE, HUGE), b"")), "beyond 64 bits"),
    "negative dimension": (file(dense(shape(-1, 3), b"")), "negative"),
    "negative number of dimensions": (file(dense(struct.pack("<i", -1), b"")), "dimensions"),
    "too many dimensions": (file(dense(struct.pack("<i", 2**30), b"")), "dimensions"),
    "no shape": (file(dense(shape(), b"")), "no shape"),
    "unknown dtype": (file(dense(shape(1), bytes(4), dtype=12)), "dtype number 12"),
    "negative dtype": (file(dense(shape(1), bytes(4), dtype=-1)), "dtype number -1"),
    "unknown storage": (file(dense(shape(1), bytes(4), kind=3)), "storage type 3"),
    "bytes after the names": (file(dense(shape(1), bytes(4))) + b"\0", "follow the last name"),
    "fewer names than arrays": (
        file(dense(shape(1), bytes(4)), dense(shape(1), bytes(4)), names=struct.pack("<QQ", 1, 1) + b"a"),
        "2 arrays and 1 distinct names",
    ),
    "one name twice": (
        file(
            dense(shape(1), bytes(4)),
            dense(shape(1), bytes(4)),
            names=struct.pack("<QQcQc", 2, 1, b"a", 1, b"a"),
        ),
        "2 arrays and 1 distinct names",
    ),
    "name that is no text": (
        file(dense(shape(1), bytes(4)), names=struct.pack("<QQ", 1, 1) + b"\xff"),
        "UTF-8",
    ),
    "row beyond the rows": (
        mx.write([mx.RowSparse(np.zeros((1, 2), "f4"), np.array([5]), (3, 2))]),
        "not among its 3 rows",
    ),
    "rows that do not fit": (
        mx.write([mx.RowSparse(np.zeros((2, 2), "f4"), np.array([1]), (3, 2))]),
        "row numbers of shape",
    ),
    "column beyond the columns": (
        mx.write([CsrParts(np.ones(1, "f4"), np.array([9]), np.array([0, 1]), (1, 2))]),
        "not among its 2 columns",
    ),
    "row pointers that go back": (
        mx.write([CsrParts(np.ones(2, "f4"), np.array([0, 1]), np.array([0, 3, 2]), (2, 2))]),
        "row pointers",
    ),
    "fractional row pointers": (
        mx.write([CsrParts(np.ones(1, "f4"), np.array([0]), np.array([0.0, 1.0]), (1, 2))]),
        "do not belong together",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused(case: str) -> None:
    content, text = HOSTILE[case]
    with pytest.raises(ModelError, match=text):
        mx.read(content)


def test_a_sparse_array_is_filled_within_the_limit_only() -> None:
    rows = mx.read(mx.write([mx.RowSparse(np.zeros((0, 10**9), "f4"), np.zeros(0, "i8"), (10**9, 10**9))]))
    with pytest.raises(ModelError, match=r"4,000,000,000,000,000,000 bytes.*\n.*max_bytes"):
        mx.dense(rows[0], LIMIT)


@pytest.mark.parametrize(
    ("array", "text"),
    [(np.float32(1).reshape(()), "at least one dimension"), (np.zeros(2, "c16"), "no dtype complex128")],
)
def test_what_mxnet_has_not_is_not_written(array: np.ndarray, text: str) -> None:
    with pytest.raises(ModelError, match=text):
        mx.write([array])
