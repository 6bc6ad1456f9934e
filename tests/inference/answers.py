"""Responses as the containers write them, by AWS's pages on response formats."""

from __future__ import annotations

import io
import json
from typing import Any

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.recordio.record_pb2 import Record


def body(algorithm: type[Algorithm], records: list[dict[str, Any]], content_type: str) -> bytes:
    """Write predictions as the algorithm's container does."""
    if content_type == "application/json":
        return json.dumps({algorithm.inference.list_key: records}).encode()
    if content_type == "application/jsonlines":
        return "".join(json.dumps(record) + "\n" for record in records).encode()
    if content_type == "text/csv":
        return "".join(",".join(map(str, record.values())) + "\n" for record in records).encode()
    return recordio([{name: listed(value) for name, value in record.items()} for record in records])


def recordio(records: list[dict[str, list[float]]]) -> bytes:
    """Write Records whose labels are these fields."""
    out = io.BytesIO()
    for fields in records:
        record = Record()
        for name, values in fields.items():
            record.label[name].float32_tensor.values.extend(values)
        payload = record.SerializeToString()
        out.write((0xCED7230A).to_bytes(4, "little") + len(payload).to_bytes(4, "little") + payload)
        out.write(bytes(-len(payload) % 4))
    return out.getvalue()


def listed(value: Any) -> list[float]:
    return value if isinstance(value, list) else [value]
