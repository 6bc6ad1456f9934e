"""Write rows as the body of an inference request: RecordIO-protobuf, CSV, JSON or JSON Lines."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.channel_rules import CSV, JSON, JSON_LINES, RECORDIO
from amazon_estimators.algorithms.inference import CONTENT_TYPES
from amazon_estimators.errors import InputError, RequestError
from amazon_estimators.inference.rows import (
    Vectors,
    csv_line,
    dense_blocks,
    entity_pairs,
    nonfinite_place,
    row_count,
    token_pairs,
    vectors,
)
from amazon_estimators.recordio import (
    CsrParts,
    write_numpy_to_dense_tensor,
    write_spmatrix_to_sparse_tensor,
)

MAX_SEQUENCE = 5000
"""Longest sequence that ``infer_max_seqlens`` takes.

https://docs.aws.amazon.com/sagemaker/latest/dg/object2vec-encoder-embeddings.html
"""
MAX_DENSE_NUMBERS = 2**27
"""Most numbers written when sparse rows become CSV: some hundred MB, more than any request takes."""


class InferenceWarning(UserWarning):
    """A request or a response in a form that AWS does not document for the algorithm."""


@dataclass(frozen=True)
class InferenceRequest:
    """The body of a request, its content type with parameters, and the number of rows in it."""

    body: bytes
    content_type: str
    rows: int


def write_request(
    algorithm: type[Algorithm],
    rows: Any,
    content_type: str | None = None,
    *,
    max_sequences: tuple[int, int] | None = None,
    allow_nonfinite: bool = False,
) -> InferenceRequest:
    """Write rows as the algorithm's container reads them.

    Args:
        algorithm: The algorithm's class.
        rows: Feature vectors: an array of (rows, features) or (features,), a data frame, a SciPy sparse
            matrix, :class:`CsrParts`. For Object2Vec mappings with ``in0`` and ``in1``, or pairs of lists of
            token ids; with one of the two the response holds embeddings. For IPInsights pairs of an entity
            and an IPv4 address.
        content_type: ``application/x-recordio-protobuf``, ``text/csv``, ``application/json`` or
            ``application/jsonlines``. Default: the first that AWS documents for the algorithm in
            ``algorithm.inference.accepts``.
        max_sequences: Object2Vec's ``infer_max_seqlens``: the longest sequence of either encoder, 1 to 5000.
            Default: none is sent; needed for embeddings.
        allow_nonfinite: Write NaN and infinities in RecordIO and CSV unchanged. JSON has none.

    Raises:
        RequestError: The algorithm does not take the content type or the parameter.
        InputError: The rows cannot be written.

    Example:
        >>> from amazon_estimators.algorithms import KMeans
        >>> write_request(KMeans, [[1.5, 2.0]], "application/json").body
        b'{"instances": [{"features": [1.5, 2.0]}]}'
    """
    chosen = content_type_for(algorithm, content_type)
    if max_sequences is not None and algorithm.inference.rows != "token_pair":
        raise RequestError(
            f"{algorithm.__name__} does not take max_sequences; it is a parameter of Object2Vec",
            remedy="Leave it out.",
        )
    if algorithm.inference.rows == "token_pair":
        return _tokens_request(rows, chosen, max_sequences)
    if algorithm.inference.rows == "entity_pair":
        return _entities_request(rows, chosen)
    return _vectors_request(vectors(rows), chosen, allow_nonfinite)


def content_type_for(algorithm: type[Algorithm], content_type: str | None = None) -> str:
    """Return the content type of a request, checked; by default the algorithm's preferred one.

    Raises:
        RequestError: AWS's documentation says that the algorithm does not take it, or has no form for its
            rows in it. One that AWS documents for most algorithms but not for this one is an
            InferenceWarning.
    """
    facts = algorithm.inference
    if content_type is None:
        return facts.accepts[0]
    allowed = ", ".join(facts.accepts)
    if content_type not in CONTENT_TYPES:
        raise RequestError(f"content_type is {content_type!r}; {algorithm.__name__} takes {allowed}")
    if content_type in facts.excluded:
        raise RequestError(
            f'{algorithm.__name__} does not take {content_type}: "{facts.excluded[content_type]}" '
            f"({facts.source})",
            remedy=f"Use {allowed}.",
        )
    if content_type not in facts.accepts:
        if facts.rows != "vector":
            raise RequestError(
                f"{algorithm.__name__} does not take {content_type}: {facts.source} has no form for it",
                remedy=f"Use {allowed}.",
            )
        warnings.warn(
            f"{content_type} is not among the request formats that AWS documents for {algorithm.__name__}: "
            f"{allowed} ({facts.source})",
            InferenceWarning,
            stacklevel=3,
        )
    return content_type


def _vectors_request(rows: Vectors, content_type: str, allow_nonfinite: bool) -> InferenceRequest:
    place = nonfinite_place(rows)
    if place and (not allow_nonfinite or content_type in {JSON, JSON_LINES}):
        row, column, value = place
        raise InputError(
            f"row {row}, column {column} is {value}",
            remedy="Fill or drop it. RecordIO and CSV carry it with allow_nonfinite=True, JSON does not.",
        )
    if content_type == RECORDIO:
        file = io.BytesIO()
        write = write_spmatrix_to_sparse_tensor if isinstance(rows, CsrParts) else write_numpy_to_dense_tensor
        write(file, rows, allow_nonfinite=allow_nonfinite)
        return InferenceRequest(file.getvalue(), content_type, row_count(rows))
    if content_type == CSV:
        return InferenceRequest(b"".join(_csv(rows)), content_type, row_count(rows))
    return InferenceRequest(_json(list(_instances(rows)), content_type), content_type, row_count(rows))


def _csv(rows: Vectors) -> Iterator[bytes]:
    numbers = rows.shape[0] * rows.shape[1]
    if isinstance(rows, CsrParts) and numbers > MAX_DENSE_NUMBERS:
        raise InputError(
            f"sparse rows of shape {rows.shape} are {numbers:,} numbers in CSV; "
            f"allowed: {MAX_DENSE_NUMBERS:,}",
            remedy=f"Send them as {RECORDIO} or {JSON}, which carry sparse rows.",
        )
    for _, block in dense_blocks(rows):
        yield "".join(",".join(map(repr, row)) + "\n" for row in block.tolist()).encode()


def _instances(rows: Vectors) -> Iterator[dict[str, Any]]:
    if not isinstance(rows, CsrParts):
        for _, block in dense_blocks(rows):
            yield from ({"features": row} for row in block.tolist())
        return
    pointers, keys, values = rows.indptr.tolist(), rows.indices.tolist(), rows.data.tolist()
    for start, stop in pairwise(pointers):
        tensor = {"keys": keys[start:stop], "shape": [rows.shape[1]], "values": values[start:stop]}
        yield {"data": {"features": tensor}}


def _tokens_request(rows: Any, content_type: str, max_sequences: tuple[int, int] | None) -> InferenceRequest:
    pairs = token_pairs(rows)
    if max_sequences is None and pairs and len(pairs[0]) == 1:
        raise RequestError(
            f"rows with {next(iter(pairs[0]))} alone ask for embeddings, which needs the longest sequences",
            remedy="Pass max_sequences=(enc0_max_seq_len, enc1_max_seq_len) as trained, or give both sides.",
        )
    if max_sequences is not None:
        if len(max_sequences) != 2 or not all(
            isinstance(length, int) and 1 <= length <= MAX_SEQUENCE for length in max_sequences
        ):
            raise RequestError(
                f"max_sequences is {max_sequences!r}; expecting two whole numbers from 1 to {MAX_SEQUENCE}"
            )
        content_type_sent = f"{content_type}; infer_max_seqlens={max_sequences[0]},{max_sequences[1]}"
    else:
        content_type_sent = content_type
    return InferenceRequest(_json(pairs, content_type), content_type_sent, len(pairs))


def _entities_request(rows: Any, content_type: str) -> InferenceRequest:
    pairs = entity_pairs(rows)
    if content_type == CSV:
        body = b"".join(csv_line(pair) + b"\n" for pair in pairs)
    else:
        body = _json([{"features": list(pair)} for pair in pairs], content_type)
    return InferenceRequest(body, content_type, len(pairs))


def _json(instances: list[Any], content_type: str) -> bytes:
    if content_type == JSON_LINES:
        return "".join(json.dumps(instance) + "\n" for instance in instances).encode()
    return json.dumps({"instances": instances}).encode()
