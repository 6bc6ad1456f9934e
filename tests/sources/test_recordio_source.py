"""RecordIO-protobuf passed on: every record once, as it was; broken files end in errors."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
import scipy.sparse

from amazon_estimators.errors import AmazonEstimatorsError, InputError, SchemaError
from amazon_estimators.recordio import (
    encode_dense,
    write_numpy_to_dense_tensor,
    write_spmatrix_to_sparse_tensor,
)
from amazon_estimators.sources import Piece, Source, recordio_protobuf
from sources.in_memory_s3 import InMemoryS3


def dense(rows=500, *, labels=True, dtype=np.float32) -> tuple[bytes, np.ndarray, np.ndarray]:
    features = np.random.default_rng(0).normal(size=(rows, 7)).astype(dtype)
    numbers = np.arange(rows).astype(dtype)
    out = io.BytesIO()
    write_numpy_to_dense_tensor(out, features, numbers if labels else None)
    return out.getvalue(), features, numbers


def read(s3, pieces, source, schema):
    return [block for piece in pieces for block in recordio_protobuf.read(s3, piece, source, schema)]


@pytest.mark.parametrize("counted", [0, 2**22])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dense_records_of_one_size_are_cut_at_any_row(monkeypatch, counted, dtype):
    monkeypatch.setattr(recordio_protobuf, "COUNTED_BYTES", counted)
    monkeypatch.setattr(recordio_protobuf, "FIRST_LOOK", 1000)
    body, features, labels = dense(dtype=dtype)
    s3 = InMemoryS3()
    found = s3.put("a.pbr", body)
    layout = recordio_protobuf.look(s3, found, Source())
    assert (layout.records, layout.schema.feature_dim, layout.schema.sparse) == (500, 7, False)
    cuts = [0, 1, 250, 499, 500]
    pieces = [
        Piece(found, layout.cut(start), layout.cut(stop), first_row=start)
        for start, stop in itertools.pairwise(cuts)
    ]
    blocks = read(s3, pieces, Source(), layout.schema)
    np.testing.assert_array_equal(np.concatenate([block.features for block in blocks]), features)
    np.testing.assert_array_equal(np.concatenate([block.labels for block in blocks]), labels)
    dropped = read(s3, pieces, Source(keep_labels=False), layout.schema)
    assert all(block.labels is None for block in dropped)


def test_sparse_records_are_counted_in_small_files_and_one_unit_in_large_ones(monkeypatch):
    matrix = scipy.sparse.random_array((300, 50), density=0.1, format="csr", rng=0)
    out = io.BytesIO()
    write_spmatrix_to_sparse_tensor(out, matrix, np.arange(300.0))
    s3 = InMemoryS3()
    found = s3.put("a.pbr", out.getvalue())
    layout = recordio_protobuf.look(s3, found, Source())
    assert (layout.records, layout.whole, layout.schema.sparse) == (300, False, True)
    pieces = [
        Piece(found, layout.cut(start), layout.cut(stop), start) for start, stop in [(0, 100), (100, 300)]
    ]
    blocks = [block.features for block in read(s3, pieces, Source(), layout.schema)]
    parts = [
        scipy.sparse.csr_matrix((one.data, one.indices, one.indptr), (len(one), one.width)) for one in blocks
    ]
    assert (scipy.sparse.vstack(parts) != matrix).nnz == 0
    monkeypatch.setattr(recordio_protobuf, "COUNTED_BYTES", 1000)
    monkeypatch.setattr(recordio_protobuf, "FIRST_LOOK", 1000)
    layout = recordio_protobuf.look(s3, found, Source())
    assert (layout.records, layout.whole) == (None, True)


def test_records_that_turn_out_to_differ_in_size_are_refused_not_lost(monkeypatch):
    monkeypatch.setattr(recordio_protobuf, "COUNTED_BYTES", 0)
    monkeypatch.setattr(recordio_protobuf, "FIRST_LOOK", 500)
    body, _, _ = dense()
    odd = bytes(encode_dense(np.ones((1, 7), np.float32), None))
    size = len(body) // 500
    filler = b"".join(odd for _ in range(size))  # a multiple of the common size, in records of another
    s3 = InMemoryS3()
    found = s3.put("a.pbr", body + filler)
    layout = recordio_protobuf.look(s3, found, Source())
    cut = layout.cut((layout.records or 0) - size // 2)
    with pytest.raises(AmazonEstimatorsError):
        read(s3, [Piece(found, 0, cut, 0), Piece(found, cut, found.size, 1)], Source(), layout.schema)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda body: b"", "is empty"),
        (lambda body: b"1,2\n" * 99, "is text, not RecordIO-protobuf"),
        (lambda body: body[:4] + b"\xff\xff\xff\x1f" + body[8:], "claims 536870920 bytes"),
        (lambda body: body[:-8], "record 499"),
        (lambda body: body[: len(body) // 2] + b"\0" * 8 + body[len(body) // 2 + 8 :], "record"),
    ],
)
def test_broken_files_are_refused(change, message):
    s3 = InMemoryS3()
    found = s3.put("a.pbr", change(dense()[0]))
    with pytest.raises(AmazonEstimatorsError, match=message):
        layout = recordio_protobuf.look(s3, found, Source())
        read(s3, [Piece(found, 0, found.size, 0)], Source(), layout.schema)


def test_other_features_and_chosen_columns_are_refused():
    s3 = InMemoryS3()
    found = s3.put("a.pbr", dense()[0])
    schema = recordio_protobuf.look(s3, found, Source()).schema
    out = io.BytesIO()
    write_numpy_to_dense_tensor(out, np.ones((3, 8), np.float32))
    other = s3.put("b.pbr", out.getvalue())
    with pytest.raises(SchemaError, match=r"b\.pbr has 8 dense features; expected 7 dense ones"):
        read(s3, [Piece(other, 0, other.size, 0)], Source(), schema)
    with pytest.raises(InputError, match="keep_labels=False"):
        recordio_protobuf.look(s3, found, Source(label=0))
