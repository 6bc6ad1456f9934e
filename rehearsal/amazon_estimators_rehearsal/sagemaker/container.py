"""Run a training job in place of Amazon's container: read, check, fit, report, write.

:mod:`training_job` starts it as a separate process with the execution role's credentials. It reads its order
as JSON from stdin, and reports progress as JSON lines on stdout.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import boto3
from botocore.exceptions import ClientError

from amazon_estimators.algorithms import Algorithm, algorithm_named
from amazon_estimators.client.described_job import instances_of
from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators_rehearsal.sagemaker.channels import channel_objects, read_object, shares, split_uri
from amazon_estimators_rehearsal.sagemaker.checks.channels import check_channels, content_type_of
from amazon_estimators_rehearsal.sagemaker.checks.data import check_agreement
from amazon_estimators_rehearsal.sagemaker.checks.records import Records, combine, decode, unzipped
from amazon_estimators_rehearsal.sagemaker.engines import NO_ENGINE, Fitted, engine_of
from amazon_estimators_rehearsal.sagemaker.engines.without_effect import without_effect
from amazon_estimators_rehearsal.sagemaker.errors import JobFailedError
from amazon_estimators_rehearsal.sagemaker.model_archive import pack_model
from amazon_estimators_rehearsal.sagemaker.telemetry import Telemetry


def main() -> None:
    """Run one job. If it fails, write a ``failure`` event and exit with code 1."""
    order = json.load(sys.stdin)
    try:
        _tell(artifact=_train(order["algorithm"], order["job"]))
    except JobFailedError as failure:
        _tell(failure=str(failure))
        sys.exit(1)


def _train(name: str, job: Mapping[str, Any]) -> str:
    _, instances = instances_of(job)
    telemetry = Telemetry(job["TrainingJobName"], instances)
    try:
        algorithm = _configured(name, job)
        _tell(status="Downloading")
        channels = _read(algorithm, job.get("InputDataConfig", []), instances, telemetry)
        check_agreement(algorithm, channels)
        _tell(status="Training")
        fitted = _fit(name, algorithm, channels, telemetry)
        _tell(metrics=fitted.metrics)
        _tell(status="Uploading")
        return _upload(job, name, fitted, channels)
    except JobFailedError as failure:
        telemetry.log(0, f"#error: {failure}")
        raise
    finally:
        telemetry.close()


def _configured(name: str, job: Mapping[str, Any]) -> Algorithm:
    """Return the algorithm with the job's hyperparameters. The container checks them before it reads data."""
    try:
        algorithm = algorithm_named(name)
        algorithm.check_instances(*instances_of(job))
        return algorithm.from_hyperparameters(own_hyperparameters(job))
    except AmazonEstimatorsError as error:
        raise JobFailedError(f"ClientError: {error.message}") from error


def own_hyperparameters(job: Mapping[str, Any]) -> dict[str, str]:
    """Return the job's hyperparameters without those that the service adds for tuning, ``_tuning_…``."""
    sent = job.get("HyperParameters", {})
    return {name: value for name, value in sent.items() if not name.startswith("_tuning_")}


def _read(
    algorithm: Algorithm, configured: list[dict[str, Any]], instances: int, telemetry: Telemetry
) -> dict[str, Records]:
    """Read and check the records of each channel, as all instances together read them."""
    by_name = {channel["ChannelName"]: channel for channel in configured}
    check_channels(algorithm, by_name)
    s3 = boto3.client("s3")
    channels = {}
    for name, channel in by_name.items():
        dealt = shares(channel_objects(s3, channel), channel, instances)
        parts: dict[tuple[str, str], Records] = {}
        for host, share in enumerate(dealt):
            for bucket, key in share:
                if (bucket, key) not in parts:
                    body = read_object(s3, bucket, key)
                    if channel.get("CompressionType") == "Gzip":
                        body = unzipped(body, f"s3://{bucket}/{key}")
                    parts[bucket, key] = decode(
                        content_type_of(algorithm, channel),
                        body,
                        f"s3://{bucket}/{key}",
                        vectors=algorithm.channels[name].vectors,
                    )
            records = sum(parts[place].count for place in share)
            telemetry.log(
                host, f"Channel {name}: algo-{host + 1} read {records} records from {len(share)} objects."
            )
        channels[name] = combine([parts[place] for place in sorted(parts)], name)
    return channels


def _fit(name: str, algorithm: Algorithm, channels: Mapping[str, Records], telemetry: Telemetry) -> Fitted:
    began = time.monotonic()
    unused = without_effect(name, algorithm.values)
    if unused:
        telemetry.log(0, f"without effect here: {', '.join(unused)}")
    try:
        fitted = engine_of(name)(algorithm, channels)
    except ValueError as error:
        raise JobFailedError(f"ClientError: {error}") from error
    if fitted.engine == NO_ENGINE:
        telemetry.log(
            0, f"engine: none. Request, channels and data of {name} are verified; no model is fitted."
        )
        return fitted
    seconds = max(time.monotonic() - began, 1e-9)
    telemetry.log(
        0, f"engine: {fitted.engine}. This is a rehearsal's stand-in for {name}, not Amazon's code."
    )
    telemetry.report(
        fitted.metrics,
        algorithm.metrics,
        throughput=channels["train"].count / seconds,
        wording=fitted.wording,
    )
    return fitted


def _upload(job: Mapping[str, Any], name: str, fitted: Fitted, channels: Mapping[str, Records]) -> str:
    """Write ``model.tar.gz``, in Amazon's layout where one is documented. Return its URI."""
    described = {
        "engine": fitted.engine,
        "note": "Written by a rehearsal's stand-in, not by SageMaker.",
        "algorithm": name,
        "training_job": job["TrainingJobName"],
        "hyperparameters": own_hyperparameters(job),
        "without_effect": without_effect(name, own_hyperparameters(job)),
        "channels": {
            channel: {"records": records.count, "features": records.features}
            for channel, records in channels.items()
        },
        "metrics": fitted.metrics,
        "model": fitted.model,
    }
    packed = pack_model(described, fitted)
    output = job["OutputDataConfig"]
    bucket, prefix = split_uri(output["S3OutputPath"])
    key = str(PurePosixPath(prefix) / job["TrainingJobName"] / "output" / "model.tar.gz")
    encryption = (
        {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": output["KmsKeyId"]}
        if output.get("KmsKeyId")
        else {}
    )
    try:
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=packed, **encryption)
    except ClientError as error:
        detail = error.response["Error"]
        raise JobFailedError(
            f"ClientError: Artifact upload failed:{detail.get('Code')}: {detail.get('Message')} (s3://{bucket}/{key})"
        ) from error
    return f"s3://{bucket}/{key}"


def _tell(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
