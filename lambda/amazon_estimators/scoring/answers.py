"""Ask the model for the predictions of one shard, a block of rows at a time, in the order of its records."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators.algorithms.channel_rules import JSON_LINES
from amazon_estimators.errors import ModelError, PredictionsError, ResponseError
from amazon_estimators.inference import Predictions, read_response
from amazon_estimators.inference.load import ModelWarning, load_model
from amazon_estimators.recordio import CsrParts
from amazon_estimators.recordio.reader import read_matrix
from amazon_estimators.scoring.engines import accepted
from amazon_estimators.storage.s3 import InputObject, list_stored, read_ahead, read_object, read_range
from amazon_estimators.storage.s3_uri import Place

ROWS_AT_A_TIME = 4_096
READ_BYTES = 4 * 2**20
MAX_MODEL_BYTES = 512 * 2**20
"""The largest model that NumPy predicts with: the function's memory holds it twice."""


def by_numpy(s3: Any, algorithm: str, model: Mapping[str, Any], shard: bytes) -> Iterator[Predictions]:
    """Predict the records of a shard with NumPy.

    Args:
        s3: A client.
        algorithm: The algorithm's name.
        model: The model's ``model`` and ``hyperparameters``.
        shard: The shard's bytes.

    Raises:
        ModelError: The model cannot be read, or does not predict without its container.
    """
    kind = algorithm_named(algorithm)
    place = Place.of(model["model"], what="model")
    body = read_object(s3, place.bucket, place.key)
    if len(body) > MAX_MODEL_BYTES:
        raise ModelError(
            f"{place.uri} has {len(body):,} bytes; allowed with engine='numpy': {MAX_MODEL_BYTES:,}",
            remedy="Score with a transform job: leave engine out.",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)  # docs/scoring.md says what is assumed
        loaded = load_model(
            body, kind.from_hyperparameters(model["hyperparameters"]), max_bytes=MAX_MODEL_BYTES
        )
    rows, _ = read_matrix(io.BytesIO(shard))
    total = rows.shape[0]
    for start in range(0, total, ROWS_AT_A_TIME):
        yield loaded.predict(_part(rows, start, min(start + ROWS_AT_A_TIME, total)))


def by_transform(s3: Any, algorithm: str, bucket: str, root: str, shard: str) -> Iterator[Predictions]:
    """Read the predictions that a transform job wrote for a shard.

    Args:
        s3: A client.
        algorithm: The algorithm's name.
        bucket, root: The job's output.
        shard: The file name of the shard.

    Raises:
        PredictionsError: The job wrote none for this shard.
        ResponseError: They are not in the algorithm's documented format.
    """
    # Where below its output a job puts an object of a manifest is not documented.
    found = [
        (key, etag, size)
        for key, etag, size in list_stored(s3, bucket, root)
        if key.rpartition("/")[2] == f"{shard}.out"
    ]
    if len(found) != 1:
        raise PredictionsError(
            f"the transform job wrote {len(found)} objects {shard}.out below s3://{bucket}/{root}; "
            "expected one"
        )
    ((key, etag, size),) = found
    answer = InputObject(bucket, key, size, etag)
    kind = algorithm_named(algorithm)
    accept = accepted(kind)
    bodies = _lines(s3, answer) if accept == JSON_LINES else _documents(read_range(s3, answer, 0, size))
    for body in bodies:
        yield read_response(kind, body, accept)


def _lines(s3: Any, answer: InputObject) -> Iterator[bytes]:
    """Yield whole lines of an object, some MiB at a time."""
    rest = b""
    for chunk in read_ahead(s3, answer, 0, answer.size, chunk=READ_BYTES):
        text = rest + chunk
        end = text.rfind(b"\n") + 1
        rest = text[end:]
        if end:
            yield text[:end]
    if rest.strip():
        yield rest


def _documents(body: bytes) -> Iterator[bytes]:
    """Yield the JSON values of a body: answers to requests stand one after the other."""
    text, at, decoder = body.decode("utf-8", "replace"), 0, json.JSONDecoder()
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise ResponseError(f"the answer is not JSON at character {at:,}: {str(error)[:200]}") from None
        yield text[at:end].encode()
        at = end


def _part(rows: Any, start: int, stop: int) -> Any:
    if not isinstance(rows, CsrParts):
        return rows[start:stop]
    low, high = int(rows.indptr[start]), int(rows.indptr[stop])
    return CsrParts(
        rows.data[low:high],
        rows.indices[low:high],
        rows.indptr[start : stop + 1] - low,
        (stop - start, rows.shape[1]),
    )
