"""Byte for byte what the SageMaker Python SDK writes, and back."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from scipy import sparse

from amazon_estimators import recordio
from amazon_estimators.recordio import record_pb2
from recordio.protocol import DATA, golden, truth

X, S, Y = truth()
FILES: dict[str, tuple[Any, Any]] = {
    "hand_dense_f32": (recordio.encode_dense, X),
    "sdk_dense_f64": (recordio.encode_dense, X.astype("f8")),
    "sdk_sparse_f32": (recordio.encode_sparse, sparse.csr_matrix(S)),
}


@pytest.mark.parametrize("name", FILES)
def test_writes_the_reference_bytes(name):
    encode, features = FILES[name]
    assert bytes(encode(features, Y)) == golden(name)


@pytest.mark.parametrize("name", FILES)
def test_reads_the_reference_back(name):
    expected = FILES[name][1]
    features, labels = recordio.read_matrix(DATA / f"{name}.pbr")
    assert features.dtype == expected.dtype
    assert sparse.issparse(features) == sparse.issparse(expected)
    dense = [m.toarray() if sparse.issparse(m) else m for m in (features, expected)]
    np.testing.assert_array_equal(*dense)
    np.testing.assert_array_equal(labels, Y)


@pytest.mark.parametrize("name", FILES)
def test_sums_the_reference_up(name):
    summary = recordio.check([DATA / f"{name}.pbr", str(DATA / f"{name}.pbr")])
    assert (summary.records, summary.feature_dim) == (2 * len(Y), X.shape[1])
    assert summary.dtype == ("float64" if "f64" in name else "float32")
    assert summary.sparse == ("sparse" in name)
    assert summary.bytes == 2 * len(golden(name))
    assert summary.labels is not None
    assert (summary.labels.minimum, summary.labels.maximum) == (Y.min(), Y.max())
    assert summary.labels.integral == bool((Y.round() == Y).all())


def test_read_records_gives_protobuf_messages():
    records = list(recordio.read_records(io.BytesIO(golden("sdk_sparse_f32"))))
    assert len(records) == len(S)
    for message, row, label in zip(records, S, Y, strict=True):
        tensor = message.features["values"].float32_tensor
        assert list(tensor.keys) == np.flatnonzero(row).tolist()
        assert list(tensor.values) == row[row != 0].tolist()
        assert list(tensor.shape) == [S.shape[1]]
        assert list(message.label["values"].float32_tensor.values) == [label]


def test_generated_code_is_in_sync(tmp_path):
    """The descriptor in record_pb2.py is the one that protoc makes of record.proto today.

    The code around it comes from the oldest supported protoc, so it differs from what this one writes.
    """
    protoc = pytest.importorskip("grpc_tools.protoc")
    package = Path(recordio.__file__).parent
    made = tmp_path / "record.bin"
    proto = package / "record.proto"
    assert protoc.main(["protoc", f"-I{package.parents[1]}", f"--descriptor_set_out={made}", str(proto)]) == 0
    (described,) = FileDescriptorSet.FromString(made.read_bytes()).file
    kept = FileDescriptorProto.FromString(record_pb2.DESCRIPTOR.serialized_pb)
    for message in described.message_type:
        for part in (message, *message.nested_type):
            for field in part.field:
                field.ClearField("json_name")  # protoc adds it here and leaves it out of generated code
    assert kept == described


def test_import_is_light():
    """No protobuf, SciPy or AWS library is loaded by writing and checking."""
    code = """
import io, sys
import amazon_estimators.recordio as recordio
import numpy as np
content = recordio.encode_dense(np.ones((3, 2)), np.ones(3))
recordio.check(io.BytesIO(content))
recordio.encode_sparse((np.ones(1), np.array([2]), np.array([0, 1]), (1, 4)))
heavy = {"boto3", "scipy", "google.protobuf", "aws_cdk", "jsii", "pandas"} & set(sys.modules)
assert not heavy, heavy
"""
    root = Path(recordio.__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_without_scipy_sparse_records_are_read_as_parts(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    features, labels = recordio.read_matrix(io.BytesIO(golden("sdk_sparse_f32")))
    assert isinstance(features, recordio.CsrParts)
    assert bytes(recordio.encode_sparse(tuple(features), labels)) == golden("sdk_sparse_f32")
