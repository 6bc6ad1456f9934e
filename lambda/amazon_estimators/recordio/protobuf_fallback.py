"""Parse records in any other protobuf layout with protobuf, one at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from amazon_estimators.recordio.wire import FLOAT32, FLOAT64, INT32, Array, Tensor

_FIELDS = {"float32_tensor": FLOAT32, "float64_tensor": FLOAT64, "int32_tensor": INT32}


INT64_MAX = (1 << 63) - 1


class RefusedError(Exception):
    """Raised with the reason why a payload is not a record that the algorithms read."""


class Foreign(NamedTuple):
    """A record that protobuf parsed."""

    tensor: Tensor
    values: Array
    keys: Array
    features: int
    """Number of features according to the shape; -1 without shape."""
    label_tensor: Tensor | None
    labels: Array


def message(payload: bytes) -> Any:
    """Parse ``payload`` as a ``record_pb2.Record``."""
    # Load protobuf only if needed: files of this library never need it.
    from google.protobuf.message import DecodeError  # noqa: PLC0415

    from amazon_estimators.recordio.record_pb2 import Record  # noqa: PLC0415

    try:
        return Record.FromString(payload)
    except DecodeError:
        raise RefusedError("its payload is not a protobuf message of the record format") from None


def parse_foreign(payload: bytes) -> Foreign:
    """Return the features and label of one payload."""
    record = message(payload)
    tensor, values = _only_tensor(record.features, "features")
    if values.keys and len(values.shape) > 1:
        raise RefusedError(
            f"its sparse tensor has the shape {list(values.shape)}; the algorithms read vectors"
        )
    features = _features(tuple(values.shape))
    label_tensor, labels = None, np.zeros(0)
    if record.label:
        label_tensor, label = _only_tensor(record.label, "label")
        labels = np.array(label.values, label_tensor.read_dtype)
        if label.keys:
            raise RefusedError("its label is sparse; the algorithms read dense labels")
        if not labels.size:
            raise RefusedError("its label holds no value")
    return Foreign(
        tensor,
        np.array(values.values, tensor.read_dtype),
        np.array(values.keys, np.uint64),
        features,
        label_tensor,
        labels,
    )


def _features(shape: tuple[int, ...]) -> int:
    if not shape:
        return -1
    # Multiply step by step: the product of very many lengths could have millions of digits.
    features = 0 if 0 in shape else 1
    for length in shape:
        features *= length
        if features > INT64_MAX:
            raise RefusedError(
                f"its shape {list(shape[:5])} counts more features than a 64-bit index reaches"
            )
    return features


def _only_tensor(entries: Any, what: str) -> tuple[Tensor, Any]:
    if set(entries) != {"values"}:
        names = ", ".join(repr(name) for name in sorted(entries, key=repr)[:5]) or "nothing"
        raise RefusedError(f"its {what} map holds {names}; the algorithms read one entry named 'values'")
    value = entries["values"]
    field = value.WhichOneof("value")
    if field not in _FIELDS:
        raise RefusedError(f"its {what} are {field or 'no tensor'}; the algorithms read a tensor of numbers")
    return _FIELDS[field], getattr(value, field)
