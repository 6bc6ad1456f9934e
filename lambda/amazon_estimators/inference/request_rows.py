"""Read the rows of a request: what an endpoint was asked about."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from amazon_estimators.algorithms.channel_rules import CSV, JSON, JSON_LINES, RECORDIO
from amazon_estimators.errors import InputError
from amazon_estimators.recordio import read_matrix

MOST_FEATURES = 10_000_000
"""Columns of a sparse instance that are believed."""


def read_rows(body: bytes, content_type: str) -> Any:
    """Return the feature vectors of a request, (rows, features): an array, or sparse rows of RecordIO.

    Raises:
        InputError: The body is not of that type, holds no record or a value that is not finite.
    """
    reader = _READERS.get(content_type.partition(";")[0].strip().lower())
    if reader is None:
        raise InputError(f"{content_type} is none of {', '.join(_READERS)}")
    try:
        return reader(body)
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise InputError(str(getattr(error, "message", error))) from error


def _recordio(body: bytes) -> Any:
    # SingleRecord strips the padding of the last record.
    values, _ = read_matrix(io.BytesIO(body + bytes(-len(body) % 4)))
    return values


def _csv(body: bytes) -> Any:
    rows = [row for row in csv.reader(io.StringIO(body.decode())) if row]
    return _matrix([[float(cell) for cell in row] for row in rows])


def _json(body: bytes) -> Any:
    return _vectors(json.loads(body)["instances"])


def _json_lines(body: bytes) -> Any:
    return _vectors([json.loads(line) for line in body.splitlines() if line.strip()])


def _vectors(instances: Sequence[Any]) -> Any:
    rows = []
    for instance in instances:
        features = instance["data"]["features"] if "data" in instance else instance["features"]
        if isinstance(features, dict):
            rows.append(_tensor(features))
        else:
            rows.append([float(value) for value in features])
    return _matrix(rows)


def _tensor(features: Mapping[str, Any]) -> list[float]:
    values = [float(value) for value in features["values"]]
    if "keys" not in features:
        return values
    width = int(features["shape"][-1])
    if width > MOST_FEATURES:
        raise InputError(f"an instance has {width:,} features; allowed: {MOST_FEATURES:,}")
    row = [0.0] * width
    for key, value in zip(features["keys"], values, strict=True):
        row[int(key)] = value
    return row


def _matrix(rows: list[list[float]]) -> Any:
    if not rows:
        raise InputError("it holds no record")
    matrix = np.asarray(rows, np.float32)  # ValueError where rows differ in length
    if not np.isfinite(matrix).all():
        raise InputError("it holds a value that is not finite")
    return matrix


_READERS: Mapping[str, Callable[[bytes], Any]] = MappingProxyType(
    {RECORDIO: _recordio, CSV: _csv, JSON: _json, JSON_LINES: _json_lines}
)
