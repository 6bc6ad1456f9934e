"""The oracle of the codec's tests: protobuf's serialiser, plain framing, the rules record by record."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

from amazon_estimators.recordio import record_pb2

MAGIC = 0xCED7230A
DATA = Path(__file__).parent / "data"
FIELDS = {"f4": "float32_tensor", "f8": "float64_tensor", "i4": "int32_tensor"}


def truth() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, sparse features and labels of the golden files."""
    with np.load(DATA / "truth.npz") as arrays:
        return arrays["X"], arrays["S"], arrays["y"]


def golden(name: str) -> bytes:
    return (DATA / f"{name}.pbr").read_bytes()


def frame(payload: bytes) -> bytes:
    return struct.pack("<II", MAGIC, len(payload)) + payload + bytes(-len(payload) % 4)


def record(
    values: Any,
    *,
    dtype: str = "f4",
    keys: Any = None,
    shape: Any = None,
    label: Any = None,
    label_dtype: str = "f4",
    name: str = "values",
) -> record_pb2.Record:
    """One record; ``label`` is a list of values, or None for none."""
    message = record_pb2.Record()
    tensor = getattr(message.features[name], FIELDS[dtype])
    tensor.SetInParent()
    tensor.values.extend(values)
    tensor.keys.extend([] if keys is None else keys)
    tensor.shape.extend([] if shape is None else shape)
    if label is not None:
        getattr(message.label["values"], FIELDS[label_dtype]).values.extend(label)
    return message


def file_of(*records: record_pb2.Record) -> bytes:
    return b"".join(frame(message.SerializeToString(deterministic=True)) for message in records)


def plain(array: np.ndarray) -> list[Any]:
    """Python numbers; protobuf takes no bool for an integer."""
    return (array.astype(int) if array.dtype.kind == "b" else array).tolist()


def kind_of(dtype: np.dtype) -> str:
    """The tensor type a dtype is written as."""
    if dtype.kind in "biu":
        return "i4"
    return "f8" if dtype.itemsize == 8 else "f4"


def expected_dense(features: np.ndarray, labels: np.ndarray | None) -> bytes:
    return file_of(
        *(
            record(
                plain(row),
                dtype=kind_of(features.dtype),
                label=None if labels is None else plain(labels[index : index + 1]),
                label_dtype="f4" if labels is None else kind_of(labels.dtype),
            )
            for index, row in enumerate(features)
        )
    )


def expected_sparse(features: np.ndarray, labels: np.ndarray | None) -> bytes:
    """The non-zeros of a filled array."""
    return file_of(
        *(
            record(
                plain(row[row != 0]),
                dtype=kind_of(features.dtype),
                keys=np.flatnonzero(row).tolist(),
                shape=[len(row)],
                label=None if labels is None else plain(labels[index : index + 1]),
                label_dtype="f4" if labels is None else kind_of(labels.dtype),
            )
            for index, row in enumerate(features)
        )
    )


class Bad(Exception):
    """The oracle's verdict: refused."""


def verdict(content: bytes) -> list[Any]:
    """The records of a file that the rules let through, as a list; :class:`Bad` otherwise. Slow and plain."""
    rows, at = [], 0
    while at < len(content):
        if len(content) - at < 8:
            raise Bad("trailing bytes")
        magic, length = struct.unpack_from("<II", content, at)
        if magic != MAGIC or length >= 1 << 29:
            raise Bad("frame")
        end = at + 8 + length + -length % 4
        if end > len(content):
            raise Bad("truncated")
        rows.append(_row(content[at + 8 : at + 8 + length]))
        at = end
    if not rows:
        raise Bad("empty")
    if any(row[0] != rows[0][0] for row in rows):
        raise Bad("records differ")
    return rows


def _row(payload: bytes) -> Any:
    try:
        message = record_pb2.Record.FromString(payload)
    except Exception as error:
        raise Bad("protobuf") from error
    field, tensor = _tensor(message.features)
    values, keys, shape = list(tensor.values), list(tensor.keys), list(tensor.shape)
    sparse = bool(keys) or not values
    if sparse:
        if len(shape) != 1 or not 0 < shape[0] < 1 << 63 or len(keys) != len(values):
            raise Bad("sparse")
        if any(key >= shape[0] for key in keys) or sorted(set(keys)) != keys:
            raise Bad("keys")
        width = shape[0]
    else:
        width = len(values)
        if shape and math.prod(shape) != width:
            raise Bad("shape")
    label_field, label = "", []
    if message.label:
        label_field, label_tensor = _tensor(message.label)
        label = list(label_tensor.values)
        if label_tensor.keys or not label:
            raise Bad("label")
    if not all(map(math.isfinite, values + label)):
        raise Bad("not finite")
    return (field, sparse, width, label_field, len(label)), values, keys, label


def _tensor(entries: Any) -> tuple[str, Any]:
    if set(entries) != {"values"}:
        raise Bad("names")
    field = entries["values"].WhichOneof("value")
    if field not in FIELDS.values():
        raise Bad("no tensor")
    return field, getattr(entries["values"], field)
