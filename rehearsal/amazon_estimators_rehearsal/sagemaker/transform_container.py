"""Run a transform job: read the objects, ask the model, write ``<key>.out``.

:mod:`transform_jobs` starts it as a separate process with the execution role's credentials.
"""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from amazon_estimators_rehearsal.sagemaker.channels import channel_objects, read_object, split_uri
from amazon_estimators_rehearsal.sagemaker.errors import JobFailedError
from amazon_estimators_rehearsal.sagemaker.payloads import PayloadError, split_records
from amazon_estimators_rehearsal.sagemaker.served_model import ServedModel, download_problem
from amazon_estimators_rehearsal.sagemaker.telemetry import TRANSFORM_LOG_GROUP, Telemetry

DEFAULT_PAYLOAD_MB = 6


def main() -> None:
    """Run a job. Exit code 1 with a ``failure`` event if any object failed."""
    order = json.load(sys.stdin)
    telemetry = Telemetry(order["job"]["TransformJobName"], 1, group=TRANSFORM_LOG_GROUP)
    try:
        failures = _transform(order["model"], order["job"], telemetry)
    except JobFailedError as error:
        failures = [str(error)]
    try:
        telemetry.close()
    except JobFailedError as error:
        failures.append(str(error))
    if failures:
        _tell(failure=failures[0])
        sys.exit(1)


def _transform(model: Mapping[str, Any], job: Mapping[str, Any], telemetry: Telemetry) -> list[str]:
    """Transform all objects; return the reason for each that failed."""
    s3 = boto3.client("s3")
    source = job["TransformInput"]
    objects = channel_objects(s3, {"ChannelName": "input", "DataSource": source["DataSource"]})
    try:
        served = ServedModel(s3, model["algorithm"], model["model_data"])
    except ClientError as error:
        problem = download_problem(error, model["model_data"], model["role"])
        raise JobFailedError(f"ClientError: {problem}") from error
    _tell(status="Transforming")
    failures = []
    for bucket, key in objects:
        try:
            body = _body(read_object(s3, bucket, key), source)
            answers = [
                served.answer(payload, source["ContentType"], job["TransformOutput"].get("Accept", ""))[0]
                for payload in _payloads(body, job)
            ]
        except PayloadError as error:
            failures.append(f"ClientError: Bad HTTP status {error.status} for s3://{bucket}/{key}: {error}")
            telemetry.log(0, failures[-1])
            continue
        _write(s3, job, _relative(source["DataSource"]["S3DataSource"], bucket, key), answers)
        telemetry.log(0, f"s3://{bucket}/{key}: {len(answers)} requests")
    return failures


def _body(body: bytes, source: Mapping[str, Any]) -> bytes:
    if source.get("CompressionType", "None") == "None":
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise PayloadError(f"The object is not gzip: {error}") from error


def _payloads(body: bytes, job: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the bodies of the requests: each record, or as many as fit a payload."""
    limit = job.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB) * 2**20
    several = job.get("BatchStrategy", "MultiRecord") == "MultiRecord"
    batch = b""
    for record in split_records(body, job["TransformInput"].get("SplitType", "None")):
        if len(record) > limit:
            raise PayloadError(f"A record of {len(record)} bytes exceeds MaxPayloadInMB, {limit >> 20}", 413)
        if batch and (not several or len(batch) + len(record) > limit):
            yield batch
            batch = b""
        batch += record
    if batch:
        yield batch


def _write(s3: Any, job: Mapping[str, Any], relative: str, answers: list[bytes]) -> None:
    output = job["TransformOutput"]
    if output.get("AssembleWith", "None") == "Line":
        answers = [answer if answer.endswith(b"\n") else answer + b"\n" for answer in answers]
    bucket, prefix = split_uri(output["S3OutputPath"])
    key = f"{prefix.rstrip('/')}/{relative}.out".lstrip("/")
    kms_key = output.get("KmsKeyId")
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=b"".join(answers), **encryption)
    except ClientError as error:
        raise JobFailedError(f"ClientError: Cannot write s3://{bucket}/{key}: {error}") from error


def _relative(source: Mapping[str, Any], bucket: str, key: str) -> str:
    """Return the key relative to the folder of the prefix or manifest."""
    _, prefix = split_uri(source["S3Uri"])
    folder = prefix.rpartition("/")[0] + "/" if "/" in prefix else ""
    return key.removeprefix(folder) if key.startswith(folder) else key.rpartition("/")[2]


def _tell(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
