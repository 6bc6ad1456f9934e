"""Ask the model for the predictions of one shard, a block of rows at a time, in the order of its records."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators.errors import ModelError
from amazon_estimators.inference import Predictions
from amazon_estimators.inference.load import ModelWarning, load_model
from amazon_estimators.recordio import CsrParts
from amazon_estimators.recordio.reader import read_matrix
from amazon_estimators.storage.s3 import read_object
from amazon_estimators.storage.s3_uri import Place

ROWS_AT_A_TIME = 4_096
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
