"""Read requests to the inference containers and write their responses; split and join files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.channel_rules import CSV, JSON, JSON_LINES
from amazon_estimators.errors import InputError
from amazon_estimators.inference import Predictions, request_rows
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
        return request_rows.read_rows(body, bare)
    except InputError as error:
        raise PayloadError(f"unable to evaluate payload provided: {error.message}") from error


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
