"""Let the trained model answer: load its ``model.tar.gz`` as a user would, and predict the records again."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.errors import ModelError
from amazon_estimators.inference import LocalModel, ModelWarning, load_model
from amazon_estimators.inference.measure import can_measure, measure
from amazon_estimators.inference.models import TopicTable
from amazon_estimators.record_sets.manifest import StoredRecordSet
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.recordio import read_matrix
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators_rehearsal.sagemaker.model_archive import Predicting, UnservedModelError, unpack_model

SHOWN = 5
Block = tuple[Any, Any]


def answers(
    s3: Any,
    algorithm: Algorithm,
    job: Mapping[str, Any],
    record_sets: Mapping[str, StoredRecordSet[RecordSet]],
) -> Iterator[str]:
    """Yield the model's answers for the first shard of its training data, or why there are none.

    Computes the training job's metric again from the answers.

    Args:
        s3: A boto3 client.
        algorithm: The algorithm, with the job's hyperparameters.
        job: The job's description, as DescribeTrainingJob returns it.
        record_sets: The RecordSet of each channel.
    """
    place = Place.of(job["ModelArtifacts"]["S3ModelArtifacts"], what="model")
    archive = s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    try:
        model = _model(archive, algorithm)
    except UnservedModelError as error:
        yield f"none: {error}"
        return
    first, _ = next(blocks(s3, record_sets["train"]))
    predictions = model.predict(first)
    how = "off line with NumPy" if isinstance(model, LocalModel) else "as the stand-in's endpoint answers"
    yield f"{predictions.rows:,} records, {how}"
    for name, column in predictions.items():
        if column.ndim == 1:
            values = ", ".join(f"{value:.6g}" for value in column[:SHOWN])
            yield f"{name}: {values}{', …' if predictions.rows > SHOWN else ''}"
        else:
            yield f"{name}: {column.shape[1]} values per record"
    if isinstance(model, LocalModel):
        yield from _measured_again(s3, model, algorithm, job, record_sets)


def _model(archive: bytes, algorithm: Algorithm) -> Predicting:
    """Return the model for offline prediction; the stand-in's own if Amazon's method is not public."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)  # load_model's assumption about Amazon's containers
        try:
            model = load_model(archive, algorithm)
        except ModelError:
            return unpack_model(archive, type(algorithm).__name__)
    return unpack_model(archive, model.algorithm) if isinstance(model, TopicTable) else model


def _measured_again(
    s3: Any,
    model: LocalModel,
    algorithm: Algorithm,
    job: Mapping[str, Any],
    record_sets: Mapping[str, StoredRecordSet[RecordSet]],
) -> Iterator[str]:
    for reported in job.get("FinalMetricDataList", []):
        name, value = reported["MetricName"], reported["Value"]
        channel = name.partition(":")[0]
        if can_measure(type(algorithm), name) and channel in record_sets:
            again = measure(model, algorithm, name, blocks(s3, record_sets[channel]))
            yield f"{name} = {again:.6g} by these answers; the training job reported {value:.6g}"


def blocks(s3: Any, stored: StoredRecordSet[RecordSet]) -> Iterator[Block]:
    """Yield the records of a RecordSet, features and labels, a shard at a time."""
    bucket = Place.of(stored.record_set.s3_data, what="manifest").bucket
    for shard in stored.shards:
        body = s3.get_object(Bucket=bucket, Key=shard.key)["Body"].read()
        yield read_matrix(io.BytesIO(body))
