"""What a rehearsal has made, gathered from the account it was made in, and shown as a table."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from .sagemaker.channels import split_uri

MAX_MODEL_BYTES = 1 << 30


def print_report(console: Console, s3: Any, job: Mapping[str, Any], seconds: Mapping[str, float]) -> None:
    """Print the summary of a training job. ``s3`` is a client, ``job`` its description, ``seconds`` by step."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for channel in job["InputDataConfig"]:
        for name, value in _record_set_rows(s3, channel):
            table.add_row(name, value)
    hyperparameters = "  ".join(f"{name}={value}" for name, value in job["HyperParameters"].items())
    table.add_row("hyperparameters sent", hyperparameters)
    table.add_row("training image", job["AlgorithmSpecification"]["TrainingImage"])
    resources = job["ResourceConfig"]
    table.add_row("training instances", f"{resources['InstanceCount']} × {resources['InstanceType']} (emulated)")
    table.add_row("training job", f"{job['TrainingJobName']}: {job['TrainingJobStatus']}")
    for metric in job.get("FinalMetricDataList", []):
        table.add_row("metric", f"{metric['MetricName']} = {metric['Value']:.6g}")
    artifact = job.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    if artifact:
        model = read_model(s3, artifact)
        table.add_row("model", artifact)
        table.add_row("engine", f"{model['engine']} (the stand-in's; not a model of SageMaker's format)")
    steps = "  ".join(f"{name} {value:.1f} s" for name, value in seconds.items())
    table.add_row("time", f"{steps}")
    console.print(table)


def read_model(s3: Any, uri: str) -> dict[str, Any]:
    """The JSON in a stand-in's ``model.tar.gz``."""
    bucket, key = split_uri(uri)
    answer = s3.get_object(Bucket=bucket, Key=key)
    if answer["ContentLength"] > MAX_MODEL_BYTES:
        raise ValueError(f"{uri} has {answer['ContentLength']:,} bytes; the stand-in writes at most {MAX_MODEL_BYTES:,}.")
    with tarfile.open(fileobj=io.BytesIO(answer["Body"].read()), mode="r:gz") as archive:
        member = archive.extractfile("rehearsal.json")
        assert member
        model: dict[str, Any] = json.load(member)
        return model


def _record_set_rows(s3: Any, channel: Mapping[str, Any]) -> list[tuple[str, str]]:
    name, manifest = channel["ChannelName"], channel["DataSource"]["S3DataSource"]["S3Uri"]
    bucket, key = split_uri(manifest)
    facts = json.loads(s3.get_object(Bucket=bucket, Key=key.rpartition("/")[0] + "/record_set.json")["Body"].read())
    rows = [
        (f"channel {name}", f"{facts['num_records']:,} records × {facts['feature_dim']:,} features, {facts['dtype']}"),
        ("manifest", manifest),
    ]
    shards = facts["shards"]
    shown = [f"{_name(one['key'])}: {one['records']:,} records, {one['bytes']:,} bytes" for one in shards[:8]]
    if len(shards) > 8:
        shown.append(f"… and {len(shards) - 8:,} more")
    return [*rows, (f"{len(shards):,} shards", "\n".join(shown))]


def _name(key: str) -> str:
    return key.rpartition("/")[2]
