"""Read requests to the inference containers and write their responses; split and join files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.channel_rules import CSV, JSON, JSON_LINES, RECORDIO
from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.inference import Predictions
from amazon_estimators.recordio import read_matrix
from amazon_estimators.recordio.record_pb2 import Record

MAGIC = 0xCED7230A
ANY = ("", "*/*", "application/*")


class PayloadError(Exception):
    """Raised for a request that the container answers with an HTTP error."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


def read_rows(algorithm: type[Algorithm], body: bytes, content_type: str) -> Any:
    """Return the feature vectors of a request, (rows, features), dense or of SciPy.

    Raises:
        PayloadError: The algorithm does not accept the content type, or the body is not of that type.
    """
    bare = _bare(content_type)
    if bare not in algorithm.inference.accepts:
        raise PayloadError(
            f"Content-type {content_type} is not supported; supported: "
            f"{', '.join(algorithm.inference.accepts)}",
            415,
        )
    try:
        return _READERS[bare](body)
    except PayloadError:
        raise
    except (AmazonEstimatorsError, ValueError, KeyError, TypeError) as error:
        shown = error.message if isinstance(error, AmazonEstimatorsError) else error
        raise PayloadError(f"unable to evaluate payload provided: {shown}") from error


def chosen_accept(algorithm: type[Algorithm], accept: str) -> tuple[str, bool]:
    """Return the content type of the response, and True if it must be verbose.

    Raises:
        PayloadError: The algorithm writes none of the types in ``accept``.
    """
    for entry in accept.split(","):
        bare, _, parameters = entry.partition(";")
        verbose = "verbose" in parameters and bool(algorithm.inference.verbose)
        if bare.strip() in ANY:
            return JSON, verbose
        if _bare(bare) in algorithm.inference.returns:
            return _bare(bare), verbose
    raise PayloadError(
        f"Accept {accept} is not supported; supported: {', '.join(algorithm.inference.returns)}", 406
    )


def write_predictions(
    algorithm: type[Algorithm], predictions: Predictions, content_type: str, *, verbose: bool = False
) -> bytes:
    """Return a response as AWS documents it for the algorithm."""
    facts = algorithm.inference
    wanted = [field.name for field in facts.fields if verbose or not (field.optional and facts.verbose)]
    records = [
        {name: value for name, value in record.items() if name in wanted} for record in predictions.records()
    ]
    if content_type == JSON:
        return json.dumps({facts.list_key: records}).encode()
    if content_type == JSON_LINES:
        return "".join(json.dumps(record) + "\n" for record in records).encode()
    if content_type == CSV:
        lines = (",".join(str(float(record[name])) for name in facts.csv_columns) for record in records)
        return "".join(line + "\n" for line in lines).encode()
    return b"".join(_framed(record) for record in records)


def split_records(body: bytes, split_type: str) -> Iterator[bytes]:
    """Yield the records of an input object of a transform job, with their delimiters or padding.

    Raises:
        PayloadError: The object does not consist of records of this kind.
    """
    if split_type == "None":
        yield body
    elif split_type == "Line":
        yield from (line for line in body.splitlines(keepends=True) if line.strip())
    elif split_type == "RecordIO":
        at = 0
        while at < len(body):
            magic, length = (int.from_bytes(body[at + 4 * n : at + 4 * n + 4], "little") for n in range(2))
            end = at + 8 + length
            if magic != MAGIC or end > len(body):
                raise PayloadError(f"The object is not RecordIO at byte {at}.")
            end += -length % 4
            yield body[at:end]
            at = end
    else:
        raise PayloadError(f"SplitType {split_type} is not supported for the first-party algorithms.")


def _framed(record: Mapping[str, Any]) -> bytes:
    message = Record()
    for name, value in record.items():
        values = value if isinstance(value, list) else [value]
        message.label[name].float32_tensor.values.extend(values)
    payload: bytes = message.SerializeToString(deterministic=True)
    header = MAGIC.to_bytes(4, "little") + len(payload).to_bytes(4, "little")
    return header + payload + bytes(-len(payload) % 4)


def _bare(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


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
    row = [0.0] * int(features["shape"][-1])
    for key, value in zip(features["keys"], values, strict=True):
        row[int(key)] = value
    return row


def _matrix(rows: list[list[float]]) -> Any:
    if not rows:
        raise PayloadError("unable to evaluate payload provided: it holds no record")
    matrix = np.asarray(rows, np.float32)  # ValueError if rows differ in length
    if not np.isfinite(matrix).all():
        raise PayloadError("unable to evaluate payload provided: it holds a value that is not finite")
    return matrix


_READERS: Mapping[str, Callable[[bytes], Any]] = MappingProxyType(
    {RECORDIO: _recordio, CSV: _csv, JSON: _json, JSON_LINES: _json_lines}
)
