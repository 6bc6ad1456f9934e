"""Read the rows of a request: what an endpoint was asked about."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import numpy as np

from amazon_estimators.algorithms.channel_rules import CSV, JSON, JSON_LINES, RECORDIO
from amazon_estimators.errors import InputError
from amazon_estimators.recordio import CsrParts, read_matrix

MOST_FEATURES = 10_000_000
"""Columns of a sparse instance that are believed."""
REMEDY = "Write the request with amazon_estimators.write_request, or as AWS documents it for the algorithm."


def read_rows(body: bytes, content_type: str) -> Any:
    """Return the feature vectors of a request, (rows, features): an array, or sparse rows.

    Raises:
        InputError: The body is not of that type, holds no record or a value that is not finite.
    """
    reader = _READERS.get(content_type.partition(";")[0].strip().lower())
    if reader is None:
        raise InputError(f"{content_type} is none of {', '.join(_READERS)}", remedy=REMEDY)
    try:
        return reader(body)
    except (
        *(ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError),
        csv.Error,
    ) as error:
        raise InputError(str(getattr(error, "message", error)), remedy=REMEDY) from error


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
    rows = [_features(instance) for instance in instances]
    sparse = [row for row in rows if isinstance(row, _Sparse)]
    if not sparse:
        return _matrix(rows)
    return _compressed([row if isinstance(row, _Sparse) else _Sparse.of(row) for row in rows])


class _Sparse(NamedTuple):
    """An instance with keys. It is not filled: a few bytes can claim millions of columns."""

    values: list[float]
    keys: Sequence[int]
    width: int

    @classmethod
    def of(cls, row: list[float]) -> Self:
        return cls(row, range(len(row)), len(row))


def _features(instance: Any) -> list[float] | _Sparse:
    features = instance["data"]["features"] if "data" in instance else instance["features"]
    if not isinstance(features, dict):
        return [float(value) for value in features]
    values = [float(value) for value in features["values"]]
    if "keys" not in features:
        return values
    keys, width = [int(key) for key in features["keys"]], int(features["shape"][-1])
    if not 0 < width <= MOST_FEATURES:
        raise ValueError(f"an instance has {width:,} features; allowed: 1 to {MOST_FEATURES:,}")
    if len(keys) != len(values) or not all(0 <= key < width for key in keys):
        raise ValueError(f"an instance of {width:,} features has not one key below that for each value")
    return _Sparse(values, keys, width)


def _compressed(rows: list[_Sparse]) -> CsrParts:
    width = rows[0].width
    if any(row.width != width for row in rows):
        raise ValueError("instances differ in their number of features")
    values = np.array([value for row in rows for value in row.values], np.float32)
    keys = np.array([key for row in rows for key in row.keys], np.int64)
    pointers = np.cumsum([0, *(len(row.values) for row in rows)], dtype=np.int64)
    return CsrParts(_finite(values), keys, pointers, (len(rows), width))


def _matrix(rows: list[Any]) -> Any:
    if not rows:
        raise ValueError("it holds no record")
    return _finite(np.asarray(rows, np.float32))  # ValueError where rows differ in length


def _finite(values: Any) -> Any:
    if not np.isfinite(values).all():
        raise ValueError("it holds a value that is not finite")
    return values


_READERS: Mapping[str, Callable[[bytes], Any]] = MappingProxyType(
    {RECORDIO: _recordio, CSV: _csv, JSON: _json, JSON_LINES: _json_lines}
)
