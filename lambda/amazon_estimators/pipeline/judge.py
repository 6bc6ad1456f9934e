"""Judge if a trained model is good enough, and better than the model in use on the same test data."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Self

from amazon_estimators.algorithms import Algorithm, algorithm_named
from amazon_estimators.errors import (
    AmazonEstimatorsError,
    ModelError,
    RecordSetError,
    ServiceError,
    TrainingJobError,
)
from amazon_estimators.logs import note
from amazon_estimators.pipeline.current_model import CurrentModel, approved_model, read_current_model
from amazon_estimators.pipeline.keys import channel_root
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.record_sets.keys import record_set_key
from amazon_estimators.record_sets.manifest import StoredRecordSet
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.storage.faults import naming, whole_body
from amazon_estimators.storage.s3 import read_object
from amazon_estimators.storage.s3_uri import Place

MAX_MODEL_BYTES = 512 * 2**20
"""Bytes of the largest model that is loaded and measured: the function's memory holds it twice."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The conditions that a model must meet.

    Attributes:
        metric: The metric it is judged by.
        direction: ``"Minimize"`` or ``"Maximize"``; None if nothing is compared.
        at_least: The lowest value that passes; None for no limit.
        at_most: The highest value that passes; None for no limit.
        against_current: True if the model must be better than the model in use.
        margin: How much worse than the model in use it may be; with 0 it must be better.
        group: The model package group that defines the model in use; None without a registry.
    """

    metric: str
    direction: str | None
    at_least: float | None = None
    at_most: float | None = None
    against_current: bool = True
    margin: float = 0.0
    group: str | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read the gate that the construct wrote into the state machine."""
        return cls(**values)

    @property
    def channel(self) -> str:
        """Return the channel that the metric is measured on."""
        return self.metric.partition(":")[0]

    def misses(self, value: float) -> str:
        """Return why a value does not pass by itself, or "" if it does."""
        if not isfinite(value):
            return f"{self.metric} is {value}, not a number to judge by"
        if self.at_least is not None and value < self.at_least:
            return f"{self.metric} is {value:g}; must be at least {self.at_least:g}"
        if self.at_most is not None and value > self.at_most:
            return f"{self.metric} is {value:g}; must be at most {self.at_most:g}"
        return ""

    def loses(self, value: float, current: float) -> str:
        """Return why a value does not pass compared with that of the model in use, or "" if it does."""
        gain = current - value if self.direction == "Minimize" else value - current
        if gain > 0 or not isfinite(current) or (self.margin > 0 and gain >= -self.margin):
            return ""
        limit = f"by at most {self.margin:g} worse than" if self.margin else "better than"
        return f"{self.metric} is {value:g}; must be {limit} the {current:g} of the model in use"


