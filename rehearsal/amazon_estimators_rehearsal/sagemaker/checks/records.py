"""Read records as a training container does: check every byte of a file, then decode it.

There is one reader per content type.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from amazon_estimators.algorithms.channel_rules import CSV, JSON_LINES, PLAIN_TEXT, RECORDIO
from amazon_estimators.errors import RecordIOError
from amazon_estimators.recordio import check, read_matrix
from amazon_estimators_rehearsal.sagemaker.errors import JobFailedError


@dataclass(frozen=True)
class Records:
    """Records of one or more files of a channel.

    ``values`` is an array (records, features), dense or a SciPy matrix. For records that are not vectors it
    is a list of decoded lines, and ``features`` is 0. ``labels`` is None if the records have none. ``files``
    holds the names of the files, without their folders.
    """

    count: int
    features: int
    values: Any
    labels: npt.NDArray[Any] | None = None
    files: tuple[str, ...] = ()

    def matrix(self) -> npt.NDArray[Any]:
        """Return the features as a dense array, (records, features)."""
        dense = self.values.toarray() if hasattr(self.values, "toarray") else self.values
        return np.asarray(dense)

    def label_vector(self) -> npt.NDArray[np.float64]:
        """Return one label per record, (records,).

        Raises:
            ValueError: The records have no labels, or several each.
        """
        if self.labels is None:
            raise ValueError("The records have no labels.")
        labels = np.asarray(self.labels, np.float64).reshape(self.count, -1)
        if labels.shape[1] != 1:
            raise ValueError(f"The records have {labels.shape[1]} labels each; the algorithm takes one.")
        return labels[:, 0]


def decode(content_type: str, body: bytes, uri: str, *, vectors: bool = False) -> Records:
    """Return the records of one object.

    Args:
        content_type: Content type of the channel, with its parameters.
        body: Bytes of the object.
        uri: URI of the object.
        vectors: If True, CSV holds numbers; if False, an entity and an address.

    Raises:
        JobFailedError: With ``uri`` and the fault.
    """
    media_type, _, parameters = content_type.partition(";")
    try:
        table = media_type == CSV and vectors
        records = _table(body, parameters) if table else _READERS[media_type](body)
    except RecordIOError as error:
        raise JobFailedError(f"ClientError: Unable to read data of {uri}: {error.message}") from error
    except ValueError as error:
        raise JobFailedError(f"ClientError: Unable to read data of {uri}: {error}") from error
    if not records.count:
        raise JobFailedError(f"ClientError: {uri} holds no record.")
    return replace(records, files=(uri.rpartition("/")[2],))


def unzipped(body: bytes, uri: str) -> bytes:
    """Return the content of a gzip object.

    Raises:
        JobFailedError: With ``uri`` and the fault.
    """
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise JobFailedError(f"ClientError: Unable to read data of {uri}: {error}") from error


def combine(parts: Sequence[Records], channel: str) -> Records:
    """Return the records of all files of a channel, in the order of its objects.

    Raises:
        JobFailedError: The files disagree.
    """
    first = parts[0]
    for part in parts:
        if (part.features, part.labels is None) != (first.features, first.labels is None):
            raise JobFailedError(
                f"ClientError: Channel {channel}: its files disagree: {first.features} features"
                f"{_with(first)} in one, {part.features}{_with(part)} in another."
            )
    count, files = sum(part.count for part in parts), tuple(name for part in parts for name in part.files)
    if isinstance(first.values, list):
        return Records(count, 0, [line for part in parts for line in part.values], files=files)
    labels = None if first.labels is None else np.concatenate([_labels(part) for part in parts])
    if any(hasattr(part.values, "toarray") for part in parts):
        from scipy.sparse import vstack  # noqa: PLC0415 - slow, and few data sets are sparse

        values = vstack([part.values for part in parts], format="csr")
    else:
        values = np.concatenate([part.values for part in parts])
    return Records(count, first.features, values, labels, files)


def _labels(part: Records) -> npt.NDArray[Any]:
    assert part.labels is not None
    return part.labels


def _with(part: Records) -> str:
    return " without labels" if part.labels is None else " with labels"


def _recordio(body: bytes) -> Records:
    check(io.BytesIO(body))
    values, labels = read_matrix(io.BytesIO(body))
    return Records(values.shape[0], values.shape[1], values, labels)


def _table(body: bytes, parameters: str) -> Records:
    """Read rows of numbers; the first ``label_size`` columns, by default one, are labels."""
    named = dict(part.strip().partition("=")[::2] for part in parameters.split(";"))
    label_size = int(named.get("label_size", "1"))
    table = np.loadtxt(io.BytesIO(body), dtype=np.float32, delimiter=",", ndmin=2)
    labels = table[:, :label_size] if label_size else None
    return Records(table.shape[0], table.shape[1] - label_size, table[:, label_size:], labels)


def _lines(body: bytes, parse: Callable[[str], Any]) -> Records:
    lines = body.decode("utf-8").split("\n")
    if lines[-1] == "":
        lines.pop()
    values = []
    for number, line in enumerate(lines, start=1):
        try:
            values.append(parse(line.removesuffix("\r")))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
    return Records(len(values), 0, values)


def _pair_of_tokens(line: str) -> dict[str, Any]:
    """Parse a record of Object2Vec: ``{"label": 1, "in0": [6, 17], "in1": [16, 21]}``."""
    record = json.loads(line)
    if not isinstance(record, dict) or record.keys() != {"label", "in0", "in1"}:
        raise ValueError(f"it is not an object with label, in0 and in1: {line[:80]!r}")
    if type(record["label"]) not in (int, float) or not math.isfinite(record["label"]):
        raise ValueError(f"label is not a number: {line[:80]!r}")
    for side in ("in0", "in1"):
        tokens = record[side]
        if (
            not isinstance(tokens, list)
            or not tokens
            or any(type(token) is not int or token < 0 for token in tokens)
        ):
            raise ValueError(f"{side} is not a list of token ids: {line[:80]!r}")
    return record


def _pair_of_fields(line: str) -> tuple[str, str]:
    """Parse a record of IPInsights: ``entity,1.2.3.4``."""
    try:
        (fields,) = csv.reader([line], strict=True)
    except csv.Error as error:
        raise ValueError(f"{error}: {line[:80]!r}") from error
    if len(fields) != 2 or not all(fields):
        raise ValueError(f"it does not have two columns, an entity and an address: {line[:80]!r}")
    return fields[0], fields[1]


def _word(line: str) -> str:
    if not line.strip():
        raise ValueError("it is empty")
    return line


_READERS: Mapping[str, Callable[[bytes], Records]] = MappingProxyType(
    {
        RECORDIO: _recordio,
        JSON_LINES: lambda body: _lines(body, _pair_of_tokens),
        CSV: lambda body: _lines(body, _pair_of_fields),
        PLAIN_TEXT: lambda body: _lines(body, _word),
    }
)
