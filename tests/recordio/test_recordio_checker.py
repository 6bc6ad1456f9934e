"""The checker's verdicts: AWS's own reader's, and stricter where that one is silent."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
from typing import Any, cast

import numpy as np
import pytest

from amazon_estimators import recordio
from amazon_estimators.errors import RecordIOError
from amazon_estimators.recordio import record_pb2
from recordio.protocol import MAGIC, file_of, frame, golden, record, truth


def file(content: bytes, name: str = "matrix.pbr") -> io.BytesIO:
    handle = io.BytesIO(content)
    handle.name = name
    return handle


DENSE = record([1, 2, 3], label=[1])
SPARSE = record([1, 2], keys=[0, 2], shape=[3], label=[1])


def with_extra_feature() -> record_pb2.Record:
    message = record([1, 2, 3], label=[1])
    message.features["more"].float32_tensor.values.append(1)
    return message


def with_bytes(where: str = "features") -> record_pb2.Record:
    message = record([1, 2, 3], label=[1])
    getattr(message, where)["values"].bytes.value.append(b"jpeg")
    return message


def escaped() -> bytes:
    """A payload that holds the magic word, cut there into two parts as MXNet writes it."""
    payload = record([0.0] * 4, label=[1]).SerializeToString()
    first, rest = payload[:32], payload[36:]
    return (
        struct.pack("<II", MAGIC, 1 << 29 | len(first)) + first
        + struct.pack("<II", MAGIC, 3 << 29 | len(rest)) + rest + bytes(-len(rest) % 4)
    )  # fmt: skip


REFUSED = {
    "dense and sparse mixed": ([file_of(DENSE, SPARSE)], "is sparse", 1),
    "dense and sparse mixed across files": ([file_of(SPARSE), file_of(DENSE)], "is dense", 0),
    "another number of features": ([file_of(DENSE, DENSE, record([1, 2], label=[1]))], "has 2 features", 2),
    "another number of features in another file": (
        [file_of(DENSE), file_of(record([1], label=[1]))],
        "1 features",
        0,
    ),
    "another sparse width": (
        [file_of(SPARSE, record([1], keys=[0], shape=[4], label=[1]))],
        "has 4 features",
        1,
    ),
    "label on some records only": ([file_of(DENSE, record([1, 2, 3]))], "label is absent", 1),
    "label appears later": ([file_of(record([1, 2, 3]), DENSE)], "label is float32", 1),
    "an extra feature name": ([file_of(DENSE, with_extra_feature())], "'more', 'values'", 1),
    "tensor type differs": ([file_of(DENSE, record([1, 2, 3], dtype="f8", label=[1]))], "float64", 1),
    "label type differs": (
        [file_of(DENSE, record([1, 2, 3], label=[1], label_dtype="i4"))],
        "label is int32",
        1,
    ),
    "label width differs": ([file_of(DENSE, record([1, 2, 3], label=[1, 2]))], "label has 2", 1),
    "sparse without shape": ([file_of(record([1], keys=[0]))], "no shape", 0),
    "no values at all": ([file_of(record([]))], "no shape", 0),
    "key beyond the shape": (
        [file_of(SPARSE, record([1, 2], keys=[0, 3], shape=[3], label=[1]))],
        "key 3",
        1,
    ),
    "more keys than values": ([file_of(record([1], keys=[0, 1], shape=[3]))], "2 keys for 1 values", 0),
    "more values than keys": ([file_of(record([1, 2], keys=[1], shape=[3]))], "1 keys for 2 values", 0),
    "keys unsorted": (
        [file_of(SPARSE, record([1, 2], keys=[2, 0], shape=[3], label=[1]))],
        "key 0 follows",
        1,
    ),
    "keys duplicated": ([file_of(record([1, 2], keys=[1, 1], shape=[3]))], "key 1 follows 1", 0),
    "NaN": ([file_of(DENSE, record([1, float("nan"), 3], label=[1]))], "value 1 is nan", 1),
    "Inf in a sparse record": (
        [file_of(SPARSE, record([-np.inf], keys=[1], shape=[3], label=[1]))],
        "-inf",
        1,
    ),
    "NaN label": ([file_of(DENSE, record([1, 2, 3], label=[float("nan")]))], "label 0 is nan", 1),
    "another map key": ([file_of(record([1, 2, 3], name="value"))], "'value'", 0),
    "bytes feature": ([file_of(with_bytes())], "bytes", 0),
    "bytes label": ([file_of(with_bytes("label"))], "bytes", 0),
    "no features": ([frame(b"")], "nothing", 0),
    "not protobuf": ([frame(b"\xff\xff\xff\xff")], "not a protobuf message", 0),
    "truncated last record": ([file_of(DENSE, DENSE)[:-4]], "truncated", 1),
    "truncated frame header": (
        [file_of(DENSE, DENSE) + b"\x0a\x23\xd7\xce"],
        "4 bytes after the last record",
        2,
    ),
    "bytes after the last record": ([file_of(DENSE) + b"12345678"], "magic", 1),
    "missing padding": ([file_of(SPARSE)[: -(-len(SPARSE.SerializeToString()) % 4)]], "pad", 0),
    "escaped multi-part record": ([file_of(DENSE) + escaped()], "continue flag", 1),
    "dense whose shape tells another size": ([file_of(record([1, 2, 3], shape=[4]))], "shape says 4", 0),
    "sparse of two dimensions": ([file_of(record([1], keys=[0], shape=[2, 2]))], "vectors", 0),
    "zero columns": ([file_of(record([], shape=[0]))], "0 features", 0),
    "a shape beyond 64 bits": ([file_of(record([1], keys=[0], shape=[2**63]))], "64-bit", 0),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    contents, reason, number = REFUSED[case]
    files = [file(content, f"shard_{index}.pbr") for index, content in enumerate(contents)]
    with pytest.raises(RecordIOError, match=reason) as caught:
        recordio.check(files)
    error = caught.value
    last = contents[-1]
    assert error.file == f"shard_{len(contents) - 1}.pbr"
    assert error.record == number
    assert error.offset == offsets(last)[number]
    assert f"{error.file}: record {number} at byte {error.offset}: " in str(error)


def offsets(content: bytes) -> list[int]:
    """Where records start, and where one more would."""
    at, found = 0, []
    while at + 8 <= len(content):
        found.append(at)
        magic, length = struct.unpack_from("<II", content, at)
        at += 8 + (length + 3 & ~3) if magic == MAGIC else len(content)
    return [*found, at]


def test_sparse_label_is_refused():
    message = record([1, 2, 3], label=[1])
    message.label["values"].float32_tensor.keys.append(0)
    with pytest.raises(RecordIOError, match="label is sparse"):
        recordio.check(file(file_of(message)))


@pytest.mark.parametrize("contents", [[b""], [file_of(DENSE), b""], []])
def test_files_without_records_are_refused(contents):
    with pytest.raises(RecordIOError, match=r"no record|no files"):
        recordio.check([file(content) for content in contents])


def reversed_entries(message: record_pb2.Record) -> bytes:
    """The frame of a record with its label before its features."""
    features, label = record_pb2.Record(), record_pb2.Record()
    features.features["values"].CopyFrom(message.features["values"])
    label.label["values"].CopyFrom(message.label["values"])
    return frame(label.SerializeToString() + features.SerializeToString())


def around(tensor: bytes) -> bytes:
    """The payload of an unlabelled record, given the bytes within its Float32Tensor."""
    content = b"\x12" + bytes([len(tensor)]) + tensor
    entry = b"\x0a\x06values\x12" + bytes([len(content)]) + content
    return b"\x0a" + bytes([len(entry)]) + entry


def accepted():
    all_zero = record([], keys=[], shape=[3], label=[0])
    integers = record([1, -2, 3], dtype="i4", label=[5], label_dtype="i4")
    annotated = record([1, 2, 3], label=[1])
    annotated.uid, annotated.metadata = "7", "{}"
    pieces = b"\x0a\x04" + struct.pack("<f", 1) + b"\x1a\x01\x02" + b"\x0a\x04" + struct.pack("<f", 2)
    unpacked = b"".join(b"\x0d" + struct.pack("<f", value) for value in (1, 2, 3))
    return {
        "all-zero sparse row": (file_of(SPARSE, all_zero, SPARSE), 3),
        "all-zero sparse row first": (file_of(all_zero, SPARSE), 2),
        "dense with shape": (file_of(record([1, 2, 3], shape=[3])), 1),
        "dense with an image's shape": (file_of(record([1, 2, 3, 4], shape=[2, 2])), 1),
        "int32 label": (file_of(record([1, 2, 3], label=[-7], label_dtype="i4")), 1),
        "two-valued label": (file_of(record([1, 2, 3], label=[1, 2]), record([1, 2, 3], label=[3, 4])), 2),
        "the magic word in a payload": (
            file_of(record([struct.unpack("<f", struct.pack("<I", MAGIC))[0]] * 9)),
            1,
        ),
        "label before features": (file_of(DENSE) + reversed_entries(DENSE) + file_of(DENSE), 3),
        "integers, label before features": (reversed_entries(integers) + file_of(integers, integers), 3),
        "uid and metadata": (file_of(DENSE, annotated, DENSE), 3),
        "unpacked values": (file_of(record([1, 2, 3])) + frame(around(unpacked)), 2),
        "values in two pieces": (file_of(record([1, 2])) + frame(around(pieces)), 2),
    }


@pytest.mark.parametrize("case", accepted())
def test_accepted(case):
    content, records = accepted()[case]
    summary = recordio.check(file(content))
    assert (summary.records, summary.bytes) == (records, len(content))
    features, labels = recordio.read_matrix(file(content))
    assert features.shape == (records, summary.feature_dim)
    assert (labels is None) == (summary.labels is None)
    assert features.dtype == summary.dtype
    for index, message in enumerate(recordio.read_records(file(content))):
        tensor = getattr(message.features["values"], f"{summary.dtype}_tensor")
        row = features[index].data if summary.sparse else features[index]
        assert row.tolist() == list(tensor.values)


def test_two_valued_labels_are_read_as_two_columns():
    content, _ = accepted()["two-valued label"]
    np.testing.assert_array_equal(recordio.read_matrix(file(content))[1], [[1, 2], [3, 4]])


def test_nonfinite_passes_where_allowed():
    contents = REFUSED["NaN"][0]
    assert recordio.check(map(file, contents), allow_nonfinite=True).records == 2
    with pytest.raises(RecordIOError, match="key"):
        recordio.check(map(file, REFUSED["keys unsorted"][0]), allow_nonfinite=True)


def test_a_single_fault_deep_in_a_large_file_is_found_and_named():
    features = np.ones((60_000, 30), "f4")
    content = bytearray(recordio.encode_dense(features, features[:, 0]))
    size = len(content) // len(features)
    at = 41_234 * size
    end = at + 8 + int.from_bytes(content[at + 4 : at + 8], "little")
    content[end - 2 : end] = b"\xff\xff"  # the label becomes NaN …
    with pytest.raises(RecordIOError, match="label 0 is") as caught:
        recordio.check(file(bytes(content)))
    assert (caught.value.record, caught.value.offset) == (41_234, at)
    content[at + 10] ^= 1  # … and then the map key another word
    with pytest.raises(RecordIOError) as caught:
        recordio.check(file(bytes(content)))
    assert (caught.value.record, caught.value.offset) == (41_234, at)


@pytest.mark.parametrize(
    "read", [recordio.check, recordio.read_matrix, lambda file: list(recordio.read_records(file))]
)
def test_a_length_that_lies_allocates_nothing(read):
    content = file_of(DENSE) + struct.pack("<II", MAGIC, (1 << 29) - 1) + b"\x0a" * 100
    tracemalloc.start()
    with pytest.raises(RecordIOError, match="truncated"):
        read(file(content))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20


def test_files_that_only_read_and_give_little_at_a_time():
    class Socket:
        """Neither seekable nor able to read into memory: what an HTTP body is."""

        def __init__(self, content):
            self.rest = content

        def read(self, size):
            piece, self.rest = self.rest[: min(size, 999)], self.rest[min(size, 999) :]
            return piece

    X, _, y = truth()
    features, labels = recordio.read_matrix(cast(Any, Socket)(golden("hand_dense_f32")))
    np.testing.assert_array_equal(features, X)
    np.testing.assert_array_equal(labels, y)
    assert recordio.check([cast(Any, Socket)(golden("sdk_sparse_f32"))]).records == len(y)


@pytest.mark.parametrize("end", [1 << 62, 0])
def test_a_shape_of_very_many_lengths_takes_no_time(end):
    # Their product would be a number of millions of digits, minutes of multiplying.
    content = file_of(record([1], shape=[(1 << 63) - 1] * 100_000 + [end]))
    start = time.process_time()
    with pytest.raises(RecordIOError, match="shape"):
        recordio.check(file(content))
    assert time.process_time() - start < 3


def test_a_record_longer_than_the_window():
    features = np.arange(3_000_000, dtype="f4").reshape(2, -1)
    content = recordio.encode_dense(features, np.ones(2))
    read, _ = recordio.read_matrix(io.BytesIO(content))
    np.testing.assert_array_equal(read, features)
    sparse, _ = recordio.read_matrix(io.BytesIO(recordio.encode_sparse(features)))
    np.testing.assert_array_equal(sparse.toarray(), features)