@dataclass(frozen=True)
class Verdict:
    """The judgement of one model.

    Attributes:
        good: True if the model may be used.
        because: The reason, in a sentence.
        metric: The metric it was judged by.
        value: The value of the metric.
        current: ``{"job", "model", "value"}`` of the model it was compared with; None for none. The value is
            None if it could not be compared.
        measured_by: ``"training job"``, or ``"numpy"`` if both models were measured again on the same test
            data.
        test_data: The version of the data on which it was judged, by channel.
    """

    good: bool
    because: str
    metric: str
    value: float
    current: Mapping[str, Any] | None
    measured_by: str
    test_data: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values, for the state machine and the event."""
        return {**vars(self), "value": self.value if isfinite(self.value) else str(self.value)}


def judge(
    s3: Any,
    sagemaker: Any,
    settings: Settings,
    bar: Bar,
    *,
    plan: Mapping[str, Any],
    job: Mapping[str, Any],
) -> Verdict:
    """Judge the model of a training job.

    Args:
        s3, sagemaker: Clients; ``sagemaker`` is used only with a registry.
        settings: The pipeline.
        bar: The conditions that the model must meet.
        plan: Plan's result.
        job: DescribeTrainingJob's answer.

    Raises:
        TrainingJobError: The job did not report the metric.
        DamagedFileError: The record of the model in use was edited.
    """
    stored = _record_set(s3, plan, bar.channel)
    test_data = {bar.channel: version_of(stored)}
    value = _reported(job, bar.metric)
    measured_by, because, current = "training job", bar.misses(value), None
    if not because and bar.against_current:
        found = _current(s3, sagemaker, settings, bar)
        if found is not None and found.job != job["TrainingJobName"]:
            compared = _compare(s3, settings, bar, job=job, current=found, stored=stored, value=value)
            value, because, measured_by = compared.value, compared.because, compared.measured_by
            current = {"job": found.job, "model": found.model, "value": compared.current}
            good = compared.good
        else:
            good, because = True, "there is no other model in use"
    else:
        good, because = not because, because or f"{bar.metric} is {value:g}"
    verdict = Verdict(good, because, bar.metric, value, current, measured_by, test_data)
    note(good=verdict.good, metric=bar.metric, value=verdict.value, because=verdict.because)
    return verdict


def version_of(stored: StoredRecordSet[RecordSet]) -> str:
    """Return 24 hexadecimal digits that identify the content of a channel: equal bytes have equal
    versions."""
    content = json.dumps([[shard.records, shard.sha256] for shard in stored.shards])
    return hashlib.sha256(content.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class _Comparison:
    good: bool
    because: str
    value: float
    current: float | None
    measured_by: str = "training job"


def _compare(
    s3: Any,
    settings: Settings,
    bar: Bar,
    *,
    job: Mapping[str, Any],
    current: CurrentModel,
    stored: StoredRecordSet[RecordSet],
    value: float,
) -> _Comparison:
    """Compare on the same test data: by the metrics that both trainings reported, or by measuring both with
    NumPy."""
    before = current.metrics.get(bar.metric)
    if before is not None and current.test_data.get(bar.channel) == version_of(stored):
        because = bar.loses(value, before)
        better = f"{bar.metric} is {value:g}; that of the model in use is {before:g}"
        return _Comparison(not because, because or better, value, before)
    why = "its test data are unknown" if before is None else "the test data have changed since"
    algorithm = algorithm_named(settings.algorithm).from_hyperparameters(settings.hyperparameters)
    try:
        ours = _measured(s3, algorithm, bar.metric, job["ModelArtifacts"]["S3ModelArtifacts"], stored)
        theirs = _measured(s3, algorithm, bar.metric, current.model, stored)
    except (ServiceError, RecordSetError):
        raise  # nothing is known of the model
    except AmazonEstimatorsError as error:
        because = f"it passes without a comparison: {why} the model in use was judged, and {error.message}"
        return _Comparison(True, because, value, None)
    because = bar.loses(ours, theirs)
    better = f"{bar.metric} is {ours:g}; that of the model in use is {theirs:g} on the same data"
    return _Comparison(not because, because or better, ours, theirs, "numpy")


def _measured(
    s3: Any, algorithm: Algorithm, metric: str, model: str, stored: StoredRecordSet[RecordSet]
) -> float:
    # NumPy is slow to import, and most models are compared without it.
    from amazon_estimators.inference.load import ModelWarning, load_model  # noqa: PLC0415
    from amazon_estimators.inference.measure import can_measure, measure  # noqa: PLC0415

    kind = type(algorithm)
    if not can_measure(kind, metric):
        reason = kind.inference.undocumented_model or f"{metric} is not computed from its model file"
        raise ModelError(f"a model of {kind.__name__} is not measured outside its container: {reason}")
    place = Place.of(model, what="model")

    def read() -> bytes:
        answer = s3.get_object(Bucket=place.bucket, Key=place.key)
        if answer["ContentLength"] > MAX_MODEL_BYTES:
            raise ModelError(f"{model} has {answer['ContentLength']:,} bytes; allowed: {MAX_MODEL_BYTES:,}")
        return bytes(answer["Body"].read())

    with naming("GetObject", model):
        try:
            archive = whole_body(read, model)
        except s3.exceptions.NoSuchKey:
            raise ModelError(f"{model} is no longer there") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)  # the same holds for both models
        loaded = load_model(archive, algorithm, max_bytes=MAX_MODEL_BYTES)
    return measure(loaded, algorithm, metric, _blocks(s3, stored))


def _blocks(s3: Any, stored: StoredRecordSet[RecordSet]) -> Iterator[tuple[Any, Any]]:
    from amazon_estimators.recordio.reader import read_matrix  # noqa: PLC0415 - NumPy, as above

    bucket = Place.of(stored.record_set.s3_data, what="manifest").bucket
    for shard in stored.shards:
        body = read_object(s3, bucket, shard.key)
        if hashlib.sha256(body).hexdigest() != shard.sha256:
            raise RecordSetError(f"s3://{bucket}/{shard.key} is not the shard that was encoded")
        yield read_matrix(io.BytesIO(body))


def _current(s3: Any, sagemaker: Any, settings: Settings, bar: Bar) -> CurrentModel | None:
    if bar.group is not None:
        return approved_model(sagemaker, bar.group)
    return read_current_model(s3, settings.data_bucket, settings.prefix)


def _record_set(s3: Any, plan: Mapping[str, Any], channel: str) -> StoredRecordSet[RecordSet]:
    key = record_set_key(channel_root(plan["prefix"], channel))
    text = read_object(s3, plan["bucket"], key)
    return StoredRecordSet.from_json(text, f"s3://{plan['bucket']}/{key}", RecordSet)


def _reported(job: Mapping[str, Any], metric: str) -> float:
    values = reported_metrics(job)
    if metric not in values:
        raise TrainingJobError(
            f"Training job {job['TrainingJobName']} did not report {metric}; it reported "
            f"{', '.join(sorted(values)) or 'nothing'}",
            remedy="Judge by a metric that it reports, then redrive the execution.",
        )
    return values[metric]


def reported_metrics(job: Mapping[str, Any]) -> dict[str, float]:
    """Return the final metrics of a training job, from the answer of DescribeTrainingJob."""
    return {one["MetricName"]: float(one["Value"]) for one in job.get("FinalMetricDataList") or ()}
