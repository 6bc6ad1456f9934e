"""Print what a rehearsal has produced, read back from its account."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.client.described_job import instances_of
from amazon_estimators.record_sets.keys import RECORD_SET
from amazon_estimators.record_sets.manifest import StoredRecordSet
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.text import counted
from amazon_estimators_rehearsal.answers import answers
from amazon_estimators_rehearsal.sagemaker.channels import split_uri
from amazon_estimators_rehearsal.sagemaker.engines import NO_ENGINE
from amazon_estimators_rehearsal.view import say

MAX_MODEL_BYTES = 1 << 30


def print_report(
    console: Console,
    s3: Any,
    algorithm: type[Algorithm],
    job: Mapping[str, Any],
    *,
    seconds: Mapping[str, float],
    labels: Mapping[str, int | str | None],
) -> None:
    """Print the summary of a training job.

    Args:
        console: Console to print to.
        s3: A boto3 client.
        algorithm: The algorithm's class.
        job: The job's description, as DescribeTrainingJob returns it.
        seconds: Duration of each step, in seconds.
        labels: The label's column of each channel, by name or position; None without a label.
    """
    console.print()
    for name, value in _rows(s3, algorithm, job, seconds=seconds, labels=labels):
        for index, line in enumerate(value.splitlines()):
            title = name if index == 0 else ""
            say(console, (f"{title:<20}", "bold"), f" {line}")


def _rows(
    s3: Any,
    algorithm: type[Algorithm],
    job: Mapping[str, Any],
    *,
    seconds: Mapping[str, float],
    labels: Mapping[str, int | str | None],
) -> Iterator[tuple[str, str]]:
    for channel in job["InputDataConfig"]:
        yield from _record_set_rows(s3, channel, labels.get(channel["ChannelName"]))
    yield "hyperparameters", "  ".join(f"{name}={value}" for name, value in job["HyperParameters"].items())
    yield "training image", job["AlgorithmSpecification"]["TrainingImage"]
    instance_type, instance_count = instances_of(job)
    yield "training instances", f"{instance_count} x {instance_type} (emulated)"
    yield "training job", f"{job['TrainingJobName']}: {job['TrainingJobStatus']}"
    metrics = [
        f"{metric['MetricName']} = {metric['Value']:.6g}" for metric in job.get("FinalMetricDataList", [])
    ]
    yield "metric", "\n".join(metrics) or "none: the algorithm, or its stand-in, reports none"
    artifact = job.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    if artifact:
        yield "model", artifact
        told = read_model(s3, artifact)
        yield "engine", _engine(told["engine"])
        if told["without_effect"]:
            yield "without effect here", ", ".join(told["without_effect"])
        record_sets = {
            channel["ChannelName"]: stored_record_set(s3, channel) for channel in job["InputDataConfig"]
        }
        trained = algorithm.from_hyperparameters(job["HyperParameters"])
        yield "predictions", "\n".join(answers(s3, trained, job, record_sets))
    yield "seconds", "\n".join(f"{value:6.1f}  {name}" for name, value in seconds.items() if value >= 0.05)


def save_page(s3: Any, report: Mapping[str, Any]) -> str:
    """Save the page about a training in the system's temporary directory, for the account ends with the
    rehearsal. Returns the file's path, or why there is no page.

    Args:
        s3: A boto3 client.
        report: What the step Report left in the execution's output.
    """
    if "uri" not in report:
        return f"none: {report.get('Error')}: {report.get('Cause')}"
    bucket, key = split_uri(report["uri"])
    job = key.split("/")[-2]
    path = Path(tempfile.gettempdir()) / f"report-of-{job}.html"
    path.write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return str(path)


def _engine(name: str) -> str:
    if name == NO_ENGINE:
        return f"{name} (request, channels and data are verified; no model is fitted, no metric made up)"
    return f"{name} (a stand-in for the training that SageMaker does)"


def read_model(s3: Any, uri: str) -> dict[str, Any]:
    """Return the JSON in a stand-in's ``model.tar.gz``."""
    bucket, key = split_uri(uri)
    answer = s3.get_object(Bucket=bucket, Key=key)
    if answer["ContentLength"] > MAX_MODEL_BYTES:
        raise ValueError(
            f"{uri} has {answer['ContentLength']:,} bytes; the stand-in writes at most {MAX_MODEL_BYTES:,}."
        )
    with tarfile.open(fileobj=io.BytesIO(answer["Body"].read()), mode="r:gz") as archive:
        member = archive.extractfile("rehearsal.json")
        assert member
        model: dict[str, Any] = json.load(member)
        return model


def _record_set_rows(
    s3: Any, channel: Mapping[str, Any], label: int | str | None
) -> Iterator[tuple[str, str]]:
    stored = stored_record_set(s3, channel)
    record_set, shards = stored.record_set, stored.shards
    shape = counted(record_set.num_records, "record")
    if record_set.feature_dim:
        labelled = f", {_label(label)}" if record_set.labels else ""
        shape += f" x {counted(record_set.feature_dim, 'feature')}{labelled}, {record_set.dtype}"
    yield f"channel {channel['ChannelName']}", shape
    if record_set.read_as:
        yield "read as", "\n".join(record_set.read_as.lines)
    if record_set.dropped:
        yield "left out", record_set.dropped_rows
    yield "manifest", record_set.s3_data
    shown = [
        f"{_name(shard.key)}: {counted(shard.records, 'record')}, {shard.bytes:,} bytes"
        for shard in shards[:8]
    ]
    if len(shards) > 8:
        shown.append(f"… and {len(shards) - 8:,} more")
    yield counted(len(shards), "shard"), "\n".join(shown)


def stored_record_set(s3: Any, channel: Mapping[str, Any]) -> StoredRecordSet[RecordSet]:
    """Return the RecordSet that a channel of a training job names."""
    manifest = channel["DataSource"]["S3DataSource"]["S3Uri"]
    place = Place.of(manifest, what="manifest").beside(RECORD_SET)
    text = s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    return StoredRecordSet.from_json(text, place.uri, RecordSet)


def _label(column: int | str | None) -> str:
    """Return the label's name for the summary. A libsvm label is not in a column."""
    if column is None:
        return "labelled"
    return f"label {column}" if isinstance(column, str) else f"label column {column}"


def _name(key: str) -> str:
    return key.rpartition("/")[2]
